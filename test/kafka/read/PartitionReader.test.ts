import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Stream } from "effect"
import { type InMemoryCluster, makeInMemoryCluster } from "../../../src/kafka/memory/InMemoryCluster.ts"
import type { KafkaError, KafkaReason } from "../../../src/kafka/KafkaError.ts"
import type { ReadRequest } from "../../../src/kafka/KafkaSource.ts"
import type { KafkaWire } from "../../../src/kafka/KafkaWire.ts"
import { makeKafkaSource } from "../../../src/kafka/read/WireKafkaSource.ts"
import { collect, offsetsOf, pass, someRecords, within } from "../support.ts"

const batches = 20
const perBatch = 10
const total = batches * perBatch
/** Small enough that a read takes many fetches. */
const fetchBytes = 1000
const all: ReadRequest = { topic: "orders", partition: 0, from: 0, until: total, fetchBytes }
const everyOffset = Array.from({ length: total }, (_, i) => i)

/** A cluster with one topic of two hundred records. */
const withOrders = Effect.gen(function* () {
  const cluster = makeInMemoryCluster({ location: "in-memory:9092" })
  yield* cluster.createTopic("orders")
  for (let i = 0; i < batches; i++) yield* cluster.produce("orders", 0, someRecords(perBatch, i * perBatch))
  return { cluster, source: makeKafkaSource(cluster.wire) }
})

const read = (cluster: InMemoryCluster, request: ReadRequest = all) => collect(makeKafkaSource(cluster.wire), request)

/** Runs a read that has to wait, moving the clock far enough for any budget. */
const patiently = <A>(reading: Effect.Effect<A, KafkaError>) => within("2 hours", reading)

const reasonOf = (error: KafkaError): KafkaReason => error.reason

const assertComplete = (cluster: InMemoryCluster) =>
  Effect.gen(function* () {
    const collected = yield* patiently(read(cluster))
    assert.deepStrictEqual(offsetsOf(collected.records), everyOffset)
    assert.deepStrictEqual(collected.gaps, [])
    const { unreleased, releasedTwice } = yield* cluster.counters
    assert.deepStrictEqual({ unreleased, releasedTwice }, { unreleased: 0, releasedTwice: 0 })
  })

/** A read that has got three answers and waits for the fourth. */
const startedRead = (cluster: InMemoryCluster, request: ReadRequest = all) =>
  Effect.gen(function* () {
    yield* cluster.inject({ _tag: "Delayed", millis: 1000 }, { after: 3 })
    const fiber = yield* Effect.forkChild(read(cluster, request))
    yield* pass("500 millis")
    assert.strictEqual((yield* cluster.counters).fetches, 3)
    assert.isUndefined(fiber.pollUnsafe())
    return fiber
  })

describe("a read while leadership moves", () => {
  for (const code of [5, 6, 7, 9, 56, 74, 75, 78, -1, 13]) {
    it.effect(`goes on after error code ${code}`, () =>
      Effect.gen(function* () {
        const { cluster } = yield* withOrders
        yield* cluster.inject({ _tag: "Code", code }, { after: 3, times: 4 })
        yield* assertComplete(cluster)
      })
    )
  }

  it.effect("asks for fresh metadata and follows the leader", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withOrders
      const collected = yield* patiently(
        Effect.gen(function* () {
          let moves = 0
          const records: Array<number> = []
          yield* source.read(all).pipe(
            Stream.runForEach((element) =>
              Effect.gen(function* () {
                for (const { baseOffset } of element.batches) records.push(baseOffset)
                element.release()
                if (moves++ % 3 === 0) yield* cluster.moveLeader("orders", 0)
              })
            )
          )
          return records
        })
      )
      assert.deepStrictEqual(
        collected,
        everyOffset.filter((offset) => offset % perBatch === 0)
      )
    })
  )

  it.effect("survives four minutes without any broker", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      const fiber = yield* startedRead(cluster)
      for (const node of [1, 2, 3]) yield* cluster.stopBroker(node)
      yield* pass("4 minutes")
      for (const node of [3, 2]) yield* cluster.startBroker(node)
      yield* pass("10 seconds")
      const collected = yield* Fiber.join(fiber)
      assert.deepStrictEqual(offsetsOf(collected.records), everyOffset)
    })
  )

  it.effect("fails retryably when no broker answers within the time limit", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "ConnectionLost" }, { after: 2, times: Infinity })
      const error = yield* Effect.flip(patiently(read(cluster)))
      assert.strictEqual(reasonOf(error)._tag, "BrokerUnreachable")
      assert.isTrue(error.isRetryable)
    })
  )

  it.effect("gives up after five minutes without progress, not before", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "Code", code: 6 }, { times: Infinity })
      const fiber = yield* Effect.forkChild(Effect.exit(read(cluster)))
      yield* pass("299 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* pass("10 seconds")
      const exit = yield* Fiber.join(fiber)
      assert.isTrue(Exit.isFailure(exit))
    })
  )

  it.effect("waits longer from attempt to attempt, at most five seconds", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "Code", code: 6 }, { times: Infinity })
      yield* Effect.forkChild(read(cluster))
      yield* pass("1 second")
      const early = (yield* cluster.counters).fetches
      assert.isAtLeast(early, 4)
      assert.isAtMost(early, 7)
      yield* pass("1 minute")
      const late = (yield* cluster.counters).fetches
      yield* pass("1 minute")
      const perMinute = (yield* cluster.counters).fetches - late
      assert.isAtLeast(perMinute, 12)
      assert.isAtMost(perMinute, 24)
    })
  )
})

