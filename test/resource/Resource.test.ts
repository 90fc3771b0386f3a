import { assert, describe, it } from "@effect/vitest"
import { DateTime, Result, Schema } from "effect"
import * as Compression from "../../src/resource/Compression.ts"
import * as Field from "../../src/resource/Field.ts"
import { triggerAnnotation } from "../../src/resource/KafkaBackup.ts"
import { KafkaBackupStatus } from "../../src/resource/KafkaBackupStatus.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import { nearest } from "../../src/resource/Near.ts"
import * as Quantity from "../../src/resource/Quantity.ts"
import * as StorageSpec from "../../src/resource/StorageSpec.ts"
import * as StructuralSchema from "../../src/resource/StructuralSchema.ts"
import * as Trigger from "../../src/resource/Trigger.ts"
import { changed } from "./manifests.ts"

const specOf = (...changes: ReadonlyArray<readonly [path: string, value: unknown]>) =>
  Result.getOrThrow(ManifestParser.fromJson(changed(...changes))).spec

describe("Compression.level", () => {
  it("is 3 for zstd and 1 for lz4 unless the user says so, and none for none", () => {
    assert.strictEqual(Compression.level(specOf(["compression", undefined], ["compressionLevel", undefined])), 3)
    assert.strictEqual(Compression.level(specOf(["compression", "lz4"], ["compressionLevel", undefined])), 1)
    assert.strictEqual(Compression.level(specOf(["compression", "lz4"], ["compressionLevel", 12])), 12)
    assert.strictEqual(Compression.level(specOf(["compressionLevel", 22])), 22)
    assert.strictEqual(Compression.level(specOf(["compression", "none"], ["compressionLevel", undefined])), 0)
  })
})

describe("storage", () => {
  it("is the block that storageType names; the others are accepted and ignored", () => {
    const spec = specOf()
    assert.deepStrictEqual(StorageSpec.ignoredStorageBlocks(spec), ["azure", "gcs", "pvc"])
    assert.strictEqual(StorageSpec.chosen(spec.storage).storageType, "s3")
    const pvc = specOf(["storage", { storageType: "pvc", pvc: { claimName: "a" } }])
    assert.deepStrictEqual(StorageSpec.ignoredStorageBlocks(pvc), [])
    assert.deepStrictEqual(StorageSpec.chosen(pvc.storage), { storageType: "pvc", pvc: { claimName: "a" } })
  })

  it.each([
    ["production/", "production"],
    ["production", "production"],
    ["", undefined],
    [undefined, undefined]
  ])("has the prefix %j as %j", (written, used) => {
    const chosen = StorageSpec.chosen(specOf(["storage.s3.prefix", written]).storage)
    assert.strictEqual(chosen.storageType === "s3" ? chosen.s3.prefix : "?", used)
    assert.strictEqual("prefix" in (chosen as any).s3, used !== undefined)
  })

  it("takes an empty endpoint for an absent one", () => {
    assert.notProperty(specOf(["storage.s3.endpoint", ""]).storage.s3, "endpoint")
    assert.strictEqual(specOf().storage.s3?.endpoint, "https://minio.storage.svc:9000")
  })

  it.each([
    "http://minio:9000",
    "https://[fd00::1]:9000/",
    "https://kafkabackups.blob.core.usgovcloudapi.net",
    "http://127.0.0.1:10000/devstoreaccount1"
  ])("takes the endpoint %s", (endpoint) =>
    assert.strictEqual(specOf(["storage.s3.endpoint", endpoint]).storage.s3?.endpoint, endpoint)
  )
})

describe("a broker", () => {
  it.each(["kafka:1", "kafka-0.kafka_1.svc.cluster.local:65535", "10.0.0.1:9092", "[::1]:9092", "[fd00::a:1]:29092"])(
    "may be %s",
    (server) =>
      assert.deepStrictEqual(specOf(["kafkaCluster.bootstrapServers", [server]]).kafkaCluster.bootstrapServers, [
        server
      ])
  )
})

describe("Quantity", () => {
  it.each([
    ["500m", "0.5", 0],
    ["1", "1000m", 0],
    ["1Gi", "1073741824", 0],
    ["1G", "1Gi", -1],
    ["1e3", "1k", 0],
    ["1E", "1e18", 0],
    ["1.5Gi", "1536Mi", 0],
    ["100n", "1u", -1],
    ["-1", "0", -1],
    [".5", "0.5", 0],
    ["2Ei", "9223372036854775807", -1],
    ["1e1000", "1", 1],
    ["1e-1000", "1n", -1],
    ["0.0000000000000000000000000000000000001", "0", 0]
  ] as const)("compares %s with %s", (left, right, expected) => {
    const order = Quantity.compare(left, right)
    assert.strictEqual(order, expected)
    if (order !== undefined && order !== 0) assert.strictEqual(Quantity.compare(right, left), -order as -1 | 1)
  })

  it.each([
    ["1Gi", 1_073_741_824],
    ["1.5k", 1500],
    ["1500m", 1],
    ["1Pi", 2 ** 50],
    ["9Pi", undefined],
    ["many", undefined]
  ] as const)("%s as a whole number is %s", (text, expected) =>
    assert.strictEqual(Quantity.wholeNumber(text), expected)
  )

  it.each(["", "half", "1 Gi", "1gi", "1Kib", "0x10", "1e", "--1", "1".repeat(300), "1,5"])("%j is none", (text) => {
    assert.isFalse(Quantity.isQuantity(text))
    assert.isUndefined(Quantity.compare(text, "1"))
  })
})

