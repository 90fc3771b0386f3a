import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
import * as Restore from "../../src/restore/Restore.ts"
import { RestoreError } from "../../src/restore/RestoreError.ts"
import * as BackupWorld from "../backup/world.ts"
import { aRestore, backUp, inTime, layer, restore, systems, worlds } from "./world.ts"

/** A backup of two topics; the segment of partition 1 of `orders` is gone. */
const damaged = Effect.gen(function* () {
  const { source } = yield* worlds
  const { memory } = yield* BackupWorld.world
  yield* source.createTopic("orders", { partitions: 2 })
  yield* source.createTopic("mails")
  for (const [topic, partition] of [
    ["orders", 0],
    ["orders", 1],
    ["mails", 0]
  ] as const)
    yield* source.produce(topic, partition, [{ value: `${topic} ${partition}` }])
  const backupId = yield* backUp
  const key = (yield* memory.keys).find((one) => /topics\/orders\/partition=1\//.test(one))!
  yield* memory.store.delete(ObjectKey.make(key))
  return backupId
})

describe("a backup that is damaged in one partition", () => {
  it.effect("is refused with what a restorer can do, and restored without that partition or topic", () =>
    Effect.gen(function* () {
      const backupId = yield* damaged
      const { target } = yield* worlds
      const refused = yield* Effect.flip(Restore.prepare(yield* systems, aRestore(backupId)))
      assert.instanceOf(refused, RestoreError)
      assert.match(refused.message, /is damaged: .*orders.* is missing/)
      assert.match(
        refused.advice,
        /^make a new backup now, if Kafka still has the records: an incremental one often repairs this one, too; else restore another backup, or leave out what is damaged: topic orders with excludeTopics, or partition 1 of it with sourcePartitions\. kafka-backup verify --deep names/
      )
      const without = yield* inTime(restore(aRestore(backupId, { excludeTopics: ["orders"] })))
      assert.include(without.plan.notes.join(), "is damaged in partitions that are not restored: orders[1].")
      assert.lengthOf(yield* target.committed("mails", 0), 1)
      const part = aRestore(backupId, {
        owner: { uid: "2", namespace: "kafka", name: "part" },
        topics: ["orders"],
        sourcePartitions: new Map([["orders", new Set([0])]])
      })
      yield* inTime(restore(part))
      assert.lengthOf(yield* target.committed("orders", 0), 1)
      assert.lengthOf(yield* target.committed("orders", 1), 0)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("is no reason to delete a topic whose partition it has lost, though that one is left out", () =>
    Effect.gen(function* () {
      const backupId = yield* damaged
      const { target } = yield* worlds
      yield* target.createTopic("orders", { partitions: 2 })
      for (const partition of [0, 1]) yield* target.produce("orders", partition, [{ value: "theirs" }])
      const recreate = aRestore(backupId, {
        topics: ["orders"],
        existingTopics: "recreate",
        confirmRecreate: new Set(["orders"]),
        sourcePartitions: new Map([["orders", new Set([0])]])
      })
      const refused = yield* Effect.flip(inTime(restore(recreate)))
      assert.match(
        refused.message,
        /topic orders would be deleted with partition 1, and backup .* is damaged there: .* is missing/
      )
      assert.lengthOf(yield* target.committed("orders", 1), 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
