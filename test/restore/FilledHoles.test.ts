import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { KafkaSources } from "../../src/kafka/KafkaSource.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import type { Fault } from "../../src/kafka/memory/InMemoryFaults.ts"
import { FilledHoles } from "../../src/restore/FilledHoles.ts"
import type { BackupSet } from "../../src/manifest/Catalogue.ts"
import * as Fillers from "../../src/restore/Fillers.ts"
import * as Needs from "../../src/restore/Needs.ts"
import * as Restore from "../../src/restore/Restore.ts"
import * as RestoreNotes from "../../src/restore/RestoreNotes.ts"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import { random } from "../segment/arbitraryRecords.ts"
import {
  aRestore,
  backUpAs,
  type Format,
  formats,
  inTime,
  layer,
  options,
  plain,
  restore,
  systems,
  worlds
} from "./world.ts"

/** A compacted log: some keys were written once, others over and over, so that holes have every length up to 300. */
const fill = Effect.fnUntraced(function* (cluster: InMemoryCluster, format: Format = "records") {
  yield* cluster.createTopic("states", {
    partitions: 2,
    configs: { "cleanup.policy": "compact", "segment.ms": "7000" }
  })
  for (const partition of [0, 1]) {
    for (let round = 0; round < 30; round++) {
      const again = Array.from({ length: (round * 37) % 150 }, (_, i) => ({ key: `k${i}`, value: `${round} ${i}` }))
      yield* cluster.produce("states", partition, [...again, { key: `once ${round}`, value: "v" }])
    }
    yield* cluster.compact("states", partition, { until: Number.MAX_SAFE_INTEGER, emptied: "drop" })
  }
  yield* cluster.deleteRecordsBefore("states", 1, 4)
  return yield* backUpAs(format)
})

/** Holes are filled where a partition has more than 20. */
const few: Partial<RestoreRequest> = { mostSingleHoles: 20, offsets: "exact" }

const endsOf = Effect.fnUntraced(function* (cluster: InMemoryCluster, topic: string) {
  const there = yield* (yield* KafkaSources).open({ bootstrapServers: [cluster.wire.location] })
  const places = [0, 1].map((partition) => ({ topic, partition }))
  return (yield* there.offsets(places, "highWatermark")).map(({ offset }) => offset)
}, Effect.scoped)

const configsOf = (topic: string) =>
  Effect.scoped(
    Effect.flatMap(systems, ({ source }) => Effect.map(source.topicConfigs([topic]), (found) => found.get(topic)))
  )

const assertRestored = Effect.fnUntraced(function* (topic: string) {
  const { source, target } = yield* worlds
  for (const partition of [0, 1]) {
    assert.deepStrictEqual(yield* plain(target, topic, partition), yield* plain(source, "states", partition))
  }
  const [should, is] = [yield* endsOf(source, "states"), yield* endsOf(target, topic)]
  const later = is.map((end, partition) => end - should[partition]!)
  assert.isTrue(
    later.every((more) => more >= 1 && more <= 3),
    later.join()
  )
  return later
})

