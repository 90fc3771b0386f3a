import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, type Layer, Schema } from "effect"
import * as AgainstCluster from "../../src/backup/AgainstCluster.ts"
import { LogMatch } from "../../src/backup/LogMatch.ts"
import { type KafkaSourceShape, KafkaSources } from "../../src/kafka/KafkaSource.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import { inTime } from "./inTime.ts"
import { aRequest, attempt, fill, layer, world } from "./world.ts"

const slot = "2026-11-23T12:00:00Z"
const backupId = "nightly-20261123-120000"

const produce = (cluster: InMemoryCluster, from: number, count: number) =>
  cluster.produce(
    "orders",
    0,
    Array.from({ length: count }, (_, n) => ({ key: `${(from + n) % 10}`, value: `value ${from + n}`.repeat(9) }))
  )

/** A backup of one partition with a hundred records. */
const aSet = (settings: object = {}, configs: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const { cluster, store } = yield* world
    yield* cluster.createTopic("orders", { partitions: 1, configs })
    for (let n = 0; n < 100; n += 20) yield* produce(cluster, n, 20)
    const request = aRequest(slot)
    yield* attempt({ ...request, settings: { ...request.settings, ...settings } })
    return { cluster, store }
  })

const compared = (change?: (kafka: KafkaSourceShape) => KafkaSourceShape) =>
  Effect.gen(function* () {
    const { store } = yield* world
    const kafka = yield* (yield* KafkaSources).open({ bootstrapServers: ["in-memory:9092"] })
    return yield* AgainstCluster.compare(change?.(kafka) ?? kafka, store, yield* Catalogue.open(store, backupId))
  }).pipe(Effect.scoped)

/** As brokers answer that do not know of epochs. */
const withoutEpochs = (kafka: KafkaSourceShape): KafkaSourceShape => ({ ...kafka, lineage: () => Effect.succeed([]) })

