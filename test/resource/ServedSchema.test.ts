import { assert, describe, it } from "@effect/vitest"
import * as Crd from "../../src/resource/Crd.ts"
import * as ServedSchema from "../../src/resource/ServedSchema.ts"

type Json = Record<string, any>

const parts = { kind: "KafkaBackup", spec: Crd.spec(), status: Crd.status() }

/** As an API server publishes the definition, after `change`. */
const published = (change: (properties: Json) => void = () => {}, kind = "KafkaBackup"): Json => {
  const properties = structuredClone({ spec: parts.spec, status: parts.status }) as Json
  change(properties)
  return {
    components: {
      schemas: {
        "io.k8s.apimachinery.pkg.apis.meta.v1.Status": { type: "object" },
        "sh.oso.kafka.v1alpha1.KafkaBackup": {
          type: "object",
          properties,
          "x-kubernetes-group-version-kind": [{ group: "kafka.oso.sh", kind, version: "v1alpha1" }]
        }
      }
    }
  }
}
const lacking = (document: unknown) => ServedSchema.lacking(parts, document)

describe("a definition that a server has", () => {
  it("lacks nothing when it is that of this version, or of a later one", () => {
    assert.deepStrictEqual(lacking(published()), [])
    const later = published(({ spec }) => (spec.properties.ofTomorrow = { type: "string" }))
    assert.deepStrictEqual(lacking(later), [])
  })

  it("lacks a field that it does not name, and of an object that it does not know the object alone", () => {
    const earlier = published(({ spec, status }) => {
      delete spec.properties.incremental
      delete spec.properties.retention.properties.keep
      delete status.properties.backupHistory.items.properties.backupId
    })
    assert.deepStrictEqual(lacking(earlier), [
      "spec.incremental",
      "spec.retention.keep",
      "status.backupHistory[].backupId"
    ])
  })

  it("lacks a field that has another type there", () => {
    assert.deepStrictEqual(lacking(published(({ spec }) => (spec.properties.topics = { type: "string" }))), [
      "spec.topics"
    ])
  })

  it("lacks no field of an object that keeps what it does not know", () => {
    const kept = published(({ spec }) => {
      spec.properties = {}
      spec["x-kubernetes-preserve-unknown-fields"] = true
    })
    assert.deepStrictEqual(lacking(kept), [])
  })

  it("lacks everything where the kind is not there, or the answer is no document", () => {
    for (const document of [published(undefined, "Another"), {}, null, "x", [], { components: { schemas: null } }]) {
      assert.deepStrictEqual(lacking(document), ["spec", "status"])
    }
  })
})
