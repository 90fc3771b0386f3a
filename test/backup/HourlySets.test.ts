import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as CostModel from "../../src/backup/CostModel.ts"
import { slotText } from "../../src/identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { aRequest, attempt, layer, world } from "./world.ts"

/** How many sets are made, each by a run of its own. */
const hours = Number(process.env["KBO_HOURLY_SETS"] ?? 80)
/** Over so many of the last runs the mean is taken: as many as a segment of the second size is made of. */
const averaged = 64

const hour = 3_600_000
const start = Date.parse("2026-11-01T00:00:00Z")

interface Requests {
  gets: number
  heads: number
  /** A thousand listed objects each one more. */
  lists: number
  puts: number
}

/** Counts the requests to the store as an object store is asked. */
const counting = (store: ObjectStoreShape) => {
  const requests: Requests = { gets: 0, heads: 0, lists: 0, puts: 0 }
  const paged = <A, E>(listed: Stream.Stream<A, E>) =>
    Stream.suspend(() => {
      let objects = 0
      requests.lists++
      return Stream.tap(listed, () => Effect.sync(() => void (++objects % 1000 === 0 && requests.lists++)))
    })
  const counted: ObjectStoreShape = {
    ...store,
    put: (key, pieces, options) => Effect.suspend(() => (requests.puts++, store.put(key, pieces, options))),
    get: (key) => Effect.suspend(() => (requests.gets++, store.get(key))),
    read: (key) => Stream.suspend(() => (requests.gets++, store.read(key))),
    head: (key) => Effect.suspend(() => (requests.heads++, store.head(key))),
    list: (prefix) => paged(store.list(prefix)),
    folders: paged(store.folders)
  }
  return { store: counted, requests }
}

interface Hourly {
  readonly partitions: number
  /** The part of the partitions that is written to in an hour; which ones changes. */
  readonly activePart: number
  /** Hours that Kafka keeps. */
  readonly logHours: number
  readonly kept: number
}

/** Noise, so that stored bytes are those of the record stream. */
const noise = (seed: number): string => {
  let state = seed * 2_654_435_761
  const next = () => ((state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0), state.toString(36))
  return Array.from({ length: 60 }, next).join("")
}

/** A set each hour, of topics that are written to, whose old records Kafka deletes. What the last ones cost. */
const simulate = Effect.fnUntraced(function* ({ activePart, kept, logHours, partitions }: Hourly) {
  const { cluster, store } = yield* world
  yield* cluster.createTopic("orders", { partitions })
  const ends: Array<ReadonlyArray<number>> = []
  const at = Array.from({ length: partitions }, () => 0)
  const counted = counting(store)
  let [newBytes, joinedBytes] = [0, 0]
  const before: Array<Requests> = []
  for (let n = 0; n < hours; n++) {
    for (let partition = 0; partition < partitions; partition++) {
      // A fixed order, in which each partition comes as often as any other.
      if (((partition * 7 + n * 3) % partitions) / partitions >= activePart) continue
      const records = Array.from({ length: 5 }, (_, i) => ({
        key: `${i}`,
        value: noise(n * 1000 + partition * 10 + i)
      }))
      yield* cluster.produce("orders", partition, records)
      at[partition]! += records.length
    }
    ends.push([...at])
    const old = ends[n - logHours]
    if (old !== undefined) {
      for (const [partition, offset] of old.entries()) yield* cluster.deleteRecordsBefore("orders", partition, offset)
    }
    before.push({ ...counted.requests })
    const slot = slotText(start + n * hour)
    const settings = { compression: "none", compressionLevel: 1, includeOffsetHeaders: false } as const
    const { facts, retention } = yield* attempt(aRequest(slot, { incremental: {}, retainedBackups: kept, settings }), {
      store: counted.store,
      segmentBytes: 64 * 1024 * 1024
    })
    assert.deepStrictEqual(retention.notes, [])
    if (n < hours - averaged) continue
    newBytes += facts.totals.newStoredBytes ?? 0
    joinedBytes += facts.totals.joinedStoredBytes ?? 0
  }
  const listed = yield* store.list("").pipe(Stream.runCollect)
  const since = before.at(-averaged)!
  const perRun = (of: keyof Requests) => (counted.requests[of] - since[of]) / averaged
  return {
    newBytes: newBytes / averaged,
    joinedBytes: joinedBytes / averaged,
    /** Segments and manifests: other documents are small where there is more than this. */
    storedBytes: listed
      .filter(({ key }) => key.includes("/topics/") || key.endsWith("/manifest.json"))
      .reduce((n, { size }) => n + size, 0),
    requests: { gets: perRun("gets"), heads: perRun("heads"), lists: perRun("lists"), puts: perRun("puts") }
  }
})

/** `found` and what was foretold differ by this factor at most. */
const within = (factor: number, found: number, foretold: number, what: string) => {
  assert.isAtMost(found / foretold, factor, what)
  assert.isAtLeast(found / foretold, 1 / factor, what)
}

describe("sets of every hour", () => {
  it.live.each([
    ["every partition", { partitions: 4, activePart: 1, logHours: 70, kept: 24 }, { joined: 1.3, others: 1.5 }],
    // The model does not know that records are deleted before their segments are joined a second time.
    ["every fourth partition", { partitions: 8, activePart: 0.25, logHours: 70, kept: 48 }, { joined: 2, others: 2.1 }]
  ] as const)(
    "cost what is foretold, in requests and in bytes, where %s is written to in each hour",
    ([, shape, factor]) =>
      Effect.gen(function* () {
        const found = yield* simulate(shape)
        // However many sets there were before.
        assert.isAtMost(found.requests.lists, 45)
        assert.isAtMost(found.requests.gets, 75)
        assert.isAtMost(found.requests.heads, 40 + 3 * 64)
        assert.isAtMost(found.requests.puts, 30)

        const perPartition = found.newBytes / shape.partitions
        const { run, storedBytes } = CostModel.newDataOnly({
          partitions: Array.from({ length: shape.partitions }, () => ({
            bytes: perPartition * shape.logHours,
            bytesPerSecond: (perPartition * 1000) / hour
          })),
          sentPerByte: 1,
          storedPerByte: 1,
          bytesPerSecond: 150e6,
          intervalMillis: hour,
          keptAgesMillis: Array.from({ length: shape.kept }, (_, n) => n * hour),
          checkpointMillis: 30_000,
          sampledPercent: 0
        })
        within(factor.joined, found.joinedBytes, run.joinedBytes, "joined")
        within(factor.others, found.storedBytes, storedBytes, "stored")
        const { gets, heads, lists, puts } = found.requests
        within(factor.others, gets + heads + lists, run.reads, "reads")
        within(factor.others, puts, run.writes, "writes")
      }).pipe(Effect.provide(layer)),
    300_000
  )
})
