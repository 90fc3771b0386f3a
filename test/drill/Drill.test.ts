import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as DrillReporting from "../../src/drill/DrillReporting.ts"
import * as DrillRequest from "../../src/drill/DrillRequest.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as DamageMarking from "../../src/manifest/DamageMarking.ts"
import type { ManifestPartition } from "../../src/manifest/Manifest.ts"
import * as Holes from "../../src/restore/Holes.ts"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
import { world } from "../backup/world.ts"
import { inTime } from "../restore/world.ts"
import { aDrill, backUp, collected, drill, layer, names } from "./world.ts"

const records = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({
    key: `key ${(from + i) % 7}`,
    value: (from + i) % 11 === 0 ? null : `value ${from + i} ${"x".repeat((from + i) % 50)}`,
    headers: (from + i) % 3 === 0 ? [["trace", `t${i}`] as const] : [],
    timestamp: 1_600_000_000_000 + (from + i) * 1000
  }))

/** Transactions of every fate, a log that does not begin at 0, a compacted topic, an empty one. */
const fill = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  yield* cluster.createTopic("orders", { partitions: 3, configs: { "retention.ms": "604800000" } })
  yield* cluster.createTopic("payments", { configs: { "cleanup.policy": "compact" } })
  yield* cluster.createTopic("empty", { partitions: 2 })
  for (const partition of [0, 1]) {
    for (let at = 0; at < 240; at += 10) yield* cluster.produce("orders", partition, records(10, at))
  }
  yield* cluster.deleteRecordsBefore("orders", 1, 37)
  for (const end of ["commit", "abort", "commit", "abort"] as const) {
    const transaction = yield* cluster.beginTransaction()
    yield* transaction.produce("orders", 0, records(5, 500))
    yield* transaction.produce("payments", 0, records(3, 600))
    yield* transaction[end]
  }
  for (let at = 0; at < 60; at += 10) yield* cluster.produce("payments", 0, records(10, at))
})

const filled = Effect.gen(function* () {
  const { cluster, memory, store } = yield* world
  yield* fill(cluster)
  const backupId = yield* backUp()
  return { cluster, memory, store, backupId }
})

const own = ["empty", "orders", "payments"]