describe("a read that receives no data", () => {
  it.effect("does not take an empty answer for the end", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "Empty" }, { after: 2, times: 5 })
      yield* assertComplete(cluster)
    })
  )

  it.effect("sends nothing for as long as the broker's quota asks", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "Throttled", millis: 60_000 }, { after: 1 })
      const fiber = yield* Effect.forkChild(read(cluster))
      yield* pass("59 seconds")
      assert.strictEqual((yield* cluster.counters).fetches, 2)
      yield* pass("1 second")
      assert.deepStrictEqual(offsetsOf((yield* Fiber.join(fiber)).records), everyOffset)
    })
  )

  it.effect("sends nothing also when a throttled answer holds data", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      const wire: KafkaWire = {
        ...cluster.wire,
        fetch: (request) =>
          Effect.map(cluster.wire.fetch(request), (answer) => ({
            ...answer,
            throttleMillis: request.offset === 0 ? 60_000 : 0
          }))
      }
      const fiber = yield* Effect.forkChild(collect(makeKafkaSource(wire), all))
      yield* pass("59 seconds")
      assert.strictEqual((yield* cluster.counters).fetches, 1)
      yield* pass("1 second")
      assert.deepStrictEqual(offsetsOf((yield* Fiber.join(fiber)).records), everyOffset)
    })
  )

  it.effect("does not count throttled time as lack of progress", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "Throttled", millis: 30_000 }, { times: 40 })
      yield* assertComplete(cluster)
    })
  )

  it.effect("is stalled once a quota alone has throttled it for an hour", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "Throttled", millis: 30_000 }, { times: Infinity })
      const error = yield* Effect.flip(patiently(read(cluster)))
      assert.strictEqual(reasonOf(error)._tag, "Stalled")
      assert.include(error.message, "quota")
    })
  )

  it.effect("is stalled at a named offset after five minutes of empty answers", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "Empty" }, { after: 1, times: Infinity })
      const error = yield* Effect.flip(patiently(read(cluster)))
      const reason = reasonOf(error)
      assert.strictEqual(reason._tag, "Stalled")
      if (reason._tag === "Stalled")
        assert.deepStrictEqual([reason.topic, reason.partition, reason.until], ["orders", 0, total])
      assert.isTrue(error.isRetryable)
    })
  )
})

