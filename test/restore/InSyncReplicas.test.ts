import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import type { KafkaSourceShape } from "../../src/kafka/KafkaSource.ts"
import * as Restore from "../../src/restore/Restore.ts"
import * as RestoreNotes from "../../src/restore/RestoreNotes.ts"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import * as TargetTopic from "../../src/restore/TargetTopic.ts"
import { aRestore, assertSame, backUp, inTime, layer, restore, systems, worlds } from "./world.ts"

/** A backup of topics of which writes need two replicas in sync. */
const backupOf = Effect.fnUntraced(function* (source: InMemoryCluster, ...topics: ReadonlyArray<string>) {
  for (const topic of topics) {
    yield* source.createTopic(topic, { configs: { "min.insync.replicas": "2" } })
    yield* source.produce(topic, 0, [{ key: topic, value: "1" }])
  }
  return yield* backUp
})

const limitOf = (there: KafkaSourceShape, topic: string) =>
  Effect.map(there.topicConfigs([topic]), (found) => found.get(topic)?.["min.insync.replicas"])

const notesOf = Effect.fnUntraced(function* (backupId: string, changes: Partial<RestoreRequest>) {
  const prepared = yield* inTime(Restore.prepare(yield* systems, aRestore(backupId, changes)))
  return RestoreNotes.plannedNotes(prepared, { retentionHold: "forever" }, 0)
}, Effect.scoped)

const note = "topics with 1 replica get min.insync.replicas 1 instead of the 2 of the backup: orders, payments"

describe("min.insync.replicas of the backup", () => {
  it.effect("is lowered to the replicas of new topics, while they are written and afterwards, and a note says so", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      const backupId = yield* backupOf(source, "orders", "payments")
      assert.deepStrictEqual(yield* notesOf(backupId, { replicationFactor: 1 }), [note])
      const opened = yield* systems
      const limits: Array<string | undefined> = []
      const alterConfigs: typeof opened.sink.alterConfigs = (topic, configs) =>
        Effect.andThen(
          Effect.map(limitOf(opened.source, topic), (limit) => limits.push(limit)),
          opened.sink.alterConfigs(topic, configs)
        )
      const request = aRestore(backupId, { replicationFactor: 1 })
      const systemsThere = { ...opened, sink: { ...opened.sink, alterConfigs } }
      const prepared = yield* Restore.prepare(systemsThere, request)
      const restored = yield* inTime(
        Restore.run(systemsThere, request, prepared, {
          openPartitions: 1,
          batchBytes: 400,
          leastStoredBytes: 0,
          batchMemoryBytes: 32 * 1024 * 1024,
          patienceMillis: 600_000,
          onAppended: () => {}
        })
      )
      assert.deepStrictEqual(limits, ["1", "1"])
      assert.include(RestoreNotes.notes(restored), note)
      assert.strictEqual(yield* limitOf(opened.source, "orders"), "1")
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("is lowered to what the brokers choose, and to what a topic has that exists", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      const backupId = yield* backupOf(source, "orders", "payments")
      yield* target.createTopic("orders", { replicationFactor: 1, configs: { "min.insync.replicas": "2" } })
      const chosen = { replicationFactor: -1, topics: ["payments"], owner: { name: "chosen" } }
      const opened = yield* systems
      // A cluster whose default is one replica.
      const createTopics: typeof opened.sink.createTopics = (topics, options) =>
        opened.sink.createTopics(
          topics.map((topic) => ({ ...topic, replicationFactor: 1 })),
          options
        )
      const systemsThere = { ...opened, sink: { ...opened.sink, createTopics } }
      const { targets } = yield* Restore.prepare(systemsThere, aRestore(backupId, chosen))
      assert.strictEqual(TargetTopic.made(targets[0]!)?.configs["min.insync.replicas"], "1")
      yield* inTime(restore(aRestore(backupId, { topics: ["orders"] })))
      assert.strictEqual(yield* limitOf(opened.source, "orders"), "1")
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("holds already while records are written to a topic that has enough replicas", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      const backupId = yield* backupOf(source, "orders")
      assert.deepStrictEqual(yield* notesOf(backupId, {}), [])
      const { targets } = yield* Restore.prepare(yield* systems, aRestore(backupId))
      assert.strictEqual(TargetTopic.made(targets[0]!)?.configs["min.insync.replicas"], "2")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
