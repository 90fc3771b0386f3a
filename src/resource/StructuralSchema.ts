import { Predicate, Schema } from "effect"
import * as Rule from "./Rule.ts"

/*
 * Effect Schema -> the structural OpenAPI v3 schema that a CustomResourceDefinition takes. The tree keeps the rules
 * with their predicates, so that manifests can be checked against the very tree that is printed.
 */

type Json = Record<string, unknown>

/** One node of a structural schema. */
export interface StructuralSchema {
  readonly description?: string
  /** Absent for int-or-string only. */
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean"
  readonly format?: string
  readonly default?: unknown
  readonly enum?: ReadonlyArray<string>
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly required?: ReadonlyArray<string>
  readonly properties?: { readonly [name: string]: StructuralSchema }
  readonly items?: StructuralSchema
  readonly additionalProperties?: StructuralSchema
  readonly "x-kubernetes-int-or-string"?: true
  readonly "x-kubernetes-list-type"?: string
  readonly "x-kubernetes-list-map-keys"?: ReadonlyArray<string>
  readonly "x-kubernetes-validations"?: ReadonlyArray<Rule.Rule>
}

/**
 * The schema uses something that has no structural form; thrown while the CRD is built, never at run time of the
 * operator.
 */
export class NotStructural extends Error {
  constructor(path: ReadonlyArray<string>, why: string) {
    super(`${path.join(".") || "(root)"}: ${why}`)
    this.name = "NotStructural"
  }
}

/** Keywords that are taken over as they are. */
const kept: ReadonlySet<string> = new Set([
  "type",
  "format",
  "description",
  "default",
  "enum",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties"
])

/** Keywords that are handled by shape, not copied. */
const shape: ReadonlySet<string> = new Set(["properties", "required", "items", "additionalProperties"])

/** The encoded side of `schema`: what a user writes. */
export const of = (schema: Schema.Constraint): StructuralSchema => {
  const document = Schema.toJsonSchemaDocument(schema, {
    includeAnnotationKey: (key) => key.startsWith("x-kubernetes-")
  })
  return convert(document.schema as Json, document.definitions as unknown as Record<string, Json>, [], [])
}

/**
 * The same, made when it is first asked for: to make the trees of all kinds takes a sixth of the time in which a
 * process starts, and a run needs one of them.
 */
export const later = (schema: Schema.Constraint): (() => StructuralSchema) => once(() => of(schema))

/** The value of `make`, which is called once, and not before the value is asked for. */
export const once = <A>(make: () => A): (() => A) => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}

const convert = (
  raw: Json,
  definitions: Record<string, Json>,
  path: ReadonlyArray<string>,
  within: ReadonlyArray<string>
): StructuralSchema => {
  if (typeof raw["$ref"] === "string") {
    const { $ref, ...siblings } = raw
    const id = ($ref as string).replace("#/$defs/", "").replaceAll("~1", "/").replaceAll("~0", "~")
    if (within.includes(id)) throw new NotStructural(path, `${id} refers to itself`)
    return convert({ ...definitions[id], ...siblings }, definitions, path, [...within, id])
  }
  const { allOf, anyOf, oneOf, ...own } = raw
  const node = ((allOf ?? []) as ReadonlyArray<Json>).reduce((merged, part) => hoisted(merged, part, path), own)
  const intOrString = node["x-kubernetes-int-or-string"] === true
  if (oneOf !== undefined || (anyOf !== undefined && !intOrString))
    throw new NotStructural(path, "a union has no structural form")

  const out: Json = {}
  for (const [key, value] of Object.entries(node)) {
    if (value === undefined || shape.has(key)) continue
    if (key === "minimum" && value === Number.MIN_SAFE_INTEGER) continue // every Int has it; the maximum stays, since JSON.parse rounds above it
    if (key.startsWith("x-kubernetes-") || kept.has(key)) out[key] = value
    else throw new NotStructural(path, `keyword ${key} is not allowed`)
  }
  const child = (name: string, schema: unknown) => convert(schema as Json, definitions, [...path, name], within)
  if (intOrString) return out
  if (out["type"] === "integer") out["format"] = "int64"
  if (out["type"] === "array") {
    if (!Predicate.isObject(node["items"])) throw new NotStructural(path, "a list must say what it holds")
    out["items"] = child("[]", node["items"])
  }
  if (out["type"] === "object") {
    // Effect prints additionalProperties beside properties; kept there it would stop the API server from refusing
    // typos.
    if (node["properties"] !== undefined) {
      out["properties"] = Object.fromEntries(
        Object.entries(node["properties"] as Json).map(([name, schema]) => [name, child(name, schema)])
      )
      const required = ((node["required"] ?? []) as ReadonlyArray<string>).filter((name) => !saysSo(node, name))
      if (required.length > 0) out["required"] = required
    } else if (Predicate.isObject(node["additionalProperties"])) {
      out["additionalProperties"] = child("*", node["additionalProperties"])
    } else throw new NotStructural(path, "an object must name its fields or what its values are")
  }
  if (typeof out["type"] !== "string") throw new NotStructural(path, "no type")
  return out
}

/** A rule of the object says that the field is required, and what to write there. */
const saysSo = (node: Json, name: string): boolean =>
  ((node[Rule.annotationKey] ?? []) as ReadonlyArray<Rule.Rule>).some(({ rule }) => rule === Rule.hasField(name))

/** Moves a keyword out of `allOf`, where the API server forbids some and overlooks others. The tighter bound wins. */
const hoisted = (node: Json, part: Json, path: ReadonlyArray<string>): Json => {
  const out: Json = { ...node }
  for (const [key, value] of Object.entries(part)) {
    const present = out[key]
    if (present === undefined || key === "description" || key === "default") out[key] = value
    else if (key === Rule.annotationKey) out[key] = [...(present as Array<unknown>), ...(value as Array<unknown>)]
    else if (key.startsWith("min")) out[key] = Math.max(present as number, value as number)
    else if (key.startsWith("max")) out[key] = Math.min(present as number, value as number)
    else if (JSON.stringify(present) !== JSON.stringify(value)) throw new NotStructural(path, `two different ${key}`)
  }
  return out
}