describe("holes that compaction has left, too many to be taken one by one,", () => {
  it.effect.each(formats)(
    "are filled, and empty again when the brokers have compacted the log, which ends later then, of %s",
    (format) =>
      Effect.gen(function* () {
        const { source, target } = yield* worlds
        const backupId = yield* fill(source, format)
        const appended: Array<number> = []
        const opened = yield* systems
        const request = aRestore(backupId, few)
        const prepared = yield* inTime(Restore.prepare(opened, request))
        assert.match(prepared.plan.notes.join(), /^states gets [0-9]+ empty records for the holes of its log[.]/)
        const onAppended = (records: number) => void appended.push(records)
        const restored = yield* inTime(Restore.run(opened, request, prepared, { ...options, onAppended }))
        assert.strictEqual(
          appended.reduce((sum, records) => sum + records, 0),
          restored.records
        )
        const [later] = yield* assertRestored("states")
        assert.include(
          RestoreNotes.notes(restored),
          `states[0] ends ${later} ${later === 1 ? "offset" : "offsets"} later than in the backup: markers made the brokers remove the empty records in its holes`
        )
        const held = { "retention.ms": "-1", "retention.bytes": "-1" }
        assert.deepStrictEqual(yield* configsOf("states"), {
          "cleanup.policy": "compact",
          "segment.ms": "7000",
          ...held
        })
        const before = (yield* target.counters).produceRequests
        assert.isTrue((yield* inTime(restore(request))).wasProven)
        assert.strictEqual((yield* target.counters).produceRequests, before)
      }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect.each(formats)(
    "are filled whatever happens to the requests, and with empty transactions instead of markers, of %s",
    (format) =>
      Effect.gen(function* () {
        const { source, target } = yield* worlds
        const backupId = yield* fill(source, format)
        for (let seed = 1; seed <= 12; seed++) {
          const next = random(seed)
          const below = (n: number) => Math.floor(next() * n)
          const faults: ReadonlyArray<() => Fault> = [
            () => ({ _tag: "ConnectionLost" }),
            () => ({ _tag: "AnswerLost" }),
            () => ({ _tag: "Delayed", millis: below(3000) }),
            () => ({ _tag: "Code", code: [6, 7, 19][below(3)]! })
          ]
          if (seed % 3 === 0) yield* target.deny("Alter")
          for (let i = below(6); i > 0; i--) {
            const operation = next() < 0.8 ? "produce" : seed % 3 === 0 ? "transactions" : "markers"
            yield* target.inject(faults[below(faults.length)]!(), { operation, after: below(60), times: 1 + below(3) })
          }
          const topicMapping = new Map([["states", `states-${seed}`]])
          yield* inTime(restore(aRestore(backupId, { ...few, topicMapping, owner: { name: `r${seed}` } })))
          yield* target.clearFaults
          yield* target.allow("Alter")
          yield* assertRestored(`states-${seed}`)
        }
      }).pipe(Effect.provide(layer))
  )

  it.effect("are removed by the next attempt where the brokers did not compact the log", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      const backupId = yield* fill(source)
      yield* target.inject({ _tag: "Code", code: 19 }, { operation: "markers", times: 1000 })
      const error = yield* Effect.flip(inTime(restore(aRestore(backupId, few))))
      assert.include(error.message, "the brokers do not compact the log")
      assert.isTrue(error.isRetryable)
      yield* target.clearFaults
      yield* inTime(restore(aRestore(backupId, few)))
      yield* assertRestored("states")
    }).pipe(Effect.provide(layer))
  )

  it.effect("cost a topic its old offsets where it is not compacted afterwards, or no marker is possible", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      const backupId = yield* fill(source)
      const overrides = new Map([["*", { "cleanup.policy": "delete" }]])
      const renumbered = (changes: Partial<RestoreRequest>) =>
        Effect.scoped(
          Effect.gen(function* () {
            const request = aRestore(backupId, { ...few, offsets: "auto", ...changes })
            const { plan } = yield* inTime(Restore.prepare(yield* systems, request))
            return plan.topics[0]?.renumbered?.reason
          })
        )
      assert.isUndefined(yield* renumbered({}))
      assert.strictEqual(yield* renumbered({ configs: { fromBackup: true, overrides } }), "markersDenied")
      assert.strictEqual(yield* renumbered({ maxFillerOffsets: 10 }), "tooManyFillers")
      yield* target.deny("Alter")
      yield* target.deny("WriteTransactionalId")
      assert.strictEqual(yield* renumbered({}), "markersDenied")
    }).pipe(Effect.provide(layer))
  )
})

describe("what a backup needs", () => {
  it("counts the offsets that are filled as fillers, not as holes", () => {
    const segment = { key: "s", start_offset: 5, end_offset: 12_000_004, start_timestamp: 1, end_timestamp: 1 }
    const partitions = [{ partition_id: 0, segments: [{ ...segment, record_count: 2 }] }]
    const needs = (policy: string) => {
      const topics = [{ name: "states", configurations: { "cleanup.policy": policy }, partitions }]
      const manifest = { backup_id: "b", created_at: 1, topics }
      const [topic] = Needs.of({ backupId: "b", manifest } as unknown as BackupSet).topics
      return [topic?.fillerOffsets, topic?.holes, topic?.renumbered?.reason]
    }
    assert.deepStrictEqual(needs("compact,delete"), [12_000_003, 0, undefined])
    assert.strictEqual(needs("delete")[2], "tooManyFillers")
  })
})

describe("fillers within batches of records", () => {
  it("take the small holes, are counted once, and leave the records when they are removed", () => {
    const next = random(7)
    const records: Array<Buffer> = []
    let offset = 5_000_000_000
    for (let i = 0; i < 4000; i++) {
      const value = Buffer.alloc(Math.floor(next() * 60), i)
      const record = Buffer.concat([Buffer.alloc(24), Buffer.alloc(4), value, Buffer.alloc(2)])
      record.writeUInt32LE(record.length - 4, 0)
      record.writeBigInt64LE(BigInt(offset), 12)
      record.writeInt32LE(-1, 20)
      record.writeInt32LE(value.length, 24)
      records.push(record)
      offset += 1 + (next() < 0.5 ? 0 : Math.floor(next() * 150))
    }
    const run = Buffer.concat(records)
    const filler = new FilledHoles(5_000_000_000)
    const filled = Buffer.concat([...filler.push(run)])
    assert.isTrue(Fillers.without(filled).equals(run))
    const count = Fillers.countIn(filled)
    assert.isAbove(count, 10_000)
    const middle = filler.fillersUntil(5_000_060_000)
    assert.isAbove(middle, 0)
    assert.strictEqual(middle + filler.fillersUntil(offset), count)
    assert.strictEqual(filler.fillersUntil(offset), 0)
    const larger = new Set<number>()
    for (let at = 0, expected = 5_000_000_000; at < filled.length; at += 4 + filled.readUInt32LE(at)) {
      const found = Number(filled.readBigInt64LE(at + 12))
      if (found !== expected) larger.add(found - expected)
      expected = found + 1
    }
    assert.isTrue([...larger].every((hole) => hole > 100))
  })
})
