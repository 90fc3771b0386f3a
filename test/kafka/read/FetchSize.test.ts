import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeInMemoryCluster } from "../../../src/kafka/memory/InMemoryCluster.ts"
import type { KafkaWire } from "../../../src/kafka/KafkaWire.ts"
import { makeFetchSize } from "../../../src/kafka/read/FetchSize.ts"
import { makeKafkaSource } from "../../../src/kafka/read/WireKafkaSource.ts"
import { collect, offsetsOf, someRecords, within } from "../support.ts"

describe("how much a fetch asks for", () => {
  it("doubles up to the limit while answers are full and slow, and follows the limit down", () => {
    let limit = 6000
    const size = makeFetchSize(1000, () => limit)
    const asked: Array<number> = []
    for (let i = 0; i < 5; i++) {
      asked.push(size.next())
      size.fetched(size.next(), size.next(), 50)
    }
    assert.deepStrictEqual(asked, [1000, 2000, 4000, 6000, 6000])
    limit = 3000
    assert.strictEqual(size.next(), 3000)
    limit = 500
    assert.strictEqual(size.next(), 1000)
  })

  it("stays where answers are fast, or have less than half of what was asked for, or no more is allowed", () => {
    const size = makeFetchSize(1000, () => 8000)
    size.fetched(1000, 1000, 5)
    size.fetched(1000, 400, 500)
    assert.strictEqual(size.next(), 1000)
    const fixed = makeFetchSize(1000, undefined)
    fixed.fetched(1000, 1000, 500)
    assert.strictEqual(fixed.next(), 1000)
  })

  it.effect("takes a tenth of the round trips over a slow network, and delivers the same", () =>
    Effect.gen(function* () {
      const cluster = makeInMemoryCluster({ location: "in-memory:9092" })
      yield* cluster.createTopic("orders")
      for (let i = 0; i < 400; i++) yield* cluster.produce("orders", 0, someRecords(20, i * 20))
      const wire: KafkaWire = {
        ...cluster.wire,
        fetch: (request) => Effect.delay(cluster.wire.fetch(request), "50 millis")
      }
      const request = { topic: "orders", partition: 0, from: 0, until: 8000, fetchBytes: 2000 }
      const fetchesOf = Effect.fnUntraced(function* (mostFetchBytes?: () => number) {
        const before = (yield* cluster.counters).fetches
        const growing = mostFetchBytes === undefined ? {} : { mostFetchBytes }
        const { records } = yield* within("5 minutes", collect(makeKafkaSource(wire), { ...request, ...growing }))
        assert.lengthOf(offsetsOf(records), 8000)
        return (yield* cluster.counters).fetches - before
      })
      const fixed = yield* fetchesOf()
      const growing = yield* fetchesOf(() => 40_000)
      assert.isAtMost(growing, fixed / 10)
    })
  )
})
