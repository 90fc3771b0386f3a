import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { type InMemoryCluster, makeInMemoryCluster } from "../../../src/kafka/memory/InMemoryCluster.ts"
import type { KafkaSourceShape, ReadRequest } from "../../../src/kafka/KafkaSource.ts"
import { makeKafkaSource } from "../../../src/kafka/read/WireKafkaSource.ts"
import { collect, offsetsOf, pass, someRecords, within } from "../support.ts"

const perPartition = 3
const topicsOf = (count: number) => Array.from({ length: count }, (_, n) => `topic-${n}`)

/** `topics` topics of ten partitions with three records each, and what is known of them. */
const withTopics = Effect.fnUntraced(function* (topics: number, valueBytes = 8) {
  const cluster = makeInMemoryCluster({ location: "in-memory:9092" })
  for (const topic of topicsOf(topics)) {
    yield* cluster.createTopic(topic, { partitions: 10 })
    for (let partition = 0; partition < 10; partition++) {
      const records = someRecords(perPartition).map((record) => ({ ...record, value: "v".repeat(valueBytes) }))
      for (const record of records) yield* cluster.produce(topic, partition, [record])
    }
  }
  const source = makeKafkaSource(cluster.wire)
  yield* source.lookup(topicsOf(topics))
  const requests: ReadonlyArray<ReadRequest> = topicsOf(topics).flatMap((topic) =>
    Array.from({ length: 10 }, (_, partition) => ({ topic, partition, from: 0, until: perPartition }))
  )
  return { cluster, source, requests }
})

const readAll = (source: KafkaSourceShape, requests: ReadonlyArray<ReadRequest>, concurrency = 4) =>
  Effect.forEach(requests, (request) => collect(source, request), { concurrency })

const assertWhole = Effect.fnUntraced(function* (
  cluster: InMemoryCluster,
  found: ReadonlyArray<{ readonly records: ReadonlyArray<{ readonly offset: number }> }>
) {
  for (const { records } of found) assert.deepStrictEqual(offsetsOf(records), [0, 1, 2])
  const { releasedTwice, unreleased } = yield* cluster.counters
  assert.deepStrictEqual({ releasedTwice, unreleased }, { releasedTwice: 0, unreleased: 0 })
})

describe("reads that are announced", () => {
  it.effect("take as many requests as brokers and bytes ask for, and not one for each partition", () =>
    Effect.gen(function* () {
      const { cluster, requests, source } = yield* withTopics(100)
      yield* source.announce(requests)
      const found = yield* readAll(source, requests)
      assert.lengthOf(found, 1000)
      yield* assertWhole(cluster, found)
      // Three brokers; each asks for 64, 128 and the rest.
      assert.isAtMost((yield* cluster.counters).fetches, 9)
    }).pipe(Effect.scoped)
  )

  it.effect("ask for no more together than there is room for, where partitions are large", () =>
    Effect.gen(function* () {
      const { cluster, requests, source } = yield* withTopics(3, 400_000)
      yield* source.announce(requests)
      let mostUnreleased = 0
      const watched: KafkaSourceShape = {
        ...source,
        read: (request) =>
          source.read(request).pipe(
            Stream.tap(() =>
              Effect.map(cluster.counters, ({ unreleased }) => {
                mostUnreleased = Math.max(mostUnreleased, unreleased)
              })
            )
          )
      }
      yield* assertWhole(cluster, yield* readAll(watched, requests, 2))
      // Of two open partitions two answers each, and what four megabytes have room for, of up to 1.2 MB each.
      assert.isAtMost(mostUnreleased, 4 + 10)
    }).pipe(Effect.scoped)
  )

  for (const fault of [
    { _tag: "ConnectionLost" },
    { _tag: "Code", code: 6 },
    { _tag: "Empty" },
    { _tag: "Throttled", millis: 500 },
    { _tag: "Cut", bytes: 30 }
  ] as const) {
    it.effect(`bring everything once where an answer is: ${fault._tag}`, () =>
      Effect.gen(function* () {
        const { cluster, requests, source } = yield* withTopics(5)
        yield* source.announce(requests)
        yield* cluster.inject(fault, { times: 3 })
        yield* assertWhole(cluster, yield* within("1 hour", readAll(source, requests)))
      }).pipe(Effect.scoped)
    )
  }

  it.effect("bring everything once where leaders change meanwhile, or were another one from the start", () =>
    Effect.gen(function* () {
      const { cluster, requests, source } = yield* withTopics(5)
      yield* source.announce(requests)
      for (const { partition, topic } of requests.slice(0, 20)) {
        yield* cluster.moveLeader(topic, partition, 1 + (partition % 3))
      }
      const found = yield* within("1 hour", readAll(source, requests))
      yield* assertWhole(cluster, found)
    }).pipe(Effect.scoped)
  )

  it.effect("may begin elsewhere, never begin, or be cut off: nothing stays behind", () =>
    Effect.gen(function* () {
      const { cluster, requests, source } = yield* withTopics(5)
      yield* Effect.gen(function* () {
        yield* source.announce(requests)
        yield* collect(source, requests[0]!)
        const later = yield* collect(source, { ...requests[3]!, from: 1 })
        assert.deepStrictEqual(offsetsOf(later.records), [1, 2])
        yield* cluster.inject({ _tag: "Delayed", millis: 1000 })
        const fiber = yield* Effect.forkChild(readAll(source, requests.slice(30), 4))
        yield* pass("500 millis")
        yield* Fiber.interrupt(fiber)
      }).pipe(Effect.scoped)
      yield* assertWhole(cluster, [])
    })
  )
})
