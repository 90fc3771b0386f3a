import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { parse } from "yaml"
import * as Crd from "../../src/resource/Crd.ts"
import { inspect } from "../../src/resource/Inspection.ts"
import { KafkaBackupSpec } from "../../src/resource/KafkaBackupSpec.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import * as OffsetCrds from "../../src/resource/OffsetCrds.ts"
import * as RestoreCrd from "../../src/resource/RestoreCrd.ts"
import type { Rule } from "../../src/resource/Rule.ts"
import type { StructuralSchema } from "../../src/resource/StructuralSchema.ts"
import { badManifests } from "./badManifests.ts"
import { fullSpec } from "./manifests.ts"

interface Printed {
  readonly [key: string]: any
}

const read = (yaml: string) => {
  const printed: Printed = parse(yaml)
  const version: Printed = printed["spec"].versions[0]
  const root: Printed = version["schema"].openAPIV3Schema
  const all = nodes(root)
  const below = (prefix: string) => all.filter(([path]) => path === prefix || path.startsWith(`${prefix}.`))
  return { printed, version, root, all, below }
}

/** Every node with its path. */
const nodes = (node: Printed, path = ""): ReadonlyArray<readonly [path: string, node: Printed]> => [
  [path, node],
  ...Object.entries(node["properties"] ?? {}).flatMap(([name, child]) => nodes(child as Printed, `${path}.${name}`)),
  ...(node["items"] ? nodes(node["items"], `${path}[]`) : []),
  ...(node["additionalProperties"] ? nodes(node["additionalProperties"], `${path}{}`) : [])
]

const { all, below, root, version } = read(Crd.yaml())

const ofOffsets = (kind: OffsetCrds.OffsetKind, shortName: string) => ({
  file: `${kind.toLowerCase()}.yaml`,
  shortName,
  yaml: () => OffsetCrds.yaml(kind),
  ...read(OffsetCrds.yaml(kind))
})

/** All definitions; what only one of them has is looked at by itself. */
const definitions = [
  { file: "kafkabackup.yaml", shortName: "kb", yaml: Crd.yaml, ...read(Crd.yaml()) },
  { file: "kafkarestore.yaml", shortName: "kr", yaml: RestoreCrd.yaml, ...read(RestoreCrd.yaml()) },
  ofOffsets("KafkaOffsetReset", "kor"),
  ofOffsets("KafkaOffsetRollback", "korb")
]

const rules: ReadonlyArray<Rule<never>> = (() => {
  const found: Array<Rule<never>> = []
  const visit = (node: StructuralSchema): void => {
    found.push(...(node["x-kubernetes-validations"] ?? []))
    for (const child of Object.values(node.properties ?? {})) visit(child)
    if (node.items) visit(node.items)
    if (node.additionalProperties) visit(node.additionalProperties)
  }
  visit(Crd.spec())
  return found
})()

/** What a structural schema may say at a node; anything else makes the API server refuse the definition. */
const allowed = new Set([
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
  "maxProperties",
  "required",
  "properties",
  "items",
  "additionalProperties",
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-validations"
])

describe.each(definitions)("the definition in $file", ({ all, file, printed, shortName, version, yaml }) => {
  it("is the file in crds/", () => {
    const present = readFileSync(new URL(`../../crds/${file}`, import.meta.url), "utf8")
    assert.strictEqual(present, yaml(), "run: npm run crd")
  })

  it("is printed the same every time, without anchors or aliases", () => {
    assert.strictEqual(yaml(), yaml())
    assert.notMatch(yaml(), /^\s*\S+: [&*][a-z0-9]+\s*$/m)
  })

  it("fits into the annotation that kubectl apply keeps of it", () => {
    assert.isBelow(JSON.stringify(printed).length, 262_144 - 10_000)
  })

  it("is namespaced, has the promised names, and status as a subresource", () => {
    assert.strictEqual(printed["metadata"].name, `${file.replace(".yaml", "")}s.kafka.oso.sh`)
    assert.strictEqual(printed["spec"].scope, "Namespaced")
    assert.deepStrictEqual(printed["spec"].names.shortNames, [shortName])
    // `kubectl get kafka` must go on to mean other operators' Kafka.
    assert.deepStrictEqual(printed["spec"].names.categories, ["kafka-backup"])
    assert.deepStrictEqual(version["subresources"], { status: {} })
    assert.deepStrictEqual([version["name"], version["served"], version["storage"]], ["v1alpha1", true, true])
  })

  it("prints columns that point at fields which exist", () => {
    for (const { jsonPath, name, type } of version["additionalPrinterColumns"]) {
      if (jsonPath.startsWith(".metadata.") || jsonPath.includes("[?(")) continue
      const found = all.find(([path]) => path === jsonPath)
      assert.isDefined(found, name)
      const { format, type: fieldType } = found![1] as Printed
      assert.isTrue(
        type === fieldType || (fieldType === "string" && format === "date-time" && ["date", "string"].includes(type)),
        name
      )
    }
  })
})