describe("a drill", () => {
  it.effect("restores the newest backup, compares it with backup and live topics, and leaves nothing", () =>
    Effect.gen(function* () {
      const { backupId, cluster } = yield* filled
      yield* cluster.produce("orders", 0, records(50, 700))
      const facts = yield* inTime(drill(aDrill()))
      assert.strictEqual(facts.set.backupId, backupId)
      assert.deepStrictEqual(
        facts.plan.restore.topics.map(({ renumbered, source }) => [source, renumbered]),
        [
          ["orders", undefined],
          ["payments", undefined]
        ]
      )
      const all = facts.set.manifest.topics.flatMap(({ partitions }) => partitions.flatMap(({ segments }) => segments))
      assert.strictEqual(
        facts.plan.records,
        all.reduce((sum, { record_count }) => sum + record_count, 0)
      )
      assert.strictEqual(facts.live.records, facts.plan.records)
      assert.deepStrictEqual(facts.live.notes, [])
      assert.deepStrictEqual(facts.left, [])
      assert.deepStrictEqual(yield* names, own)
    }).pipe(Effect.provide(layer))
  )

  it.effect("finds the newest backup anew each time", () =>
    Effect.gen(function* () {
      const { backupId, cluster } = yield* filled
      assert.strictEqual((yield* inTime(drill(aDrill()))).set.backupId, backupId)
      yield* cluster.produce("orders", 2, records(5))
      const newer = yield* backUp(13)
      assert.notStrictEqual(newer, backupId)
      assert.strictEqual((yield* inTime(drill(aDrill()))).set.backupId, newer)
    }).pipe(Effect.provide(layer))
  )

  it.effect("says that there is nothing to drill before the first backup is complete", () =>
    Effect.gen(function* () {
      yield* world
      const error = yield* Effect.flip(inTime(drill(aDrill())))
      assert.strictEqual(error.reason._tag, "NothingToDrill", error.message)
      assert.include(error.message, "no complete backup of kafka/nightly")
    }).pipe(Effect.provide(layer))
  )

  it.effect("does not pass where the chosen topics hold no record, and writes nothing", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* cluster.createTopic("empty", { partitions: 2 })
      const backupId = yield* backUp()
      const error = yield* Effect.flip(inTime(drill(aDrill())))
      assert.strictEqual(error.reason._tag, "NothingToDrill", error.message)
      assert.include(error.message, `backup ${backupId} holds no record of the topics that the drill chooses from`)
      assert.deepStrictEqual(yield* names, ["empty"])
    }).pipe(Effect.provide(layer))
  )

  it.effect("names topics of which the live log has nothing left to compare", () =>
    Effect.gen(function* () {
      const { cluster } = yield* filled
      for (const partition of [0, 1]) yield* cluster.deleteRecordsBefore("orders", partition, 240)
      yield* cluster.deleteRecordsBefore("orders", 0, (yield* cluster.committed("orders", 0)).at(-1)!.offset + 1)
      const { live } = yield* inTime(drill(aDrill({ topics: ["orders"] })))
      assert.strictEqual(live.records, 0)
      assert.deepStrictEqual(live.notes, [
        "the live log of topic orders has no record left of those that were restored: it was compared with the backup alone"
      ])
    }).pipe(Effect.provide(layer))
  )

  it.effect("gives new offsets where old ones would take brokers too long, or are not permitted", () =>
    Effect.gen(function* () {
      const { cluster } = yield* filled
      yield* cluster.deny("Alter")
      const owner = DrillRequest.owner(aDrill().resource)
      for (const id of Holes.transactionalIds(owner)) yield* cluster.deny("WriteTransactionalId", id)
      const { live, plan } = yield* inTime(drill(aDrill()))
      assert.deepStrictEqual(
        plan.restore.topics.map(({ renumbered, source }) => [source, renumbered?.reason]),
        [
          ["orders", "tooManyFillers"],
          ["payments", "tooManyFillers"]
        ]
      )
      assert.strictEqual(live.records, plan.records)
      assert.match(DrillReporting.notes({ plan }).join(), /new offsets.*orders, payments/)
    }).pipe(Effect.provide(layer))
  )

  it.effect("keeps to maxBytes, and takes another partition each time", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* cluster.createTopic("orders", { partitions: 3 })
      for (const partition of [0, 1, 2]) {
        for (let at = 0; at < 400; at += 10) yield* cluster.produce("orders", partition, records(10, at))
      }
      yield* backUp(12, { segmentBytes: 2000 })
      const partitions = new Set<number>()
      for (const number of [1, 2, 3]) {
        const { choice, live, plan } = yield* inTime(drill(aDrill({ maxBytes: 1, number })))
        assert.lengthOf(choice.topics[0]!.runs, 2)
        partitions.add(choice.topics[0]!.runs[0]!.partition)
        assert.strictEqual(live.records, plan.records)
        assert.isBelow(plan.records, 400)
      }
      assert.strictEqual(partitions.size, 3)
    }).pipe(Effect.provide(layer))
  )

  it.effect("fails with the backup and the object when one is missing, also one that it would not have read", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders", { partitions: 2 })
      for (const partition of [0, 1]) yield* cluster.produce("orders", partition, records(10))
      const backupId = yield* backUp()
      const { manifest } = yield* Catalogue.open(store, backupId)
      const [, { segments }] = manifest.topics[0]!.partitions as [unknown, ManifestPartition]
      yield* store.delete(ObjectKey.make(segments[0]!.key))
      const error = yield* Effect.flip(inTime(drill(aDrill({ maxBytes: 1, number: 0 }))))
      assert.include(error.message, `backup ${backupId} is damaged: ${segments[0]!.key} is missing`)
      assert.deepStrictEqual(yield* names, ["orders"])
    }).pipe(Effect.provide(layer))
  )
})

