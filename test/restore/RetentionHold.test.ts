import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as RestoreMemory from "../../src/restore/RestoreMemory.ts"
import * as RetentionHold from "../../src/restore/RetentionHold.ts"
import { aRestore, assertSame, backUp, inTime, layer, restore, systems, worlds } from "./world.ts"

const records = Array.from({ length: 20 }, (_, i) => ({ key: `k${i}`, value: `v${i}`, timestamp: 1_600_000_000_000 }))

/** A topic that keeps records for a week, and a backup of it. */
const scene = Effect.gen(function* () {
  const { source, target } = yield* worlds
  yield* source.createTopic("orders", { configs: { "retention.ms": "604800000", "retention.bytes": "1000000" } })
  yield* source.produce("orders", 0, records)
  return { source, target, backupId: yield* backUp }
})

const retention = Effect.gen(function* () {
  const { source } = yield* systems
  const configs = (yield* source.topicConfigs(["orders"])).get("orders")
  return [configs?.["retention.ms"], configs?.["retention.bytes"]]
}).pipe(Effect.scoped)

const end = Effect.fnUntraced(function* (backupId: string) {
  const { sink, source } = yield* systems
  return yield* RetentionHold.endNow(sink, source, aRestore(backupId).owner)
}, Effect.scoped)

const own = ["604800000", "1000000"]
const held = ["-1", "-1"]

