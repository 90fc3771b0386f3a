import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { aRequest, attempt, fill, layer, world } from "./world.ts"

const requestsOfEmptyRun = (topics: number) =>
  Effect.gen(function* () {
    const { cluster } = yield* world
    for (let n = 0; n < topics; n++) {
      yield* cluster.createTopic(`topic-${n}`, { partitions: 3 })
      for (const partition of [0, 1, 2]) yield* cluster.produce(`topic-${n}`, partition, [{ value: `${n}` }])
    }
    const run = (slot: string) => attempt(aRequest(slot, { incremental: {} }))
    const counted = Effect.map(cluster.counters, ({ fetches, metadataRequests, offsetRequests }) => ({
      fetches,
      metadataRequests,
      offsetRequests
    }))
    const start = yield* counted
    yield* run("2026-11-23T12:00:00Z")
    const before = yield* counted
    const { facts } = yield* run("2026-11-23T13:00:00Z")
    assert.deepStrictEqual([facts.totals.newRecords, facts.totals.records], [0, topics * 3])
    const after = yield* counted
    return {
      metadataOfFull: before.metadataRequests - start.metadataRequests,
      metadata: after.metadataRequests - before.metadataRequests,
      fetches: after.fetches - before.fetches,
      offsets: after.offsetRequests - before.offsetRequests
    }
  }).pipe(Effect.provide(layer))

describe("the requests of a run to Kafka", () => {
  it.live("grow with the brokers and not with the topics, where nothing is new; nor do those for metadata ever", () =>
    Effect.gen(function* () {
      const few = yield* requestsOfEmptyRun(10)
      assert.deepStrictEqual(few, yield* requestsOfEmptyRun(100))
      const brokers = 3
      assert.isAtMost(few.fetches, brokers)
      // Three kinds of offsets, and where the leaders' epochs end.
      assert.deepStrictEqual(
        { ...few, fetches: 0 },
        { metadataOfFull: 1, metadata: 1, fetches: 0, offsets: 4 * brokers }
      )
    })
  )
})

describe("the requests of a run to its store", () => {
  it.live("read the facts of the backup that it builds on once, and its manifest once", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const { facts: base } = yield* attempt(aRequest("2026-11-23T12:00:00Z", { incremental: {} }))
      const read: Array<string> = []
      const reading = (key: string) => void (key.startsWith(base.backupId) && read.push(key.split("/")[1]!))
      const watched: ObjectStoreShape = {
        ...store,
        get: (key) => Effect.suspend(() => (reading(key), store.get(key))),
        read: (key) => Stream.suspend(() => (reading(key), store.read(key)))
      }
      const { facts } = yield* attempt(aRequest("2026-11-23T13:00:00Z", { incremental: {} }), { store: watched })
      assert.strictEqual(facts.base?.backupId, base.backupId)
      const times = (name: string) => read.filter((one) => one === name).length
      assert.deepStrictEqual([times("kb-meta.json"), times("manifest.json")], [1, 1])
    }).pipe(Effect.provide(layer))
  )
})