describe("a damaged backup", () => {
  it.effect("fails the drill at the segment, and its scratch topics are deleted", () =>
    Effect.gen(function* () {
      const { backupId, memory } = yield* filled
      const { manifest } = yield* Catalogue.open(memory.store, backupId)
      const { key } = manifest.topics.find(({ name }) => name === "payments")!.partitions[0]!.segments[0]!
      yield* memory.tamper(ObjectKey.make(key), (bytes) => bytes.map((byte, n) => (n === 100 ? byte ^ 1 : byte)))
      const into = collected()
      const error = yield* Effect.flip(inTime(drill(aDrill(), { into })))
      assert.include(error.message, key)
      assert.deepStrictEqual(into.facts.left, [])
      assert.deepStrictEqual(yield* names, own)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is the newest one, even if an older one could be restored", () =>
    Effect.gen(function* () {
      const { backupId, cluster, store } = yield* filled
      yield* cluster.produce("orders", 2, records(5))
      const newer = yield* backUp(13)
      yield* RetentionPass.run(store, aDrill().resource, { keep: undefined }, "run")
      const key = ObjectKey.make(`${newer}/manifest.json`)
      yield* store.put(key, [Buffer.from("{")])
      const unreadable = yield* Effect.flip(inTime(drill(aDrill())))
      assert.include(unreadable.message, `backup ${newer} is damaged: ${newer}/manifest.json cannot be read`)
      yield* store.delete(key)
      const missing = yield* Effect.flip(inTime(drill(aDrill())))
      assert.include(missing.message, `backup ${newer} is damaged: ${newer}/manifest.json is missing`)
      // Once a run has noticed it, and the status has it, the older one is tried.
      yield* RetentionPass.run(store, aDrill().resource, { keep: undefined, checkedPercent: 100 }, "run")
      const into = collected()
      yield* inTime(drill(aDrill(), { into }))
      assert.strictEqual(into.facts.set?.backupId, backupId)
      assert.include(DrillReporting.notes(into.facts)[0], newer)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is passed over if its damage is recorded, with a note, until all backups are damaged", () =>
    Effect.gen(function* () {
      const { backupId, memory } = yield* filled
      const newer = yield* backUp(13)
      const { resource } = aDrill()
      const mark = Effect.fnUntraced(function* (id: string) {
        const { manifest } = yield* Catalogue.open(memory.store, id)
        const topic = manifest.topics.find(({ partitions }) => partitions.length > 0)!
        const { key } = topic.partitions[0]!.segments[0]!
        const place = { key, topic: topic.name, partition: 0, firstOffset: 0, lastOffset: 9 }
        const found = [{ ...place, detail: "SHA-256 differs", sinceMillis: 0 }]
        yield* DamageMarking.mark(memory.store, resource, { found, right: new Set<string>() })
      })
      yield* mark(newer)
      const into = collected()
      yield* inTime(drill(aDrill(), { into }))
      const { facts } = into
      assert.strictEqual(facts.set?.backupId, backupId)
      assert.include(DrillReporting.notes(facts)[0], `newer backups are damaged and were passed over, `)
      assert.include(DrillReporting.notes(facts)[0], newer)
      yield* mark(backupId)
      const error = yield* Effect.flip(inTime(drill(aDrill())))
      assert.match(error.message, new RegExp(`backup ${newer} is damaged: \\S+ offsets 0-9: SHA-256 differs`, "u"))
    }).pipe(Effect.provide(layer))
  )
})

describe("the live topics", () => {
  it.effect("may have lost records to retention and compaction, and may be gone", () =>
    Effect.gen(function* () {
      const { cluster } = yield* filled
      yield* cluster.compact("payments", 0)
      yield* cluster.deleteRecordsBefore("orders", 0, 120)
      const facts = yield* inTime(drill(aDrill()))
      assert.isBelow(facts.live.records, facts.plan.records)
      assert.isAbove(facts.live.records, 200)
      yield* cluster.deleteTopic("orders")
      yield* cluster.createTopic("payments")
      const later = yield* inTime(drill(aDrill()))
      assert.deepStrictEqual([later.live.records, later.live.topics], [0, 0])
      assert.match(later.live.notes.join("\n"), /orders no longer exists[^]*live topic payments is another one/)
    }).pipe(Effect.provide(layer))
  )

  it.effect("fail the drill when a record is another one than in the backup", () =>
    Effect.gen(function* () {
      const { cluster } = yield* filled
      // The same topic, and another history: as after an unclean leader election.
      yield* cluster.truncate("orders", 1, 100)
      for (let at = 100; at < 240; at += 10) yield* cluster.produce("orders", 1, records(10, at + 1))
      const into = collected()
      const error = yield* Effect.flip(inTime(drill(aDrill(), { into })))
      assert.include(error.message, "the live log differs from backup nightly-20261123-120000 at orders[1] offset 100")
      assert.deepStrictEqual(into.facts.left, [])
      assert.deepStrictEqual(yield* names, own)
    }).pipe(Effect.provide(layer))
  )
})