describe("the retention hold of a restore", () => {
  it.effect("ends with the first repeat after its time, which neither compares nor writes records", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* scene
      const first = yield* inTime(restore(aRestore(backupId)))
      assert.strictEqual(first.hold._tag, "Held")
      assert.deepStrictEqual(yield* retention, held)
      const early = yield* inTime(restore(aRestore(backupId)))
      assert.deepStrictEqual(early.hold, first.hold)
      assert.isTrue(early.wasProven)
      // The topic lives on: records go, others come.
      yield* target.deleteRecordsBefore("orders", 0, 7)
      yield* target.produce("orders", 0, [{ key: "new", value: "new" }])
      yield* TestClock.adjust("24 hours")
      const { produceRequests } = yield* target.counters
      const late = yield* inTime(restore(aRestore(backupId)))
      assert.deepStrictEqual(late.hold, { _tag: "Final", ended: 1 })
      assert.deepStrictEqual(yield* retention, own)
      const again = yield* inTime(restore(aRestore(backupId)))
      assert.deepStrictEqual(again.hold, { _tag: "Final", ended: 0 })
      assert.strictEqual((yield* target.counters).produceRequests, produceRequests)
      assert.lengthOf(yield* target.committed("orders", 0), 14)
    }).pipe(Effect.provide(layer))
  )

  it.effect("of 0s is none: the topics have the retention of the backup at once", () =>
    Effect.gen(function* () {
      const { backupId, source, target } = yield* scene
      const request = aRestore(backupId, { retentionHold: 0 })
      assert.deepStrictEqual((yield* inTime(restore(request))).hold, { _tag: "Final", ended: 0 })
      yield* assertSame(source, target, "orders", 1)
      assert.deepStrictEqual(yield* retention, own)
      yield* target.deleteRecordsBefore("orders", 0, 20)
      assert.isTrue((yield* inTime(restore(request))).wasProven)
    }).pipe(Effect.provide(layer))
  )

  it.effect("ends at once when the resource is changed to 0s, without another attempt at the records", () =>
    Effect.gen(function* () {
      const { backupId } = yield* scene
      yield* inTime(restore(aRestore(backupId, { retentionHold: "forever" })))
      yield* TestClock.adjust("1000 days")
      const request = aRestore(backupId, { retentionHold: "forever" })
      assert.deepStrictEqual((yield* inTime(restore(request))).hold, { _tag: "Held", untilMillis: undefined })
      const changed = yield* inTime(restore(aRestore(backupId, { retentionHold: 0 })))
      assert.deepStrictEqual(changed.hold, { _tag: "Final", ended: 1 })
      assert.deepStrictEqual(yield* retention, own)
    }).pipe(Effect.provide(layer))
  )

  it.effect("ends by command, once, and leaves alone what somebody set meanwhile", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* scene
      yield* inTime(restore(aRestore(backupId)))
      yield* (yield* systems).sink.alterConfigs("orders", { "retention.bytes": "5" })
      assert.deepStrictEqual(yield* inTime(end(backupId)), { topics: ["orders"], earlier: [] })
      assert.deepStrictEqual(yield* retention, ["604800000", "5"])
      assert.deepStrictEqual(yield* inTime(end(backupId)), { topics: [], earlier: ["orders"] })
      yield* target.createTopic("orders", { configs: { "retention.ms": "-1" } })
      assert.deepStrictEqual(yield* inTime(end(backupId)), { topics: [], earlier: [] })
      assert.deepStrictEqual(yield* retention, ["-1", undefined])
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("ends with the retention that the resource asks for by then, by a repeat and by command", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* scene
      const asking = (millis: string, owner = aRestore(backupId).owner) =>
        aRestore(backupId, {
          owner,
          topicMapping: new Map([["orders", owner.name]]),
          configs: { fromBackup: true, overrides: new Map([["*", { "retention.ms": millis }]]) }
        })
      const retentionOf = (topic: string) =>
        Effect.flatMap(systems, ({ source }) => source.topicConfigs([topic])).pipe(
          Effect.map((configs) => configs.get(topic)?.["retention.ms"]),
          Effect.scoped
        )
      // The first attempt stops before its proof.
      yield* target.inject({ _tag: "Code", code: 29 }, { operation: "produce" })
      yield* Effect.flip(inTime(restore(asking("1"))))
      yield* inTime(restore(asking("2")))
      yield* inTime(restore(asking("3")))
      yield* inTime(end(backupId))
      assert.strictEqual(yield* retentionOf("back"), "3")
      // It has ended: a repeat changes nothing any more.
      yield* inTime(restore(asking("4")))
      assert.strictEqual(yield* retentionOf("back"), "3")

      const later = { name: "later" }
      yield* inTime(restore(asking("1", later)))
      yield* TestClock.adjust("25 hours")
      yield* inTime(restore(asking("5", later)))
      assert.strictEqual(yield* retentionOf("later"), "5")
    }).pipe(Effect.provide(layer))
  )

  it.effect("ends without permission to read configurations", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* scene
      yield* inTime(restore(aRestore(backupId)))
      yield* target.deny("DescribeConfigs")
      yield* target.deny("DescribeConfigs", "orders")
      assert.deepStrictEqual(yield* inTime(end(backupId)), { topics: ["orders"], earlier: [] })
      yield* target.allow("DescribeConfigs")
      yield* target.allow("DescribeConfigs", "orders")
      assert.deepStrictEqual(yield* retention, own)
    }).pipe(Effect.provide(layer))
  )

  it.effect("cannot end before the restore is complete", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* scene
      const unknown = yield* Effect.flip(inTime(end(backupId)))
      assert.include(unknown.message, "does not know a restore back")
      yield* target.inject({ _tag: "Code", code: 29 }, { operation: "produce" })
      yield* Effect.flip(inTime(restore(aRestore(backupId))))
      const incomplete = yield* Effect.flip(inTime(end(backupId)))
      assert.include(incomplete.message, "is not complete: orders")
      assert.deepStrictEqual(yield* retention, held)
    }).pipe(Effect.provide(layer))
  )

  it.effect("of the newest complete restore of a name ends, whatever another manifest left behind", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      for (const name of ["a", "b", "c"]) {
        yield* source.createTopic(name)
        yield* source.produce(name, 0, records)
      }
      const backupId = yield* backUp
      const of = (...topics: ReadonlyArray<string>) => aRestore(backupId, { topics, retentionHold: "forever" })
      yield* inTime(restore(of("c")))
      yield* target.inject({ _tag: "Code", code: 29 }, { operation: "produce", topic: "b" })
      yield* target.inject({ _tag: "Code", code: 29 }, { operation: "produce", topic: "a" })
      yield* Effect.flip(inTime(restore(of("a", "b"))))
      yield* inTime(restore(of("a")))
      assert.deepStrictEqual(yield* inTime(end(backupId)), { topics: ["a"], earlier: [] })
      assert.deepStrictEqual(yield* inTime(end(backupId)), { topics: [], earlier: ["a"] })
      const configs = yield* (yield* systems).source.topicConfigs(["a", "c"])
      assert.deepStrictEqual(
        ["a", "c"].map((name) => configs.get(name)?.["retention.ms"]),
        [undefined, "-1"]
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("follows the proof, whatever ends the attempt between the two", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* scene
      yield* target.inject({ _tag: "Code", code: 29 }, { operation: "configs" })
      const request = aRestore(backupId, { retentionHold: 0 })
      yield* Effect.flip(inTime(restore(request)))
      yield* target.deleteRecordsBefore("orders", 0, 20)
      assert.isTrue((yield* inTime(restore(request))).wasProven)
      assert.deepStrictEqual(yield* retention, own)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is left to a person where the restore may not remember", () =>
    Effect.gen(function* () {
      const { backupId, target } = yield* scene
      yield* target.deny("ReadGroup", "kafka-backup-restore-restore-1")
      const restored = yield* inTime(restore(aRestore(backupId)))
      assert.isFalse(restored.isRemembered)
      assert.strictEqual(restored.hold._tag, "Held")
    }).pipe(Effect.provide(layer))
  )

  it.effect("does not cover a topic that was made anew: that one is restored again", () =>
    Effect.gen(function* () {
      const { backupId, source, target } = yield* scene
      yield* inTime(restore(aRestore(backupId)))
      yield* target.deleteTopic("orders")
      const again = yield* inTime(restore(aRestore(backupId)))
      assert.isFalse(again.wasProven)
      yield* assertSame(source, target, "orders", 1)
      yield* target.createTopic("orders")
      yield* target.produce("orders", 0, records)
      const refused = yield* Effect.flip(inTime(restore(aRestore(backupId))))
      assert.include(refused.message, "orders holds records already")
    }).pipe(Effect.provide(layer))
  )
})