describe("Trigger.requested", () => {
  const requested = (value?: string) => Trigger.requested(value === undefined ? {} : { [triggerAnnotation]: value })

  it("is the annotation's value, whatever it says", () => {
    assert.deepStrictEqual(requested(), { _tag: "None" })
    assert.deepStrictEqual(Trigger.requested(undefined), { _tag: "None" })
    assert.deepStrictEqual(requested("1733054400"), { _tag: "Token", token: "1733054400" })
    assert.strictEqual(requested("🎉".repeat(253))._tag, "Token")
  })

  it("is refused, not ignored, when empty or longer than 253 characters", () => {
    assert.strictEqual(requested("")._tag, "Refused")
    assert.strictEqual(requested("a".repeat(254))._tag, "Refused")
  })
})

describe("nearest", () => {
  it.each([
    ["topcis", "topics"],
    ["Topics", "topics"],
    ["exclude_topics", "excludeTopics"],
    ["schedul", "schedule"],
    ["x", undefined],
    ["password", undefined],
    ["t".repeat(100_000), undefined]
  ])("to %s is %s", (word, expected) =>
    assert.strictEqual(nearest(word, ["topics", "excludeTopics", "schedule", "storage"]), expected)
  )
})

describe("the status", () => {
  const example = {
    phase: "Completed",
    lastBackupId: "production-backup-20241201-120000",
    lastBackupTime: "2024-12-01T12:00:00Z",
    lastBackupSize: 1073741824,
    lastBackupRecords: 1000000,
    nextScheduledTime: "2024-12-01T13:00:00Z",
    backupHistory: [
      {
        backupId: "production-backup-20241201-120000",
        startTime: "2024-12-01T12:00:00Z",
        completionTime: "2024-12-01T12:05:00Z",
        size: 1073741824,
        records: 1000000,
        outcome: "success"
      }
    ],
    conditions: [
      {
        type: "Ready",
        status: "True",
        reason: "BackupScheduled",
        message: "Next backup scheduled for 2024-12-01T13:00:00Z",
        lastTransitionTime: "2024-12-01T12:05:00Z"
      }
    ]
  }

  it("of the documentation survives decoding and encoding as it is", () => {
    const status = Schema.decodeUnknownSync(KafkaBackupStatus)(example)
    assert.deepStrictEqual(Schema.encodeSync(KafkaBackupStatus)(status), example as never)
  })

  it("is written in whole seconds, as Kubernetes writes time", () => {
    const lastBackupTime = DateTime.makeUnsafe("2024-12-01T12:00:00.987Z")
    assert.deepStrictEqual(Schema.encodeSync(KafkaBackupStatus)({ lastBackupTime }), {
      lastBackupTime: "2024-12-01T12:00:00Z"
    })
  })
})

describe("StructuralSchema.of", () => {
  const refusals: ReadonlyArray<readonly [string, Schema.Constraint, RegExp]> = [
    ["a union", Schema.Struct({ a: Schema.Union([Schema.String, Schema.Int]) }), /a: a union/],
    ["null", Schema.Struct({ a: Schema.NullOr(Schema.String) }), /a: a union/],
    ["a tuple", Schema.Struct({ a: Schema.Tuple([Schema.String]) }), /a: keyword prefixItems|a: a list/],
    ["anything at all", Schema.Struct({ a: Schema.Unknown }), /a: no type/],
    ["an exclusive bound", Schema.Struct({ a: Schema.Int.check(Schema.isGreaterThan(0)) }), /exclusiveMinimum/]
  ]
  it.each(refusals)("refuses %s, which has no structural form, and says where", (_, schema, says) => {
    assert.throws(() => StructuralSchema.of(schema), says)
  })

  it("lifts bounds, descriptions and rules out of allOf, the tighter bound winning", () => {
    const node = StructuralSchema.of(
      Schema.Struct({
        a: Schema.String.check(Schema.isMaxLength(9)).annotate({ description: "text" }).check(Schema.isMaxLength(5)),
        b: Field.integer({ description: "number", minimum: 1 })
      })
    )
    assert.deepStrictEqual(node.properties?.["a"], { type: "string", description: "text", maxLength: 5 })
    assert.deepStrictEqual(node.properties?.["b"], {
      type: "integer",
      description: "number",
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      format: "int64"
    })
  })
})
