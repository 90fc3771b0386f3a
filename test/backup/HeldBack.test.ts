import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as HeldBack from "../../src/backup/HeldBack.ts"
import { slotText } from "../../src/identity/RunIdentity.ts"
import { aRequest, attempt, layer, storedRecords, world } from "./world.ts"

const start = Date.parse("2026-11-23T00:00:00Z")
const hour = 3_600_000

/** Makes a backup at this hour, and gives what it says of the one partition. */
const backupAt = Effect.fnUntraced(function* (hours: number) {
  yield* TestClock.setTime(start + hours * hour)
  const { facts } = yield* attempt(aRequest(slotText(start + hours * hour), { incremental: {} }))
  const found = facts.topics.find(({ name }) => name === "state")!.partitions[0]!
  const since = HeldBack.lackingSince(found, facts.startedMillis)
  const sinceHours = since === undefined ? "unknown" : (since - start) / hour
  return { backupId: facts.backupId, says: [found.full ?? facts.full ?? "built", sinceHours] }
})

const topic = Effect.gen(function* () {
  const { cluster } = yield* world
  yield* cluster.createTopic("state", {
    configs: { "cleanup.policy": "compact", "delete.retention.ms": `${12 * hour}` }
  })
  yield* cluster.produce("state", 0, [{ key: "deleted", value: "old" }])
  return cluster
})

describe("a compacted partition whose end an open transaction holds back", () => {
  it.effect("is read in full once deletions may be gone that the transaction kept from the earlier backup", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      const cluster = yield* topic
      yield* backupAt(0)
      yield* TestClock.setTime(start + hour)
      const transaction = yield* cluster.beginTransaction()
      yield* transaction.produce("state", 0, [{ key: "hung", value: "1" }])
      yield* cluster.produce("state", 0, [{ key: "deleted", value: null }])
      assert.deepStrictEqual((yield* backupAt(2)).says, ["built", 0], "younger than the first backup")
      assert.deepStrictEqual((yield* backupAt(10)).says, ["built", 0], "the same transaction")
      yield* transaction.commit
      yield* cluster.produce("state", 0, [{ key: "end", value: "1" }])
      // Brokers before 3.1 count from when a record was written: nobody has read this deletion.
      yield* cluster.compact("state", 0, { tombstones: "drop" })
      const last = yield* backupAt(13.5)
      assert.deepStrictEqual(last.says, ["DeletionsMayBeGone", 13.5])
      const keys = (yield* storedRecords(store, last.backupId, "state", 0)).map(({ key }) =>
        Buffer.from(key!).toString()
      )
      assert.deepStrictEqual(keys, ["hung", "end"])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is read in full where no earlier backup says how old the transaction was, and then no more", () =>
    Effect.gen(function* () {
      const cluster = yield* topic
      const open = Effect.gen(function* () {
        const transaction = yield* cluster.beginTransaction()
        yield* transaction.produce("state", 0, [{ key: "k", value: "1" }])
        return transaction
      })
      const first = yield* open
      assert.deepStrictEqual((yield* backupAt(1)).says, ["NoEarlierBackup", "unknown"])
      yield* first.commit
      const second = yield* open
      assert.deepStrictEqual((yield* backupAt(2)).says, ["TransactionWasOpen", 1])
      yield* second.commit
      const third = yield* open
      assert.deepStrictEqual((yield* backupAt(3)).says, ["built", 2])
      yield* third.abort
      assert.deepStrictEqual((yield* backupAt(4)).says, ["built", 4])
    }).pipe(Effect.provide(layer))
  )
})

describe("HeldBack.dated", () => {
  const planned = (until: number, topicId = "id") => [
    { name: "state", topicId, replicationFactor: 1, partitions: [{ partition: 0, from: 0, until, highWatermark: 90 }] }
  ]
  const facts = (range: { until: number; highWatermark?: number; lackingSinceMillis?: number }) => ({
    startedMillis: 500,
    topics: [{ name: "state", topicId: "id", partitions: [{ partition: 0, from: 0, records: 1, ...range }] }]
  })
  const held = { until: 20, highWatermark: 40, lackingSinceMillis: 100 }
  const table = [
    ["the end of the earlier backup", facts({ until: 20 }), planned(20), 500],
    ["an offset below the end of the earlier backup", facts({ until: 20 }), planned(19), undefined],
    ["what was open then, too", facts(held), planned(20), 100],
    ["the last record that was open then", facts(held), planned(39), 100],
    ["the first record after those that were open then", facts(held), planned(40), 500],
    ["what was open then, nobody knows since when", facts({ until: 20, highWatermark: 40 }), planned(39), undefined],
    ["the end of another topic of the same name", facts({ until: 20 }), planned(20, "other"), undefined]
  ] as const
  for (const [name, before, now, expected] of table) {
    it(`${expected === undefined ? "does not date" : "dates"} an end at ${name}`, () => {
      const [found] = HeldBack.dated(now, before, false)
      assert.strictEqual(found!.partitions[0]!.lackingSinceMillis, expected)
      assert.isUndefined(HeldBack.dated(now, before, true)[0]!.partitions[0]!.lackingSinceMillis, "by a clock behind")
    })
  }

  it("leaves an end alone that no transaction holds back", () => {
    const topics = planned(20).map((one) => ({ ...one, partitions: [{ partition: 0, from: 0, until: 20 }] }))
    assert.deepStrictEqual(HeldBack.dated(topics, facts({ until: 20 }), false), topics)
  })
})