describe("the columns of kubectl get kafkarestores", () => {
  const columns: ReadonlyArray<Printed> = RestoreCrd.crd().spec.versions[0]!.additionalPrinterColumns

  it("answer what is restored, how far it is and whether it was proven, and why with -o wide", () => {
    assert.deepStrictEqual(
      columns.flatMap(({ name, priority }) => (priority === 1 ? [] : [name])),
      ["Phase", "Backup", "Progress", "Records", "Verified", "Age"]
    )
    assert.deepStrictEqual(
      columns.flatMap(({ name, priority }) => (priority === 1 ? [name] : [])),
      ["Dry Run", "Message"]
    )
  })
})

describe("the columns of kubectl get kafkabackups", () => {
  const columns: ReadonlyArray<Printed> = version["additionalPrinterColumns"]
  const titles = (isWide: boolean) =>
    columns.filter(({ priority }) => (priority === 1) === isWide).map(({ name }) => name)

  it("answer the first question at a glance, and why with -o wide", () => {
    assert.deepStrictEqual(titles(false), [
      "Schedule",
      "Phase",
      "Ready",
      "Intact",
      "Last Success",
      "Records",
      "Size",
      "Next",
      "Age"
    ])
    assert.deepStrictEqual(titles(true), ["Suspended", "Duration", "Restorable", "Stored", "Location", "Message"])
  })

  it("print times that lie ahead and sizes as text, which kubectl leaves as it is", () => {
    const text = columns.filter(({ name }) => name === "Next" || name === "Size").map(({ type }) => type)
    assert.deepStrictEqual(text, ["string", "string"])
  })
})

describe.each(definitions)("the structural schema in $file", ({ all, below }) => {
  it("uses only keywords that the API server takes, and never additionalProperties beside properties", () => {
    for (const [path, node] of all) {
      for (const key of Object.keys(node)) assert.isTrue(allowed.has(key), `${path}: ${key}`)
      assert.isFalse("properties" in node && "additionalProperties" in node, path)
      assert.notStrictEqual(typeof node["additionalProperties"], "boolean", path)
    }
  })

  it("gives every node a type, except int-or-string, which must have none", () => {
    for (const [path, node] of all) {
      if (node["x-kubernetes-int-or-string"]) assert.notProperty(node, "type", path)
      else assert.include(["object", "array", "string", "integer", "boolean"], node["type"], path)
    }
  })

  it("describes every field", () => {
    for (const [path, node] of [...below(".spec"), ...below(".status")]) {
      assert.isAbove((node["description"] ?? "").length, 3, path)
    }
  })

  it("bounds every text, list, map and number of the spec, so that rules stay inside the admission budget", () => {
    for (const [path, node] of below(".spec")) {
      if (node["type"] === "string" && !node["enum"]) assert.isNumber(node["maxLength"], path)
      if (node["type"] === "array") assert.isNumber(node["maxItems"], path)
      if (node["additionalProperties"]) assert.isNumber(node["maxProperties"], path)
      if (node["type"] === "integer") assert.isAtMost(node["maximum"], Number.MAX_SAFE_INTEGER, path)
    }
  })

  it("requires only fields that it has, and the keys of its list-maps", () => {
    for (const [path, node] of all) {
      for (const name of node["required"] ?? []) assert.property(node["properties"], name, path)
      for (const key of node["x-kubernetes-list-map-keys"] ?? []) assert.include(node["items"].required, key, path)
    }
  })

  it("never requires a field that has a default", () => {
    for (const [path, node] of all) {
      for (const [name, child] of Object.entries(node["properties"] ?? {})) {
        if ("default" in (child as object)) assert.notInclude(node["required"] ?? [], name, path)
      }
    }
  })

  it("has no rules on the status, so that an older operator's status never blocks an update", () => {
    for (const [path, node] of below(".status")) assert.notProperty(node, "x-kubernetes-validations", path)
  })
})

