import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, References } from "effect"
import * as Attempt from "../../src/restore/Attempt.ts"
import { sealed } from "../kafka/sealing.ts"
import { someRecords } from "../kafka/support.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import type { KafkaSinkShape } from "../../src/kafka/KafkaSink.ts"
import * as MadeTopics from "../../src/restore/MadeTopics.ts"
import type { Removed } from "../../src/restore/MadeTopics.ts"
import * as Restore from "../../src/restore/Restore.ts"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import { keysOf } from "../backup/stories.ts"
import * as Backup from "../backup/world.ts"
import { aRestore, assertSame, backUp, inTime, layer, options, restore, slot, systems, worlds } from "./world.ts"

const records = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: `key ${i}`, value: `value ${i} ${"x".repeat(40)}`, timestamp: i }))

/** A restore that has stopped after some batches. */
const stopped = Effect.gen(function* () {
  const { source, target } = yield* worlds
  yield* source.createTopic("orders", { partitions: 2 })
  for (const partition of [0, 1]) yield* source.produce("orders", partition, records(40))
  const backupId = yield* backUp
  return { source, target, backupId }
})

const stop = Effect.fnUntraced(function* (
  backupId: string,
  changes: Partial<RestoreRequest> = {},
  onRemoved: (removed: Removed) => void = () => {}
) {
  const { target } = yield* worlds
  yield* target.inject({ _tag: "Code", code: 29 }, { operation: "produce", after: 3 })
  yield* Effect.flip(inTime(restore(aRestore(backupId, changes), { onRemoved })))
})

const presence = Effect.gen(function* () {
  const [found] = yield* (yield* systems).sink.lookup(["orders"])
  return found?._tag
}).pipe(Effect.scoped)

/** A request of an attempt before, which is late; `foreign`: of somebody else. */
const late = (isForeign = false) =>
  Effect.gen(function* () {
    const { sink } = yield* systems
    const id = isForeign ? "another" : Attempt.nameOf(aRestore("x").owner)
    const producer = yield* sink.producer(id)
    const batch = sealed(someRecords(3, 0), { ...producer, baseSequence: 0 })
    const appended = yield* sink.append({ topic: "orders", partition: 1, batch })
    assert.strictEqual(appended._tag, "Appended")
  }).pipe(Effect.scoped)

