import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { CommittedOffset } from "../../src/kafka/KafkaSource.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as Restore from "../../src/restore/Restore.ts"
import * as RestoreNotes from "../../src/restore/RestoreNotes.ts"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import type { GroupsRequest, Strategy } from "../../src/restore/groups/GroupsRequest.ts"
import * as SetOffsets from "../../src/restore/groups/SetOffsets.ts"
import * as Backup from "../backup/world.ts"
import { aRestore, backUp, inTime, layer, restore, slot, systems, worlds } from "./world.ts"

const records = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({
    key: `key ${from + i}`,
    value: `value ${from + i} ${"x".repeat(200)}`,
    timestamp: 1_600_000_000_000 + (from + i) * 1000
  }))

/** A log that begins at 20 and has holes, in several segments. */
const fill = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  yield* cluster.createTopic("orders", { partitions: 2 })
  yield* cluster.createTopic("other")
  for (let at = 0; at < 100; at += 10) {
    yield* cluster.produce("orders", 0, records(10, at))
    const transaction = yield* cluster.beginTransaction()
    yield* transaction.produce("orders", 0, records(3, 1000 + at))
    yield* transaction[at % 20 === 0 ? "abort" : "commit"]
  }
  yield* cluster.produce("orders", 1, records(5))
  yield* cluster.produce("other", 0, records(5))
  yield* cluster.deleteRecordsBefore("orders", 0, 20)
})

const exactly = (...groups: ReadonlyArray<string>): GroupsRequest => ({ strategy: { _tag: "Exact" }, groups })
const at = (partition: number, offset: number, topic = "orders") => ({ topic, partition, offset })
const byPlace = (a: CommittedOffset, b: CommittedOffset) =>
  a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1

/** What the group has in the target. */
const committed = (groupId: string) =>
  Effect.scoped(
    Effect.flatMap(systems, ({ sink }) => sink.committedOffsets(groupId)).pipe(
      Effect.map((found) => found.toSorted(byPlace))
    )
  )

const messageOf = (request: RestoreRequest) =>
  Effect.map(Effect.flip(inTime(restore(request))), (error) => `${error.message}\n${error.advice}`)

describe("a restore without offsetReset", () => {
  it.effect("says beforehand and in the end which groups of the backup it does not set", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* fill(source)
      for (const group of ["mailer", "billing"]) yield* source.commitGroupOffsets(group, [at(0, 57)])
      yield* source.commitGroupOffsets("elsewhere", [at(0, 1, "other")])
      yield* source.commitGroupOffsets("kafka-backup-restore-0123", [at(0, 57)])
      const request = { ...aRestore(yield* backUp), topics: ["orders"] }
      const prepared = yield* Effect.scoped(Effect.flatMap(systems, (opened) => Restore.prepare(opened, request)))
      const note =
        "the backup holds offsets of consumer groups in these topics: billing, mailer. Without offsetReset the restore does not set them"
      assert.include(RestoreNotes.plannedNotes(prepared, { retentionHold: "24h" }, 0), note)
      assert.include(RestoreNotes.notes(yield* inTime(restore(request))), note)
      assert.deepStrictEqual(yield* committed("billing"), [])
      const asked = { ...request, groups: exactly("billing") }
      const { groupNotes } = yield* Effect.scoped(Effect.flatMap(systems, (opened) => Restore.prepare(opened, asked)))
      assert.deepStrictEqual(groupNotes, [])
    }).pipe(Effect.provide(layer))
  )
})

