import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { InMemoryKafka } from "../../src/kafka/InMemoryKafka.ts"
import { backupId, cluster, desk, layer, slot, type, typeAs } from "./terminal.ts"

const manifest = (spec: object = {}) =>
  JSON.stringify({
    apiVersion: "kafka.oso.sh/v1alpha1",
    kind: "KafkaRestore",
    metadata: { name: "whole-set" },
    spec: {
      backupId,
      targetCluster: { bootstrapServers: ["target:9092"] },
      storage: { storageType: "pvc", pvc: { claimName: "backups" } },
      ...spec
    }
  })

/** A backup of one topic, and a second cluster. */
const scene = Effect.gen(function* () {
  const source = yield* cluster
  yield* source.createTopic("orders", { partitions: 2, configs: { "retention.ms": "604800000" } })
  yield* source.produce("orders", 0, [{ key: "a", value: "1", timestamp: 1_600_000_000_000 }])
  yield* source.deleteRecordsBefore("orders", 0, 1)
  yield* source.produce("orders", 0, [{ key: "b", value: null, timestamp: 1_600_000_000_000 }])
  const { directory, options } = yield* desk()
  assert.strictEqual((yield* type("run", ...options, "--slot", slot)).exitCode, 0)
  const target = yield* (yield* InMemoryKafka).cluster("target:9092")
  const file = join(directory, "restore.yaml")
  const write = (spec: object) => Effect.promise(() => writeFile(file, manifest(spec)))
  yield* write({})
  return { source, target, write, options: ["-f", file, ...options.slice(2)] as const }
})

describe("kafka-backup restore", () => {
  it.live("shows first what it would do, then does it and proves it", () =>
    Effect.gen(function* () {
      const { options, target } = yield* scene
      const before = yield* typeAs("person", "restore", ...options, "--dry-run")
      assert.strictEqual(before.exitCode, 0, before.err)
      assert.match(before.out, /orders +orders +create and write +2 +1 +as in the backup/)
      assert.match(before.out, /Nothing was written/)
      const done = yield* type("restore", ...options, "-o", "json")
      assert.strictEqual(done.exitCode, 0, done.err)
      assert.strictEqual(JSON.parse(done.out).records, 1)
      const [record] = yield* target.committed("orders", 0)
      assert.strictEqual(record?.offset, 1)
      const again = yield* typeAs("person", "restore", ...options)
      assert.match(again.out, /OK nightly-20261123-120000: 1 records were written, read back and compared/)
    }).pipe(Effect.provide(layer))
  )

  it.live("of a manifest with dryRun writes nothing, until the same manifest says false", () =>
    Effect.gen(function* () {
      const { options, target, write } = yield* scene
      yield* write({ dryRun: true })
      const dry = yield* typeAs("person", "restore", ...options)
      assert.strictEqual(dry.exitCode, 0, dry.err)
      assert.match(dry.out, /Nothing was written/)
      // The topic does not exist: reading it fails.
      assert.isTrue(Exit.isFailure(yield* Effect.exit(target.committed("orders", 0))))
      yield* write({ dryRun: false })
      assert.strictEqual((yield* type("restore", ...options)).exitCode, 0)
      assert.lengthOf(yield* target.committed("orders", 0), 1)
    }).pipe(Effect.provide(layer))
  )

  it.live("names everything that stands against it at once, and writes nothing", () =>
    Effect.gen(function* () {
      const { options, target, write } = yield* scene
      yield* write({ topics: ["orders", "gone"], topicMapping: { other: "elsewhere" } })
      const refused = yield* type("restore", ...options)
      assert.strictEqual(refused.exitCode, 19)
      assert.include(refused.err, "has no topic gone")
      assert.include(refused.err, "topicMapping names other, which is not restored")
      yield* write({})
      yield* target.createTopic("orders", { partitions: 3 })
      const differs = yield* type("restore", ...options)
      assert.strictEqual(differs.exitCode, 19)
      assert.include(differs.err, "topic orders has 3 partitions, and the backup has 2")
      assert.lengthOf(yield* target.committed("orders", 0), 0)
    }).pipe(Effect.provide(layer))
  )

  it.live("refuses a manifest by field, value and remedy", () =>
    Effect.gen(function* () {
      const { options, write } = yield* scene
      yield* write({ defaultReplicationFactor: 0, offsets: "exact", topicMapping: { orders: "__orders" }, pitr: {} })
      const refused = yield* type("restore", ...options)
      assert.strictEqual(refused.exitCode, 10)
      for (const field of ["defaultReplicationFactor", "offsets", "topicMapping", "pitr"]) {
        assert.include(refused.err, `spec.${field}`)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("gives new offsets where they are asked for", () =>
    Effect.gen(function* () {
      const { options, target, write } = yield* scene
      yield* write({ offsets: "New", topicMapping: { orders: "renumbered" } })
      assert.strictEqual((yield* type("restore", ...options)).exitCode, 0)
      const [record] = yield* target.committed("renumbered", 0)
      assert.strictEqual(record?.offset, 0)
      assert.strictEqual(record?.key?.toString(), "b")
    }).pipe(Effect.provide(layer))
  )
})
