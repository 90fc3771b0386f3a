import { Predicate } from "effect"
import type { StructuralSchema } from "./StructuralSchema.ts"

/*
 * What of a definition a server does not have. It drops fields that its own definition does not name from everything
 * that is written, without a word: one of an earlier version of this operator, or of another operator with the same
 * names, loses what users and this operator write.
 */

/** The parts of a definition that hold fields of its own. */
export interface Parts {
  readonly kind: string
  readonly spec: StructuralSchema
  readonly status: StructuralSchema
}

type Json = { readonly [key: string]: unknown }

const object = (value: unknown): Json => (Predicate.isObject(value) ? (value as Json) : {})

/** The schema of a kind in the OpenAPI v3 document of its group and version, as API servers publish it. */
const published = (document: unknown, kind: string): Json =>
  object(
    Object.values(object(object(object(document)["components"])["schemas"])).find((schema) => {
      const names = object(schema)["x-kubernetes-group-version-kind"]
      return Array.isArray(names) && names.some((name) => object(name)["kind"] === kind)
    })
  )

/** Paths of `wanted` that `served` has not, or has with another type; of a missing object only the object itself. */
const missing = (wanted: StructuralSchema, served: unknown, path: string): ReadonlyArray<string> => {
  const there = object(served)
  if (there["x-kubernetes-preserve-unknown-fields"] === true) return []
  if (served === undefined || (wanted.type !== undefined && there["type"] !== wanted.type)) return [path]
  const below = Object.entries(wanted.properties ?? {}).flatMap(([name, field]) =>
    missing(field, object(there["properties"])[name], `${path}.${name}`)
  )
  const items = wanted.items === undefined ? [] : missing(wanted.items, there["items"], `${path}[]`)
  const values = wanted.additionalProperties
  return [
    ...below,
    ...items,
    ...(values === undefined ? [] : missing(values, there["additionalProperties"], `${path}.*`))
  ]
}

/** Fields of a kind that the server would drop, as `spec.retention.keep`; none where its definition has all. */
export const lacking = ({ kind, spec, status }: Parts, document: unknown): ReadonlyArray<string> => {
  const properties = object(published(document, kind)["properties"])
  return [...missing(spec, properties["spec"], "spec"), ...missing(status, properties["status"], "status")]
}