describe("A backup that is compared with the live topics", () => {
  it.live("is equal in every record, whatever the codecs and transactions, with headers that the backup added", () =>
    Effect.gen(function* () {
      const { cluster } = yield* world
      yield* fill(cluster)
      const request = aRequest(slot)
      const settings = { ...request.settings, includeOffsetHeaders: true, sourceClusterId: "east" }
      const { facts } = yield* attempt({ ...request, settings })
      const found = yield* compared()
      assert.strictEqual(
        found.reduce((sum, { equal }) => sum + equal, 0),
        facts.totals.records
      )
      for (const { differing, notes, removed } of found) assert.deepStrictEqual([differing, notes, removed], [0, [], 0])
      assert.strictEqual(
        found.reduce((sum, { unknown }) => sum + unknown, 0),
        0
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("may hold what Kafka has deleted since, and lack what came later", () =>
    Effect.gen(function* () {
      const { cluster } = yield* aSet()
      yield* cluster.deleteRecordsBefore("orders", 0, 30)
      yield* produce(cluster, 100, 5)
      const [found] = yield* compared()
      assert.deepInclude(found, { from: 30, until: 100, equal: 70, removed: 30, differing: 0 })
      assert.deepStrictEqual(found!.notes, ["Kafka has deleted offsets 0-29"])
    }).pipe(Effect.provide(layer))
  )

  it.live("is compared in what compaction left, and a record that is missing elsewhere is a difference", () =>
    Effect.gen(function* () {
      const { cluster } = yield* aSet({}, { "cleanup.policy": "compact" })
      yield* cluster.compact("orders", 0)
      const [found] = yield* compared()
      assert.strictEqual(found!.differing, 0)
      assert.isAbove(found!.removed, 50)
      assert.strictEqual(found!.equal + found!.removed, 100)
      assert.deepStrictEqual(found!.notes, [`compaction has removed ${found!.removed} records of the compared offsets`])
      const [other] = yield* compared((kafka) => ({ ...kafka, cleanup: () => Effect.succeed(new Map()) }))
      assert.strictEqual(other!.differing, 0, "the backup says that the topic is compacted")
    }).pipe(Effect.provide(layer))
  )

  it.live("differs where a record is gone from a topic that is not compacted, unless nobody knows that", () =>
    Effect.gen(function* () {
      const { cluster } = yield* aSet()
      yield* cluster.compact("orders", 0)
      const [found] = yield* compared()
      assert.isAbove(found!.differing, 0)
      assert.match(found!.differences[0]!.detail, /^the backup has records at offsets 0-\d+, and Kafka has none there$/)
      const [unknown] = yield* compared((kafka) => ({ ...kafka, cleanup: () => Effect.succeed(new Map()) }))
      assert.strictEqual(unknown!.differing, 0)
      assert.match(unknown!.notes[0]!, /^whether the topic is compacted is not known/)
    }).pipe(Effect.provide(layer))
  )

  it.live("is compared up to where an unclean election replaced records; without epochs they differ", () =>
    Effect.gen(function* () {
      const { cluster } = yield* aSet()
      yield* cluster.truncate("orders", 0, 60)
      yield* produce(cluster, 500, 50)
      const [found] = yield* compared()
      assert.deepInclude(found, { from: 0, until: 60, equal: 60, differing: 0, removed: 40, unknown: 0 })
      assert.deepStrictEqual(found!.notes, ["an unclean leader election replaced or lost offsets 60-99 in Kafka"])
      const [differs] = yield* compared(withoutEpochs)
      assert.deepInclude(differs, { from: 0, until: 100, equal: 60, differing: 40 })
      assert.deepStrictEqual(differs!.differences[0], {
        offset: 60,
        detail: "the record in Kafka is not that of the backup"
      })
    }).pipe(Effect.provide(layer))
  )

  it.effect("is read from Kafka no faster than the rate limit of its resource, which all partitions share", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders", { partitions: 2 })
      for (let n = 0; n < 100; n += 5) {
        for (const partition of [0, 1]) {
          yield* cluster.produce(
            "orders",
            partition,
            Array.from({ length: 5 }, () => ({ value: "v".repeat(200) }))
          )
        }
      }
      const services = yield* Effect.context<Layer.Success<typeof layer>>()
      assert.isTrue(Exit.isSuccess(yield* inTime(Effect.provideContext(attempt(aRequest(slot)), services), 60)))
      const set = yield* Catalogue.open(store, backupId)
      const kafka = yield* (yield* KafkaSources).open({ bootstrapServers: ["in-memory:9092"] })
      const seconds = Effect.fnUntraced(function* (limits: { bytesPerSecond?: number; recordsPerSecond?: number }) {
        const startMillis = yield* Clock.currentTimeMillis
        let equal = 0
        const work = AgainstCluster.compare(kafka, store, set, limits, (records) => (equal += records))
        assert.isTrue(Exit.isSuccess(yield* inTime(work, 300)))
        assert.strictEqual(equal, 200, "told while it is compared")
        return ((yield* Clock.currentTimeMillis) - startMillis) / 1000
      })
      assert.isAtMost(yield* seconds({}), 2)
      assert.closeTo(yield* seconds({ recordsPerSecond: 10 }), 20, 3)
      // Some 45 kB in all.
      assert.closeTo(yield* seconds({ bytesPerSecond: 1000 }), 45, 10)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.live("says of topics that are gone, made anew or hidden that nothing could be compared", () =>
    Effect.gen(function* () {
      const { cluster } = yield* aSet()
      yield* cluster.deleteTopic("orders")
      const nothing = {
        from: 0,
        until: 0,
        equal: 0,
        removed: 100,
        unknown: 0,
        notes: ["topic orders no longer exists"]
      }
      assert.deepInclude((yield* compared())[0], nothing)
      yield* cluster.createTopic("orders", { partitions: 1 })
      yield* produce(cluster, 0, 100)
      const [found] = yield* compared()
      assert.deepInclude(found, { equal: 0, differing: 0, removed: 100, unknown: 0 })
      assert.match(found!.notes[0]!, /^topic orders was deleted and created again \(its id is .*, and was .*\)$/)
      const denied = { _tag: "Denied", name: "orders" } as const
      const [hidden] = yield* compared((kafka) => ({ ...kafka, lookup: () => Effect.succeed([denied]) }))
      assert.deepInclude(hidden, { removed: 0, unknown: 100, notes: ["permission denied for topic orders"] })
    }).pipe(Effect.provide(layer))
  )
})

/** Records without key, value and headers at these offsets; the timestamp tells two of one offset apart. */
const run = (records: ReadonlyArray<readonly [offset: number, timestamp: number]>): Buffer =>
  Buffer.concat(
    records.map(([offset, timestamp]) => {
      const record = Buffer.alloc(4 + 8 + 8 + 4 + 4 + 2)
      record.writeInt32LE(record.length - 4, 0)
      record.writeBigInt64LE(BigInt(timestamp), 4)
      record.writeBigInt64LE(BigInt(offset), 12)
      record.writeInt32LE(-1, 20)
      record.writeInt32LE(-1, 24)
      return record
    })
  )

const Log = Schema.Array(Schema.Literals(["none", "stored", "live", "equal", "other"]))
const Cuts = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4 })))

describe("LogMatch", () => {
  it.prop(
    "counts what both, one or the other has, however the records come in runs",
    [Log, Cuts, Cuts],
    ([log, a, b]) => {
      const side = (has: ReadonlySet<string>, stamp: (kind: string) => number, cuts: ReadonlyArray<number>) => {
        const records = log.flatMap((kind, offset) => (has.has(kind) ? [[offset, stamp(kind)] as const] : []))
        const runs: Array<Buffer> = []
        for (let at = 0, n = 0; at < records.length; n++) {
          const next = at + (cuts[n % Math.max(1, cuts.length)] ?? 3)
          runs.push(run(records.slice(at, next)))
          at = next
        }
        return runs
      }
      const both = ["equal", "other"]
      const stored = side(new Set(["stored", ...both]), () => 1, a)
      const live = side(new Set(["live", ...both]), (kind) => (kind === "other" ? 2 : 1), b)
      const match = new LogMatch(() => false)
      for (let wanted = match.wants; wanted !== undefined; wanted = match.wants) {
        match.give(wanted, (wanted === "stored" ? stored : live).shift())
      }
      const count = (...kinds: ReadonlyArray<string>) => log.filter((kind) => kinds.includes(kind)).length
      assert.deepStrictEqual(
        [match.equal, match.onlyStored, match.differing],
        [count("equal"), count("stored"), count("live", "other")]
      )
      const first = log.findIndex((kind) => kind === "stored")
      assert.strictEqual(match.missingLive[0]?.first, first === -1 ? undefined : first)
    }
  )
})
