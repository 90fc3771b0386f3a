import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { kinds } from "../../scripts/ArgoCd.ts"
import * as KafkaBackup from "../../src/resource/KafkaBackup.ts"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import { type Json, objectsOf, one, parseAll, root } from "./manifests.ts"

const definitions = readdirSync(join(root, "crds"))
  .filter((name) => name !== "kustomization.yaml")
  .map((name) => one(parseAll(readFileSync(join(root, "crds", name), "utf8")), "CustomResourceDefinition"))

/** Paths of the defaults below a schema. */
const defaults = (schema: Json, path: string): ReadonlyArray<string> => [
  ...("default" in schema ? [path] : []),
  ...Object.entries((schema["properties"] ?? {}) as Json).flatMap(([name, field]) =>
    defaults(field, `${path}.${name}`)
  ),
  ...(schema["items"] === undefined ? [] : defaults(schema["items"], `${path}[]`))
]

describe("the definitions, to GitOps tools", () => {
  it("have no default in an item of a list, which would be a difference to Git", () => {
    assert.lengthOf(definitions, 4)
    for (const { metadata, spec } of definitions) {
      for (const { schema } of spec.versions) {
        const found = defaults(schema.openAPIV3Schema, "")
        assert.isNotEmpty(found, metadata.name)
        for (const path of found) assert.notInclude(path, "[]", metadata.name)
      }
    }
  })

  it("are of the kinds that Argo CD is told of", () => {
    assert.sameMembers(
      definitions.map(({ spec }) => spec.names.kind as string),
      Object.keys(kinds)
    )
  })

  it("fit into the annotation of client-side apply", () => {
    for (const definition of definitions) assert.isBelow(Buffer.byteLength(JSON.stringify(definition)), 262_144)
  })
})

describe("actions of Argo CD", () => {
  it("set annotations that the operator knows", () => {
    const { data } = one(objectsOf("argocd/argocd-cm.yaml"), "ConfigMap")
    const set = Object.values(data as Readonly<Record<string, string>>).flatMap((text) =>
      [...text.matchAll(/annotations\["([^"]+)"\] =/gu)].map(([, name]) => name!)
    )
    assert.sameMembers(
      [...new Set(set)],
      [
        KafkaBackup.triggerAnnotation,
        KafkaBackup.drillAnnotation,
        `${KafkaBackup.group}/check`,
        KafkaRestore.retryAnnotation
      ]
    )
  })
})