describe("a topic that is deleted after the restore was complete", () => {
  /** Two restored topics, of which one is gone. */
  const gone = Effect.gen(function* () {
    const { source, target } = yield* worlds
    for (const name of ["a", "b"]) {
      yield* source.createTopic(name, { configs: { "retention.ms": "604800000" } })
      yield* source.produce(name, 0, records)
    }
    yield* source.commitGroupOffsets(
      "billing",
      ["a", "b"].map((topic) => ({ topic, partition: 0, offset: 4 }))
    )
    const request = aRestore(yield* backUp)
    yield* inTime(restore(request))
    yield* target.deleteTopic("b")
    return { target, request }
  })
  const said = "these topics were deleted after this restore was complete, and are not restored again: b"

  it.effect("is not restored anew by a repeat, which ends the hold of the others and says so", () =>
    Effect.gen(function* () {
      const { request, target } = yield* gone
      yield* TestClock.adjust("24 hours")
      const late = yield* inTime(restore(request))
      assert.isTrue(late.wasProven)
      assert.deepStrictEqual(late.hold, { _tag: "Final", ended: 1 })
      assert.include(late.plan.notes.join("\n"), said)
      assert.deepStrictEqual(
        (yield* target.wire.metadata("all")).topics.map(({ name }) => name),
        ["a"]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("is left alone if somebody has made another one, also with createTopics: false and new groups", () =>
    Effect.gen(function* () {
      const { request, target } = yield* gone
      yield* target.createTopic("b", { partitions: 2 })
      yield* target.produce("b", 1, records)
      const groups = { strategy: { _tag: "Exact" as const }, groups: ["billing"] }
      const late = yield* inTime(restore({ ...request, createTopics: false, groups }))
      assert.include(late.plan.notes.join("\n"), said)
      assert.deepStrictEqual(late.offsetReset?.groupsReset, [
        { group: "billing", offsets: [{ topic: "a", partition: 0, offset: 4 }] }
      ])
      assert.lengthOf(yield* target.committed("b", 1), records.length)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is restored by a restore of another name", () =>
    Effect.gen(function* () {
      const { request, target } = yield* gone
      yield* inTime(restore({ ...request, topics: ["b"], owner: { name: "another" } }))
      assert.lengthOf(yield* target.committed("b", 0), records.length)
    }).pipe(Effect.provide(layer))
  )
})

describe("what a restore remembers", () => {
  it.effect("is nothing where the group holds other texts", () =>
    Effect.gen(function* () {
      const { target } = yield* worlds
      yield* target.createTopic("orders")
      const groupId = "kafka-backup-restore-restore-1"
      const text = { topic: "orders", partition: 0, offset: 0, metadata: "not ours" }
      yield* target.commitGroupOffsets(groupId, [text])
      const known = yield* RestoreMemory.load((yield* systems).sink, aRestore("x").owner)
      assert.strictEqual(known?.size, 0)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