describe("defaults", () => {
  const withDefaults = below(".spec").filter(([, node]) => "default" in node)

  it("are valid themselves", () => {
    const visit = (node: StructuralSchema, path: string): void => {
      if (node.default !== undefined) assert.deepStrictEqual(inspect(node, node.default, path).problems, [], path)
      for (const [name, child] of Object.entries(node.properties ?? {})) visit(child, `${path}.${name}`)
      if (node.items) visit(node.items, `${path}[]`)
    }
    visit(Crd.spec(), "spec")
  })

  it("are the same in the definition and in the decoder", () => {
    const secrets = {
      kafkaCluster: {
        bootstrapServers: ["kafka:9092"],
        securityProtocol: "SASL_SSL",
        tlsSecret: { name: "a" },
        saslSecret: { name: "b", mechanism: "PLAIN" }
      },
      storage: {
        storageType: "s3",
        s3: { bucket: "abc", region: "r", credentialsSecret: { name: "c" } },
        azure: { accountName: "abc", container: "abc", credentialsSecret: { name: "d" } },
        gcs: { bucket: "abc", credentialsSecret: { name: "e" } }
      }
    }
    const others = { sasTokenSecret: { name: "a" } }
    const principal = { servicePrincipalSecret: { name: "a" } }
    for (const azure of [
      secrets.storage.azure,
      { accountName: "abc", container: "abc", ...others },
      { accountName: "abc", container: "abc", ...principal }
    ]) {
      const bare = { topics: ["*"], ...secrets, storage: { ...secrets.storage, azure } }
      const byDecoder = Schema.decodeUnknownSync(KafkaBackupSpec)(bare)
      const { completed, problems } = inspect(Crd.spec(), bare, "spec")
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual(completed, byDecoder)
    }
    const {
      kafkaCluster,
      storage: _,
      ...rest
    } = Schema.decodeUnknownSync(KafkaBackupSpec)({ topics: ["*"], ...secrets })
    assert.deepStrictEqual(rest, {
      suspend: false,
      immediate: false,
      topics: ["*"],
      excludeTopics: [],
      format: "records",
      compression: "zstd",
      includeOffsetHeaders: false,
      checkpointIntervalSecs: 30,
      clusterMetadata: { acls: true, users: true, quotas: true },
      incremental: { enabled: true },
      verification: { percentPerRun: 2 },
      circuitBreaker: { enabled: true, failureThreshold: 5, resetTimeoutSecs: 60 },
      job: { backoffLimit: 3, parallelism: 1, ttlSecondsAfterFinished: 86_400 },
      deletionPolicy: "Retain"
    })
    assert.deepStrictEqual(kafkaCluster.tlsSecret, {
      name: "a",
      caKey: "ca.crt",
      certKey: "tls.crt",
      keyKey: "tls.key"
    })
    assert.deepStrictEqual(kafkaCluster.saslSecret, {
      name: "b",
      mechanism: "PLAIN",
      usernameKey: "username",
      passwordKey: "password"
    })
  })

  it("include none for compressionLevel: one number cannot be right for zstd, lz4 and none", () => {
    assert.notProperty(root["properties"].spec.properties.compressionLevel, "default")
    assert.isAbove(withDefaults.length, 20)
  })
})

describe("rules", () => {
  it("have a message of one line and a predicate", () => {
    assert.isAbove(rules.length, 80)
    for (const { holds, message, rule } of rules) {
      assert.notMatch(message, /[\n\r]/, rule)
      assert.isAbove(message.length, 10, rule)
      assert.isFunction(holds)
    }
  })

  it("print without their predicate", () => {
    for (const [path, node] of all) {
      for (const rule of node["x-kubernetes-validations"] ?? []) {
        for (const key of Object.keys(rule)) assert.include(["rule", "message", "reason", "fieldPath"], key, path)
      }
    }
  })

  it("blame fields that exist", () => {
    for (const [path, node] of all) {
      for (const { fieldPath } of node["x-kubernetes-validations"] ?? []) {
        if (fieldPath !== undefined) assert.property(node["properties"], fieldPath.slice(1), path)
      }
    }
  })

  it("hold patterns that read the same in RE2 and here", () => {
    for (const { rule } of rules) {
      for (const [, pattern] of rule.matchAll(/matches\(r'([^']*)'\)/g)) {
        assert.notMatch(pattern!, /\(\?[=!<]|\\[1-9bBsSdDwWuk]|\{\d{4,}|\{\d*,\d{4,}/, pattern)
        assert.doesNotThrow(() => new RegExp(pattern!, "u"), pattern)
      }
    }
  })

  it("are each broken by a manifest of the table, and kept by a good one", () => {
    const said = new Set(
      badManifests.flatMap(({ manifest }) => {
        const result = ManifestParser.fromJson(manifest)
        return Result.isFailure(result) ? result.failure.problems.map(({ message }) => message) : []
      })
    )
    const silent = [...new Set(rules.map(({ message }) => message))].filter((message) => !said.has(message))
    assert.deepStrictEqual(silent, [])
    assert.deepStrictEqual(inspect(Crd.spec(), fullSpec(), "spec").problems, [])
  })

  it("on text agree between their pattern and their predicate", () => {
    const texts = new Set(badManifests.flatMap(({ manifest }) => strings(manifest).slice(0, 200)))
    const simple = /^(!?)self\.matches\(r'([^']*)'\)$/
    let compared = 0
    for (const { holds, rule } of rules) {
      const found = simple.exec(rule)
      if (found === null) continue
      const pattern = new RegExp(found[2]!, "u")
      for (const text of texts) {
        assert.strictEqual(
          (holds as (self: string) => boolean)(text),
          pattern.test(text) !== (found[1] === "!"),
          `${rule} on ${text}`
        )
        compared++
      }
    }
    assert.isAbove(compared, 1000)
  })
})

const strings = (value: unknown): ReadonlyArray<string> =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(strings)
      : []