describe("a read of a compacted tail", () => {
  /** A tombstone and a marker lie before an open transaction; compaction takes both. */
  const withTail = (configs: Record<string, string>) =>
    Effect.gen(function* () {
      const cluster = makeInMemoryCluster({ location: "in-memory:9092" })
      yield* cluster.createTopic("orders", { configs })
      yield* cluster.produce("orders", 0, [{ key: "kept", value: "v" }])
      yield* cluster.produce("orders", 0, [{ key: "gone", value: null }])
      const aborted = yield* cluster.beginTransaction()
      yield* aborted.produce("orders", 0, [{ key: "never", value: "v" }])
      const open = yield* cluster.beginTransaction()
      yield* open.produce("orders", 0, [{ key: "later", value: "v" }])
      yield* aborted.abort
      yield* cluster.compact("orders", 0, { tombstones: "drop", emptied: "drop" })
      return cluster
    })
  const request = { ...all, until: 3 }

  it.effect("reports the range as a gap instead of waiting for ever", () =>
    Effect.gen(function* () {
      const cluster = yield* withTail({ "cleanup.policy": "compact" })
      const { records, gaps } = yield* within("1 minute", read(cluster, request))
      assert.deepStrictEqual([offsetsOf(records), gaps], [[0], [{ from: 1, until: 3 }]])
      assert.strictEqual((yield* cluster.counters).unreleased, 0)
    })
  )

  it.effect("does not take empty answers for a compacted tail while other offsets hold data", () =>
    Effect.gen(function* () {
      const cluster = makeInMemoryCluster({ location: "in-memory:9092" })
      yield* cluster.createTopic("orders", { configs: { "cleanup.policy": "compact" } })
      for (let i = 0; i < batches; i++) yield* cluster.produce("orders", 0, someRecords(perBatch, i * perBatch))
      const silent: KafkaWire = {
        ...cluster.wire,
        fetch: (question) =>
          Effect.map(cluster.wire.fetch(question), (answer) => {
            if (question.offset !== 0) return answer
            answer.release()
            return { ...answer, records: Buffer.alloc(0), release: () => {} }
          })
      }
      const error = yield* Effect.flip(within("2 hours", collect(makeKafkaSource(silent), all)))
      assert.strictEqual(reasonOf(error)._tag, "Stalled")
      assert.strictEqual((yield* cluster.counters).unreleased, 0)
    })
  )

  it.effect("is stalled when it cannot learn that the topic is compacted", () =>
    Effect.gen(function* () {
      const cluster = yield* withTail({})
      assert.strictEqual(reasonOf(yield* Effect.flip(patiently(read(cluster, request))))._tag, "Stalled")
      const secret = yield* withTail({ "cleanup.policy": "compact" })
      yield* secret.deny("DescribeConfigs")
      assert.strictEqual(reasonOf(yield* Effect.flip(patiently(read(secret, request))))._tag, "Stalled")
    })
  )
})

describe("a read of damaged answers", () => {
  it.effect("fetches a flipped bit again, and delivers the intact bytes", () =>
    Effect.gen(function* () {
      for (const bit of [8 * 8, 16 * 8 + 1, 17 * 8, 30 * 8, 70 * 8, 900 * 8]) {
        const { cluster } = yield* withOrders
        yield* cluster.inject({ _tag: "FlippedBit", bit }, { after: 1, times: 2 })
        yield* assertComplete(cluster)
      }
    })
  )

  it.effect("fails with the offset when the third answer is damaged as well", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "FlippedBit", bit: 100 * 8 }, { times: Infinity })
      const error = yield* Effect.flip(patiently(read(cluster)))
      const reason = reasonOf(error)
      assert.strictEqual(reason._tag, "CorruptBatch")
      if (reason._tag === "CorruptBatch") assert.strictEqual(reason.offset, 0)
      assert.include(error.message, "CRC32C")
      assert.strictEqual((yield* cluster.counters).fetches, 3)
    })
  )

  it.effect("handles corruption that the broker reports in the same way", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "Code", code: 2 }, { times: 2 })
      yield* assertComplete(cluster)
      yield* cluster.inject({ _tag: "Code", code: 2 }, { times: 3 })
      const error = yield* Effect.flip(patiently(read(cluster)))
      assert.strictEqual(reasonOf(error)._tag, "CorruptBatch")
    })
  )

  it.effect("accepts a truncation after a whole batch, and reports one inside the first batch as damage", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      const fetched = yield* cluster.wire.fetch({ ...all, leader: 1, offset: 0, maxBytes: 1, maxWaitMillis: 0 })
      const firstBatchBytes = fetched.records.length
      fetched.release()
      yield* cluster.inject({ _tag: "Cut", bytes: firstBatchBytes + 5 }, { times: 3 })
      yield* assertComplete(cluster)
      yield* cluster.inject({ _tag: "Cut", bytes: firstBatchBytes - 5 }, { times: 2 })
      yield* assertComplete(cluster)
      yield* cluster.inject({ _tag: "Cut", bytes: 9 }, { times: 3 })
      const error = yield* Effect.flip(patiently(read(cluster)))
      assert.strictEqual(reasonOf(error)._tag, "CorruptBatch")
    })
  )
})