describe("a restore of consumer groups", () => {
  it.effect("gives each group the offsets of the backup with their metadata, in the topics that were restored", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const offsets = [{ ...at(0, 57), metadata: "checkpoint 9", leaderEpoch: 5 }, at(1, 2), at(0, 1, "other")]
      yield* source.commitGroupOffsets("billing", offsets)
      yield* source.commitGroupOffsets("mailer", [at(1, 5)])
      const backupId = yield* backUp
      const topicMapping = new Map([["orders", "restored"]])
      const request = aRestore(backupId, { topics: ["orders"], topicMapping, groups: exactly("b*") })
      const restored = yield* inTime(restore(request))
      const expected = [at(0, 57, "restored"), at(1, 2, "restored")]
      assert.deepStrictEqual(restored.offsetReset, {
        groupsReset: [{ group: "billing", offsets: expected }],
        groupsSkipped: []
      })
      assert.deepStrictEqual(yield* committed("billing"), [
        { ...expected[0]!, metadata: "checkpoint 9" },
        { ...expected[1]!, metadata: "" }
      ])
      assert.deepStrictEqual(yield* committed("mailer"), [])
      // A leader epoch of another cluster would make consumers wait for it in vain.
      const there = yield* target.wire.groupOffsets(["restored"])
      assert.isTrue(there.every((group) => group.offsets.every((each) => each.leaderEpoch === undefined)))
    }).pipe(Effect.provide(layer))
  )

  it.effect("changes no group unless it is asked to", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* fill(source)
      yield* source.commitGroupOffsets("billing", [at(0, 57)])
      const restored = yield* inTime(restore(aRestore(yield* backUp)))
      assert.isUndefined(restored.offsetReset)
      assert.deepStrictEqual(yield* committed("billing"), [])
    }).pipe(Effect.provide(layer))
  )

  const cuts: ReadonlyArray<RestoreRequest["cut"]> = [undefined, { last: 1_600_000_045_000 }]
  it.effect.each(cuts)("continues a group at the first record that it had not read, with new offsets: %j", (cut) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const { source } = yield* worlds
      yield* fill(source)
      const everything = yield* source.committed("orders", 0)
      const ends = everything.at(-1)!.offset + 2
      const all = everything
        .filter(({ timestamp }) => cut === undefined || timestamp <= cut.last)
        .map(({ offset }) => offset)
      const wanted = Array.from({ length: ends + 1 }, (_, offset) => offset)
      for (const offset of wanted) yield* source.commitGroupOffsets(`g${offset}`, [at(0, offset)])
      const { facts } = yield* Backup.attempt(Backup.aRequest(slot), { segmentBytes: 2000 })
      const restored = yield* inTime(
        restore(aRestore(facts.backupId, { offsets: "new", groups: exactly("*"), ...(cut && { cut }) }))
      )
      assert.isAbove(restored.plan.topics.find(({ target }) => target === "orders")!.partitions[0]!.segments.length, 2)
      for (const offset of wanted) {
        const [found] = yield* committed(`g${offset}`)
        const next = all.findIndex((each) => each >= offset)
        assert.strictEqual(found?.offset, next < 0 ? all.length : next, `offset ${offset}`)
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("gives no offset in a partition that is not restored", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* fill(source)
      yield* source.commitGroupOffsets("billing", [at(0, 57), at(1, 2)])
      const sourcePartitions = new Map([["orders", new Set([1])]])
      yield* inTime(restore(aRestore(yield* backUp, { sourcePartitions, groups: exactly("billing") })))
      assert.deepStrictEqual(yield* committed("billing"), [{ ...at(1, 2), metadata: "" }])
    }).pipe(Effect.provide(layer))
  )

  it.effect("keeps offsets within the log of the target", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* fill(source)
      yield* source.commitGroupOffsets("early", [at(0, 3)])
      yield* source.commitGroupOffsets("late", [at(1, 99)])
      yield* inTime(restore(aRestore(yield* backUp, { groups: exactly("early", "late") })))
      assert.deepStrictEqual(yield* committed("early"), [{ ...at(0, 20), metadata: "" }])
      assert.deepStrictEqual(yield* committed("late"), [{ ...at(1, 5), metadata: "" }])
    }).pipe(Effect.provide(layer))
  )

  const strategies: ReadonlyArray<readonly [Strategy, number]> = [
    [{ _tag: "Earliest" }, 20],
    [{ _tag: "Latest" }, 140],
    [{ _tag: "Time", timestampMillis: 1_600_000_000_000 + 50_500 }, 24],
    [{ _tag: "Time", timestampMillis: 1_600_000_000_000 + 1_040_500 }, 80],
    [{ _tag: "Time", timestampMillis: 1_600_000_000_000 + 1_092_001 }, 140],
    [{ _tag: "Time", timestampMillis: 1_900_000_000_000 }, 140],
    [{ _tag: "Offset", offset: 44 }, 44],
    [{ _tag: "Offset", offset: 4_000_000 }, 140]
  ]
  it.effect.each(strategies)("sets offsets by strategy: %j", ([strategy, expected]) =>
    Effect.gen(function* () {
      // The time of the markers that stand for holes in the target.
      yield* TestClock.setTime(1_700_000_000_000)
      const { source } = yield* worlds
      yield* fill(source)
      yield* source.commitGroupOffsets("billing", [at(0, 57)])
      const groups = { strategy, groups: ["billing", "new"] }
      const { facts } = yield* Backup.attempt(Backup.aRequest(slot), { segmentBytes: 2000 })
      const restored = yield* inTime(restore(aRestore(facts.backupId, { groups })))
      assert.deepStrictEqual(restored.offsetReset?.groupsSkipped, [])
      const found = yield* committed("billing")
      // A group of the backup gets offsets in its own topics, another one in all.
      assert.strictEqual(found[0]?.offset, expected)
      assert.deepStrictEqual([...new Set(found.map(({ topic }) => topic))], ["orders"])
      const places = (yield* committed("new")).map(({ partition, topic }) => `${topic}/${partition}`)
      assert.deepStrictEqual(places, ["orders/0", "orders/1", "other/0"])
    }).pipe(Effect.provide(layer))
  )

  const times: ReadonlyArray<readonly [millis: number, expected: number]> = [
    [45_500, 62],
    [60_001, 75],
    [1_000_000, 75]
  ]
  it.effect.each(times)(
    "finds the first record of a time among those of the point in time, not a marker: %j",
    ([millis, expected]) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_700_000_000_000)
        const { source } = yield* worlds
        yield* fill(source)
        const strategy = { _tag: "Time" as const, timestampMillis: 1_600_000_000_000 + millis }
        const request = { cut: { last: 1_600_000_054_000 }, groups: { strategy, groups: ["new"] } }
        const { facts } = yield* Backup.attempt(Backup.aRequest(slot), { segmentBytes: 2000 })
        yield* inTime(restore(aRestore(facts.backupId, request)))
        assert.strictEqual((yield* committed("new"))[0]?.offset, expected)
      }).pipe(Effect.provide(layer))
  )

  it.effect("goes on with what others wrote behind the restored records", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const { source, target } = yield* worlds
      yield* fill(source)
      const backupId = yield* backUp
      yield* inTime(restore(aRestore(backupId)))
      yield* target.produce("orders", 0, [
        { value: "old", timestamp: 1 },
        { value: "new", timestamp: 1_800_000_000_000 }
      ])
      const strategy = { _tag: "Time" as const, timestampMillis: 1_800_000_000_000 }
      yield* inTime(restore(aRestore(backupId, { groups: { strategy, groups: ["new"] } })))
      assert.strictEqual((yield* committed("new"))[0]?.offset, 141)
    }).pipe(Effect.provide(layer))
  )

  it.effect("leaves groups with members and share groups as they are, and says so", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      for (const group of ["active", "shared", "still"]) yield* source.commitGroupOffsets(group, [at(0, 57)])
      yield* source.commitGroupOffsets("elsewhere", [at(0, 1, "other")])
      const backupId = yield* backUp
      yield* target.setGroupActive("active", true)
      yield* target.setGroupType("shared", "share")
      const request = aRestore(backupId, { topics: ["orders"], groups: exactly("*", "elsewhere") })
      const { groupNotes } = yield* Effect.scoped(Effect.flatMap(systems, (opened) => Restore.prepare(opened, request)))
      assert.deepStrictEqual(groupNotes, [
        "consumer group active would be left as it is now: it has active members (state Stable)",
        "consumer group shared would be left as it is now: it is a share group, which has no committed offsets"
      ])
      const restored = yield* inTime(restore(request))
      assert.deepStrictEqual(restored.groupNotes, [])
      assert.deepStrictEqual(restored.offsetReset, {
        groupsReset: [{ group: "still", offsets: [at(0, 57)] }],
        groupsSkipped: [
          { group: "active", reason: "it has active members (state Stable)", active: true },
          { group: "elsewhere", reason: "the backup has no offsets of it in the topics that were restored" },
          { group: "shared", reason: "it is a share group, which has no committed offsets" }
        ]
      })
    }).pipe(Effect.provide(layer))
  )

  it.effect.each<Strategy>([{ _tag: "Exact" }, { _tag: "Latest" }])(
    "leaves out groups that only a pattern names and that have nothing in the restored topics: %j",
    (strategy) =>
      Effect.gen(function* () {
        const { source, target } = yield* worlds
        yield* fill(source)
        yield* source.commitGroupOffsets("billing", [at(0, 57)])
        yield* source.commitGroupOffsets("elsewhere", [at(0, 1, "other")])
        const backupId = yield* backUp
        yield* target.setGroupActive("elsewhere", true)
        yield* target.deny("ReadGroup", "elsewhere")
        const request = aRestore(backupId, { topics: ["orders"], groups: { strategy, groups: ["*"] }, rollback: {} })
        const restored = yield* inTime(restore(request))
        assert.deepStrictEqual(
          restored.offsetReset?.groupsReset.map(({ group }) => group),
          ["billing"]
        )
        assert.deepStrictEqual(restored.offsetReset?.groupsSkipped, [])
      }).pipe(Effect.provide(layer))
  )

  it.effect("skips a group that gets members or another commit after it was listed", () =>
    Effect.gen(function* () {
      const { target } = yield* worlds
      yield* target.createTopic("orders", { partitions: 2 })
      yield* target.produce("orders", 0, records(50))
      const { sink } = yield* systems
      const wanted = ["joined", "raced"].map((groupId) => ({ groupId, offsets: [at(0, 30)] }))
      yield* target.setGroupActive("joined", true)
      const late = {
        ...sink,
        groups: Effect.succeed([{ groupId: "joined", state: "Empty" }]),
        committedOffsets: (groupId: string) =>
          Effect.andThen(target.commitGroupOffsets(groupId, [at(0, 31)]), sink.committedOffsets(groupId))
      }
      assert.deepStrictEqual(yield* SetOffsets.setOffsets(late, wanted, "nothing"), {
        groupsReset: [],
        groupsSkipped: [
          { group: "joined", reason: "it has active members", active: true },
          {
            group: "raced",
            reason: "its offset of orders[0] is 31 instead of 30: another client commits for it"
          }
        ]
      })
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("commits for brokers that report neither type nor state, and in batches that a broker takes", () =>
    Effect.gen(function* () {
      const { target } = yield* worlds
      yield* target.createTopic("orders", { partitions: 400 })
      const { sink } = yield* systems
      const metadata = "m".repeat(4000)
      const offsets = Array.from({ length: 400 }, (_, partition) => ({ ...at(partition, 0), metadata }))
      const sizes: Array<number> = []
      const older = {
        ...sink,
        groups: Effect.succeed([{ groupId: "g" }]),
        commitOffsets: (groupId: string, some: ReadonlyArray<CommittedOffset>) => {
          sizes.push(some.reduce((sum, each) => sum + (each.metadata ?? "").length, 0))
          return sink.commitOffsets(groupId, some)
        }
      }
      const found = yield* SetOffsets.setOffsets(older, [{ groupId: "g", offsets }], "nothing")
      assert.lengthOf(found.groupsReset[0]!.offsets, 400)
      assert.isAbove(sizes.length, 1)
      assert.isBelow(Math.max(...sizes), 1024 * 1024)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("never touches the groups of restores, which the backup may have too", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* fill(source)
      yield* source.commitGroupOffsets("kafka-backup-restore-earlier", [at(0, 0)])
      const restored = yield* inTime(restore(aRestore(yield* backUp, { groups: exactly("*") })))
      assert.deepStrictEqual(restored.offsetReset, { groupsReset: [], groupsSkipped: [] })
    }).pipe(Effect.provide(layer))
  )

  it.effect("refuses groups that the backup does not have, and a backup of another cluster, before it writes", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      yield* source.commitGroupOffsets("billing", [at(0, 57)])
      const settings = { ...Backup.aRequest(slot).settings, sourceClusterId: "shop-eu" }
      const { facts } = yield* Backup.attempt(Backup.aRequest(slot, { settings }))
      const groups = { ...exactly("biling", "billing"), sourceCluster: "shop-us" }
      const refused = yield* messageOf(aRestore(facts.backupId, { groups }))
      assert.include(refused, "has no offsets of consumer group biling")
      assert.include(refused, "did you mean billing?")
      assert.include(refused, "is of cluster shop-eu, and offsetReset.sourceCluster is shop-us")
      assert.deepStrictEqual((yield* target.wire.metadata("all")).topics, [])
      for (const sourceCluster of ["shop-eu", "in-memory"]) {
        yield* inTime(restore(aRestore(facts.backupId, { groups: { ...exactly("billing"), sourceCluster } })))
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("refuses a backup without groups only where it needs them", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* fill(source)
      yield* source.deny("DescribeGroups")
      const backupId = yield* backUp
      for (const groups of [exactly("billing"), { strategy: { _tag: "Latest" as const }, groups: ["b*"] }]) {
        const refused = yield* messageOf(aRestore(backupId, { groups }))
        assert.include(refused, "has no offsets of consumer groups: its run was not allowed to read them")
      }
      const groups = { strategy: { _tag: "Latest" as const }, groups: ["billing"] }
      yield* inTime(restore(aRestore(backupId, { groups })))
      assert.lengthOf(yield* committed("billing"), 3)
    }).pipe(Effect.provide(layer))
  )

  it.effect("does not set groups again when it is repeated, and says so", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      yield* source.commitGroupOffsets("billing", [at(0, 57)])
      const request = aRestore(yield* backUp, { groups: exactly("billing") })
      yield* inTime(restore(request))
      // The consumers run: they have read on.
      yield* target.commitGroupOffsets("billing", [at(0, 99)])
      const again = yield* inTime(restore(request))
      assert.deepStrictEqual(yield* committed("billing"), [{ ...at(0, 99), metadata: "" }])
      assert.isUndefined(again.offsetReset)
      assert.include(
        RestoreNotes.notes(again).join("\n"),
        "an earlier attempt has set the offsets of consumer groups, and they were left as they are"
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("sets groups when it was complete without offsetReset and is repeated with it", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* fill(source)
      yield* source.commitGroupOffsets("billing", [at(0, 57)])
      const backupId = yield* backUp
      yield* inTime(restore(aRestore(backupId)))
      const request = aRestore(backupId, { groups: exactly("billing") })
      const again = yield* inTime(restore(request))
      assert.lengthOf(again.offsetReset?.groupsReset ?? [], 1)
      assert.deepStrictEqual(yield* committed("billing"), [{ ...at(0, 57), metadata: "" }])
    }).pipe(Effect.provide(layer))
  )

  it.effect("names the permission that a group lacks, before it writes", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      yield* source.commitGroupOffsets("billing", [at(0, 57)])
      const backupId = yield* backUp
      yield* target.deny("ReadGroup", "billing")
      const refused = yield* messageOf(aRestore(backupId, { groups: exactly("billing") }))
      assert.include(refused, "offsets of consumer group billing cannot be set: permission denied")
      assert.include(refused, "grant the principal Read on group billing")
      assert.deepStrictEqual((yield* target.wire.metadata("all")).topics, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("changes no group in a dry run, whatever it asks beforehand", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      yield* source.commitGroupOffsets("billing", [at(0, 57)])
      const backupId = yield* backUp
      yield* target.createTopic("orders", { partitions: 2 })
      const opened = yield* systems
      const prepared = yield* Restore.prepare(opened, aRestore(backupId, { groups: exactly("billing") }))
      assert.deepStrictEqual(
        prepared.groups?.groups.map(({ groupId }) => groupId),
        ["billing"]
      )
      assert.deepStrictEqual(yield* committed("billing"), [])
      assert.notInclude(
        (yield* opened.sink.groups).map(({ groupId }) => groupId),
        "billing"
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