describe("a topic that a restore made", () => {
  it.effect.each([
    ["the transactional id expired", (cluster: InMemoryCluster) => cluster.expireTransactionalIds],
    ["the permission on it was withdrawn and given again", () => Effect.void]
  ] as const)("is its own after attempts with other producer ids, since %s", ([, change]) =>
    Effect.gen(function* () {
      const { backupId, source, target } = yield* stopped
      yield* stop(backupId)
      yield* target.deny("WriteTransactionalId")
      yield* stop(backupId)
      yield* target.allow("WriteTransactionalId")
      yield* change(target)
      yield* late()
      // Written anew, since a late request has spoilt it.
      yield* target.inject({ _tag: "Code", code: 29 }, { operation: "produce", after: 3 })
      yield* Effect.flip(inTime(restore(aRestore(backupId))))
      yield* target.clearFaults
      yield* change(target)
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is deleted after a failure also when attempts with other producer ids have written to it", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* stopped
      yield* stop(backupId)
      yield* target.deny("WriteTransactionalId")
      yield* stop(backupId)
      yield* target.allow("WriteTransactionalId")
      yield* target.expireTransactionalIds
      const removed: Array<unknown> = []
      yield* stop(backupId, { deletesCreated: true }, (found) => removed.push(found))
      assert.deepStrictEqual(removed, [{ deleted: ["orders"], kept: [] }])
      assert.strictEqual(yield* presence, "Missing")
    }).pipe(Effect.provide(layer))
  )

  it.effect("is deleted and written anew when a late request of the restore itself has spoilt it", () =>
    Effect.gen(function* () {
      const { backupId, source, target } = yield* stopped
      yield* stop(backupId)
      yield* late()
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 2)
      const again = yield* inTime(restore(aRestore(backupId)))
      assert.isTrue(again.wasProven)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is deleted and written anew when it was restored from a segment that was damaged then", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      const { memory } = yield* Backup.world
      yield* source.createTopic("orders", { partitions: 2 })
      for (const partition of [0, 1]) yield* source.produce("orders", partition, records(40))
      const { facts } = yield* Backup.attempt(Backup.aRequest(slot, { settings: Backup.settingsOf("records", "none") }))
      const [key] = yield* keysOf(memory.store, facts.backupId)
      const flip = memory.tamper(key!, (bytes) => bytes.with(400, bytes[400]! ^ 1))
      yield* flip
      const error = yield* Effect.flip(inTime(restore(aRestore(facts.backupId))))
      assert.strictEqual(error.reason._tag, "SegmentDamaged")
      assert.isNotEmpty(yield* target.committed("orders", 0))
      const id = (yield* target.wire.metadata(["orders"])).topics[0]?.topicId
      yield* flip
      const messages: Array<unknown> = []
      const logger = Logger.make(({ message }) => void messages.push(message))
      yield* inTime(restore(aRestore(facts.backupId))).pipe(
        Effect.provide(Logger.layer([logger])),
        Effect.provideService(References.MinimumLogLevel, "Warn")
      )
      assert.notStrictEqual((yield* target.wire.metadata(["orders"])).topics[0]?.topicId, id)
      assert.match(String(messages.flat()[0]), /written anew: .* from a damaged segment/u)
      yield* assertSame(source, target, "orders", 2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("stays as it is when others have written to it", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* stopped
      yield* stop(backupId)
      yield* late(true)
      const error = yield* Effect.flip(inTime(restore(aRestore(backupId))))
      assert.include(error.message, "orders[1] offset")
      assert.isAtLeast((yield* target.committed("orders", 1)).length, 3)
    }).pipe(Effect.provide(layer))
  )

  it.effect("stays as it is when it was there before the restore", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* stopped
      const id = yield* target.createTopic("orders", { partitions: 2 })
      yield* stop(backupId)
      yield* late()
      const error = yield* Effect.flip(inTime(restore(aRestore(backupId))))
      assert.include(error.message, "orders[1] offset")
      const [found] = yield* (yield* systems).sink.lookup(["orders"])
      assert.strictEqual(found?._tag === "Found" ? found.topic.topicId : undefined, id)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("is deleted when the restore fails for good and is asked to, but no topic that was there before", () =>
    Effect.gen(function* () {
      const { backupId, source, target } = yield* stopped
      yield* stop(backupId)
      assert.strictEqual(yield* presence, "Found")
      const removed: Array<unknown> = []
      yield* stop(backupId, { deletesCreated: true }, (found) => removed.push(found))
      assert.deepStrictEqual(removed, [{ deleted: ["orders"], kept: [] }])
      assert.strictEqual(yield* presence, "Missing")
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 2)
      yield* target.createTopic("orders", { partitions: 2 })
      yield* stop(backupId, { deletesCreated: true })
      assert.strictEqual(yield* presence, "Found")
    }).pipe(Effect.provide(layer))
  )

  it.effect("is not mistaken for one that somebody makes under the name just before it is deleted", () =>
    Effect.gen(function* () {
      const { target } = yield* worlds
      const { sink } = yield* systems
      const retention = { "retention.ms": null, "retention.bytes": null }
      const topicId = yield* target.createTopic("orders")
      let theirs: string | undefined
      const raced: KafkaSinkShape = {
        ...sink,
        deleteTopics: (topics) =>
          Effect.gen(function* () {
            theirs = yield* target.createTopic("orders")
            return yield* sink.deleteTopics(topics)
          })
      }
      yield* MadeTopics.remove(raced, new Map([["orders", { plan: "plan", topicId, isMade: true, retention }]]))
      const [found] = yield* sink.lookup(["orders"])
      assert.isDefined(theirs)
      assert.strictEqual(found?._tag === "Found" ? found.topic.topicId : undefined, theirs)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("is not deleted when others have written to it, or when another attempt may succeed", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* stopped
      yield* stop(backupId)
      yield* target.inject({ _tag: "ConnectionLost" }, { operation: "produce", times: 100_000 })
      const request = aRestore(backupId, { deletesCreated: true })
      yield* Effect.flip(inTime(restore(request)))
      yield* target.clearFaults
      assert.strictEqual(yield* presence, "Found")
      yield* late(true)
      const removed: Array<unknown> = []
      yield* Effect.flip(inTime(restore(request, { onRemoved: (found) => removed.push(found) })))
      assert.deepStrictEqual(removed, [{ deleted: [], kept: ["orders"] }])
      assert.strictEqual(yield* presence, "Found")
    }).pipe(Effect.provide(layer))
  )

  it.effect(
    "is deleted after a failure without permission on the transactional id, unless others have written to it",
    () =>
      Effect.gen(function* () {
        const { backupId, target } = yield* stopped
        yield* target.deny("WriteTransactionalId")
        const removed: Array<unknown> = []
        const failing = stop(backupId, { deletesCreated: true }, (found) => removed.push(found))
        yield* failing
        assert.strictEqual(yield* presence, "Missing")
        yield* target.clearFaults
        yield* stop(backupId)
        yield* target.allow("WriteTransactionalId")
        yield* late(true)
        yield* target.deny("WriteTransactionalId")
        yield* target.clearFaults
        yield* failing
        assert.deepStrictEqual(removed, [
          { deleted: ["orders"], kept: [] },
          { deleted: [], kept: ["orders"] }
        ])
        assert.strictEqual(yield* presence, "Found")
      }).pipe(Effect.provide(layer))
  )

  it.effect("is deleted after a failure also when the first attempt died as soon as it was made", () =>
    Effect.gen(function* () {
      const { backupId } = yield* stopped
      const request = aRestore(backupId, { deletesCreated: true })
      const opened = yield* systems
      let isMade = false
      const dying: Restore.Systems = {
        ...opened,
        sink: {
          ...opened.sink,
          createTopics: (topics, given) =>
            Effect.tap(opened.sink.createTopics(topics, given), () =>
              Effect.sync(() => void (isMade ||= given?.validateOnly !== true))
            ),
          lookup: (names) => Effect.suspend(() => (isMade ? Effect.interrupt : opened.sink.lookup(names)))
        }
      }
      const prepared = yield* Restore.prepare(dying, request)
      yield* Effect.exit(inTime(Restore.run(dying, request, prepared, options)))
      assert.strictEqual(yield* presence, "Found")
      const removed: Array<unknown> = []
      yield* stop(backupId, { deletesCreated: true }, (found) => removed.push(found))
      assert.deepStrictEqual(removed, [{ deleted: ["orders"], kept: [] }])
      assert.strictEqual(yield* presence, "Missing")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