describe("a read of a batch that a broker truncates at the limit of the fetch", () => {
  /** As brokers did before KIP-74: the first batch is cut as well. */
  const cutting = (wire: KafkaWire, asked: Array<number>): KafkaWire => ({
    ...wire,
    fetch: (request) => {
      asked.push(request.maxBytes)
      return Effect.map(wire.fetch(request), (answer) => ({
        ...answer,
        records: answer.records.subarray(0, request.maxBytes)
      }))
    }
  })

  it.effect("asks for more until the batch fits, then for the original size", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.produce("orders", 0, [{ value: "x".repeat(100_000) }])
      yield* cluster.produce("orders", 0, someRecords(5))
      const asked: Array<number> = []
      const source = makeKafkaSource(cutting(cluster.wire, asked))
      const until = total + 6
      const collected = yield* collect(source, { ...all, from: total, until })
      assert.strictEqual(collected.records.length, 6)
      assert.strictEqual(asked[0], fetchBytes)
      assert.isAbove(asked[1]!, 100_000)
      assert.strictEqual(asked.at(-1), fetchBytes)
    })
  )

  it.effect("is stalled when the batch is larger than the largest fetch", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.produce("orders", 0, [{ value: "x".repeat(100_000) }])
      const source = makeKafkaSource(cutting(cluster.wire, []), { maxFetchBytes: 50_000 })
      const error = yield* Effect.flip(collect(source, { ...all, from: total, until: total + 1 }))
      assert.strictEqual(reasonOf(error)._tag, "Stalled")
      assert.include(error.message, "50000")
    })
  )
})

describe("a read of answers that do not move", () => {
  it.effect("is stalled after the second one instead of fetching for ever", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      const stuck: KafkaWire = {
        ...cluster.wire,
        fetch: (request) => cluster.wire.fetch({ ...request, offset: 0, maxBytes: 1 })
      }
      const error = yield* Effect.flip(collect(makeKafkaSource(stuck), { ...all, from: 50 }))
      assert.strictEqual(reasonOf(error)._tag, "Stalled")
      assert.strictEqual((yield* cluster.counters).fetches, 2)
      assert.strictEqual((yield* cluster.counters).unreleased, 0)
    })
  )
})

describe("a read of a topic that changes", () => {
  it.effect("reports records that retention removed during the read as a gap", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withOrders
      const gaps: Array<unknown> = []
      const seen: Array<number> = []
      yield* source.read(all).pipe(
        Stream.runForEach((element) =>
          Effect.gen(function* () {
            for (const { baseOffset } of element.batches) seen.push(baseOffset)
            if (element.gap !== undefined) gaps.push(element.gap)
            element.release()
            if (element.position < 50) yield* cluster.deleteRecordsBefore("orders", 0, 120)
          })
        )
      )
      assert.strictEqual(gaps.length, 1)
      assert.strictEqual((gaps[0] as { until: number }).until, 120)
      assert.deepStrictEqual(
        seen.filter((offset) => offset >= 120),
        [120, 130, 140, 150, 160, 170, 180, 190]
      )
    })
  )

  it.effect("reads on when the topic is unknown for ten seconds only", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "Code", code: 3 }, { after: 2, times: 8 })
      yield* assertComplete(cluster)
    })
  )

  it.effect("reports the topic as deleted when it is missing for thirty seconds", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      const fiber = yield* startedRead(cluster)
      yield* cluster.deleteTopic("orders")
      yield* pass("29 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* pass("20 seconds")
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.deepStrictEqual([reasonOf(error)._tag, error.isRetryable], ["TopicVanished", false])
    })
  )

  it.effect("fails retryably when metadata names the topic but no broker serves it", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "Code", code: 3 }, { times: Infinity })
      const error = yield* Effect.flip(patiently(read(cluster)))
      assert.include({ ...reasonOf(error) }, { _tag: "ProtocolFailure", code: 3, transient: true })
    })
  )

  it.effect("never mixes in a topic that was created again, planned by id or not", () =>
    Effect.gen(function* () {
      for (const planned of [true, false]) {
        const { cluster, source } = yield* withOrders
        const [found] = yield* source.lookup(["orders"])
        const id = found?._tag === "Found" && planned ? { topicId: found.topic.topicId! } : {}
        const fiber = yield* startedRead(cluster, { ...all, ...id })
        yield* cluster.createTopic("orders")
        for (let i = 0; i < batches; i++) yield* cluster.produce("orders", 0, someRecords(perBatch, 1000 + i))
        yield* pass("10 seconds")
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.strictEqual(reasonOf(error)._tag, "TopicRecreated")
      }
    })
  )

  it.effect("reports a truncated log when it ends below the position or below the planned end", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.truncate("orders", 0, 100)
      const above = yield* Effect.flip(read(cluster, { ...all, from: 150 }))
      assert.include({ ...reasonOf(above) }, { _tag: "LogTruncated", position: 150, logEnd: 100 })
      const below = yield* Effect.flip(patiently(read(cluster, { ...all, from: 50 })))
      assert.include({ ...reasonOf(below) }, { _tag: "LogTruncated", position: total, logEnd: 100 })
    })
  )

  it.effect("trusts out-of-range only when the offsets confirm it", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "Code", code: 1 }, { after: 3, times: 3 })
      yield* assertComplete(cluster)
    })
  )
})

describe("a read that is refused", () => {
  it.effect("fails at once, naming topic and operation, when Read is denied", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.deny("Read", "orders")
      const error = yield* Effect.flip(read(cluster))
      assert.include(
        { ...reasonOf(error) },
        { _tag: "KafkaAuthorizationFailed", resource: "topic orders", missing: "Read" }
      )
      assert.strictEqual((yield* cluster.counters).fetches, 1)
    })
  )

  it.effect("fails at once with a code that it has no rule for", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "Code", code: 87 })
      const error = yield* Effect.flip(read(cluster))
      assert.include({ ...reasonOf(error) }, { _tag: "ProtocolFailure", code: 87, transient: false })
    })
  )
})

describe("a read that is sent to another replica", () => {
  it.effect("reads there", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      const nodes: Array<number> = []
      const wire: KafkaWire = {
        ...cluster.wire,
        fetch: (request) => {
          nodes.push(request.leader)
          return cluster.wire.fetch(request)
        }
      }
      yield* cluster.inject({ _tag: "Redirected", node: 3 }, { node: 1 })
      const collected = yield* collect(makeKafkaSource(wire), all)
      assert.deepStrictEqual(offsetsOf(collected.records), everyOffset)
      assert.deepStrictEqual([nodes[0], new Set(nodes.slice(1))], [1, new Set([3])])
    })
  )

  it.effect("returns to the leader when the replica fails or is behind", () =>
    Effect.gen(function* () {
      for (const fault of [
        { _tag: "Code", code: 1 },
        { _tag: "Code", code: 78 },
        { _tag: "ConnectionLost" },
        { _tag: "Empty" }
      ] as const) {
        const { cluster } = yield* withOrders
        yield* cluster.inject({ _tag: "Redirected", node: 3 }, { node: 1 })
        yield* cluster.inject(fault, { node: 3, after: 2 })
        yield* assertComplete(cluster)
      }
    })
  )
})

describe("a read that is redirected in circles", () => {
  it.effect("slows down, and is finally stalled", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      for (const [node, next] of [
        [1, 2],
        [2, 3],
        [3, 1]
      ] as const) {
        yield* cluster.inject({ _tag: "Redirected", node: next }, { node, times: Infinity })
      }
      const error = yield* Effect.flip(patiently(read(cluster)))
      assert.strictEqual(reasonOf(error)._tag, "Stalled")
      assert.isBelow((yield* cluster.counters).fetches, 200)
    })
  )
})

describe("the buffers of a read", () => {
  it.effect("are two at most: one with the consumer, one fetched ahead", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withOrders
      const gate = yield* Deferred.make<void>()
      const fiber = yield* source.read(all).pipe(
        Stream.runForEach((element) =>
          Effect.andThen(
            Deferred.await(gate),
            Effect.sync(() => element.release())
          )
        ),
        Effect.forkChild
      )
      yield* pass("1 minute")
      const { fetches, unreleased } = yield* cluster.counters
      assert.deepStrictEqual({ fetches, unreleased }, { fetches: 2, unreleased: 2 })
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(fiber)
      assert.strictEqual((yield* cluster.counters).unreleased, 0)
    })
  )

  it.effect("that were fetched ahead are released on interruption; the consumer keeps its own", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withOrders
      let mine: (() => void) | undefined
      const fiber = yield* source.read(all).pipe(
        Stream.runForEach((element) => {
          mine = element.release
          return Effect.never
        }),
        Effect.forkChild
      )
      yield* pass("1 minute")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* cluster.counters).unreleased, 1)
      mine!()
      mine!()
      const { unreleased, releasedTwice } = yield* cluster.counters
      assert.deepStrictEqual({ unreleased, releasedTwice }, { unreleased: 0, releasedTwice: 0 })
    })
  )

  it.effect("are all released when a read is interrupted while it waits for an answer", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withOrders
      yield* cluster.inject({ _tag: "Delayed", millis: 10_000 }, { after: 3 })
      const fiber = yield* Effect.forkChild(read(cluster))
      yield* pass("5 seconds")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* cluster.counters).unreleased, 0)
    })
  )
})
