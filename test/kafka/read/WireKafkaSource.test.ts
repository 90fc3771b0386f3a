import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Stream } from "effect"
import { type InMemoryCluster, makeInMemoryCluster } from "../../../src/kafka/memory/InMemoryCluster.ts"
import { KafkaAuthenticationFailed, KafkaError } from "../../../src/kafka/KafkaError.ts"
import type { KafkaWire, OffsetSpec } from "../../../src/kafka/KafkaWire.ts"
import { makeKafkaSource } from "../../../src/kafka/read/WireKafkaSource.ts"
import { collect, offsetsOf, pass, someRecords, within } from "../support.ts"

const withTopics = Effect.gen(function* () {
  const cluster = makeInMemoryCluster({ location: "in-memory:9092" })
  for (const topic of ["orders", "payments"]) {
    yield* cluster.createTopic(topic, { partitions: 3 })
    for (const partition of [0, 1, 2]) yield* cluster.produce(topic, partition, someRecords(partition + 1))
  }
  return { cluster, source: makeKafkaSource(cluster.wire) }
})

const everyPartition = ["payments", "orders"].flatMap((topic) => [2, 0, 1].map((partition) => ({ topic, partition })))
const ends = [3, 1, 2, 3, 1, 2]

const counting = (cluster: InMemoryCluster) => {
  const asked: Array<{ readonly leader: number; readonly partitions: number; readonly kind: OffsetSpec }> = []
  const wire: KafkaWire = {
    ...cluster.wire,
    offsets: (leader, partitions, kind) => {
      asked.push({ leader, partitions: partitions.length, kind })
      return cluster.wire.offsets(leader, partitions, kind)
    }
  }
  return { asked, source: makeKafkaSource(wire) }
}

describe("KafkaSource.offsets", () => {
  it.effect("asks each leader once for all of its partitions, and keeps the order of the request", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withTopics
      const { asked, source } = counting(cluster)
      assert.deepStrictEqual(offsetsOf(yield* source.offsets(everyPartition, "highWatermark")), ends)
      assert.deepStrictEqual(asked.map(({ leader, partitions }) => [leader, partitions]).toSorted(), [
        [1, 2],
        [2, 2],
        [3, 2]
      ])
    })
  )

  it.effect("sends no request for no partitions", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withTopics
      assert.deepStrictEqual(yield* source.offsets([], "logStart"), [])
      assert.strictEqual((yield* cluster.counters).metadataRequests, 0)
    })
  )

  it.effect("keeps answers, and asks again only for partitions whose leader has moved", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withTopics
      const { asked, source } = counting(cluster)
      yield* cluster.inject({ _tag: "Code", code: 6 }, { operation: "offsets", node: 2, times: 2 })
      yield* cluster.inject({ _tag: "ConnectionLost" }, { operation: "offsets", node: 3 })
      const answers = yield* within("30 seconds", source.offsets(everyPartition, "lastStable"))
      assert.deepStrictEqual(offsetsOf(answers), ends)
      assert.strictEqual(asked.filter(({ leader }) => leader === 1).length, 1)
      assert.strictEqual(asked.filter(({ leader }) => leader === 2).length, 3)
      assert.strictEqual(asked.filter(({ leader }) => leader === 3).length, 2)
    })
  )

  it.effect("uses metadata of just before, and asks a leader that has moved since again at once", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withTopics
      yield* source.cluster
      yield* source.offsets(everyPartition, "highWatermark")
      assert.strictEqual((yield* cluster.counters).metadataRequests, 1)
      yield* cluster.moveLeader("orders", 0)
      // The test's clock stands still.
      assert.deepStrictEqual(offsetsOf(yield* source.offsets(everyPartition, "lastStable")), ends)
      assert.strictEqual((yield* cluster.counters).metadataRequests, 2)
      yield* pass("5 seconds")
      yield* source.offsets(everyPartition, "lastStable")
      assert.strictEqual((yield* cluster.counters).metadataRequests, 3)
    })
  )

  it.effect("waits for an election", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withTopics
      for (const node of [1, 2, 3]) yield* cluster.stopBroker(node)
      const fiber = yield* Effect.forkChild(source.offsets(everyPartition, "lastStable"))
      yield* pass("20 seconds")
      yield* cluster.startBroker(2)
      yield* pass("10 seconds")
      assert.deepStrictEqual(offsetsOf(yield* Fiber.join(fiber)), ends)
    })
  )

  it.effect("continues as long as answers arrive, however long that takes in total", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withTopics
      const readyAtMillis = new Map([
        [1, 0],
        [2, 40_000],
        [3, 80_000]
      ])
      const wire: KafkaWire = {
        ...cluster.wire,
        offsets: (leader, partitions, kind) =>
          Effect.flatMap(Clock.currentTimeMillis, (nowMillis) =>
            nowMillis >= readyAtMillis.get(leader)!
              ? cluster.wire.offsets(leader, partitions, kind)
              : Effect.succeed(partitions.map(() => ({ errorCode: 5, offset: -1 })))
          )
      }
      const answers = yield* within("2 minutes", makeKafkaSource(wire).offsets(everyPartition, "lastStable"))
      assert.deepStrictEqual(offsetsOf(answers), ends)
    })
  )

  it.effect("gives up after a minute with the last reason", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withTopics
      yield* cluster.inject({ _tag: "Code", code: 6 }, { operation: "offsets", times: Infinity })
      const error = yield* Effect.flip(within("2 minutes", source.offsets(everyPartition, "lastStable")))
      assert.include({ ...error.reason }, { _tag: "ProtocolFailure", code: 6 })
      assert.isTrue(error.isRetryable)
    })
  )

  it.effect("fails at once, naming topic and operation, when Describe is denied", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withTopics
      yield* cluster.deny("Describe", "payments")
      const error = yield* Effect.flip(source.offsets(everyPartition, "lastStable"))
      assert.include(
        { ...error.reason },
        { _tag: "KafkaAuthorizationFailed", resource: "topic payments", missing: "Describe" }
      )
    })
  )

  it.effect("reports a topic as deleted when it stays unknown", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withTopics
      yield* cluster.deleteTopic("payments")
      const error = yield* Effect.flip(within("2 minutes", source.offsets(everyPartition, "lastStable")))
      assert.include({ ...error.reason }, { _tag: "TopicVanished", topic: "payments" })
    })
  )

  it.effect("splits a request for very many partitions", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withTopics
      yield* cluster.createTopic("wide", { partitions: 3600 })
      const { asked, source } = counting(cluster)
      const partitions = Array.from({ length: 3600 }, (_, partition) => ({ topic: "wide", partition }))
      assert.strictEqual((yield* source.offsets(partitions, "logStart")).length, 3600)
      assert.deepStrictEqual(
        asked.map((each) => each.partitions).toSorted((a, b) => b - a),
        [1000, 1000, 1000, 200, 200, 200]
      )
    })
  )
})

describe("KafkaSource's other requests", () => {
  it.effect("are repeated when the connection is lost", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withTopics
      yield* cluster.commitGroupOffsets("g", [{ topic: "orders", partition: 1, offset: 1 }])
      const lose = cluster.inject({ _tag: "ConnectionLost" }, { operation: "metadata", times: 4 })
      yield* lose
      assert.strictEqual((yield* within("30 seconds", source.cluster)).topics.length, 2)
      yield* lose
      assert.strictEqual((yield* within("30 seconds", source.lookup(["orders"])))[0]?._tag, "Found")
      yield* lose
      assert.strictEqual((yield* within("30 seconds", source.topicConfigs(["orders"]))).size, 1)
      yield* lose
      assert.strictEqual((yield* within("30 seconds", source.groupOffsets(["orders"])))[0]?.groupId, "g")
    })
  )

  it.effect("end within a minute when no broker answers", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withTopics
      for (const node of [1, 2, 3]) yield* cluster.stopBroker(node)
      const error = yield* Effect.flip(within("2 minutes", source.cluster))
      assert.deepStrictEqual([error.reason._tag, error.isRetryable], ["BrokerUnreachable", true])
    })
  )

  it.effect("are not repeated when the credentials are refused", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withTopics
      let asked = 0
      const refused = new KafkaError({
        operation: "metadata",
        reason: new KafkaAuthenticationFailed({ detail: "bad password", advice: "check it" })
      })
      const wire: KafkaWire = { ...cluster.wire, metadata: () => Effect.suspend(() => (asked++, Effect.fail(refused))) }
      const source = makeKafkaSource(wire)
      assert.strictEqual(yield* Effect.flip(source.cluster), refused)
      assert.strictEqual(yield* Effect.flip(source.offsets(everyPartition, "logStart")), refused)
      const reading = source.read({ topic: "orders", partition: 0, from: 0, until: 1 })
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(reading)), refused)
      assert.strictEqual(asked, 3)
    })
  )

  it.effect("name the denied operation", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withTopics
      yield* cluster.deny("DescribeConfigs")
      yield* cluster.deny("DescribeGroups")
      assert.strictEqual((yield* Effect.flip(source.topicConfigs(["orders"]))).reason._tag, "KafkaAuthorizationFailed")
      assert.strictEqual((yield* Effect.flip(source.groupOffsets(["orders"]))).reason._tag, "KafkaAuthorizationFailed")
    })
  )

  it.effect("report an invalid topic name as missing", () =>
    Effect.gen(function* () {
      const { source } = yield* withTopics
      const names = ["..", "späte bestellungen", "x".repeat(250), ""]
      assert.deepStrictEqual(
        (yield* source.lookup(names)).map(({ _tag }) => _tag),
        names.map(() => "Missing")
      )
    })
  )

  it.effect("distinguish internal topics from others", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withTopics
      yield* cluster.createTopic("__consumer_offsets")
      const { topics } = yield* source.cluster
      assert.deepStrictEqual(
        topics.filter(({ isInternal }) => isInternal).map(({ name }) => name),
        ["__consumer_offsets"]
      )
    })
  )
})

describe("many readers of one source", () => {
  it.effect("share one request for metadata, also when they all lose their leader at once", () =>
    Effect.gen(function* () {
      const { cluster } = yield* withTopics
      yield* cluster.createTopic("wide", { partitions: 30 })
      for (let partition = 0; partition < 30; partition++) {
        for (let i = 0; i < 6; i++) yield* cluster.produce("wide", partition, someRecords(5, i * 5))
      }
      const source = makeKafkaSource(cluster.wire)
      yield* cluster.inject({ _tag: "Code", code: 6 }, { topic: "wide", after: 60, times: 30 })
      yield* cluster.inject({ _tag: "Delayed", millis: 1000 }, { operation: "metadata", times: Infinity })
      const partitions = Array.from({ length: 30 }, (_, partition) => partition)
      const reads = Effect.forEach(
        partitions,
        (partition) => collect(source, { topic: "wide", partition, from: 0, until: 30, fetchBytes: 1 }),
        { concurrency: "unbounded" }
      )
      const collected = yield* within("30 seconds", reads)
      assert.isTrue(collected.every(({ records }) => records.length === 30))
      assert.isAtMost((yield* cluster.counters).metadataRequests, 10)
    })
  )
})

describe("KafkaSource.unreadable", () => {
  const places = everyPartition.map((place, i) => ({ ...place, offset: ends[i]! }))

  it.effect("names the partitions of all topics that may not be read, with one request to each broker", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withTopics
      yield* cluster.deny("Read", "orders")
      const found = yield* source.unreadable(places)
      assert.deepStrictEqual(
        found,
        places.filter(({ topic }) => topic === "orders")
      )
      assert.strictEqual((yield* cluster.counters).fetches, 3)
    })
  )

  it.effect("asks again where a leader has moved, and leaves other faults of a partition to its reader", () =>
    Effect.gen(function* () {
      const { cluster, source } = yield* withTopics
      yield* cluster.deny("Read", "orders")
      yield* cluster.inject({ _tag: "Code", code: 6 }, { operation: "rights", node: 2 })
      yield* cluster.inject({ _tag: "ConnectionLost" }, { operation: "rights", node: 3 })
      const beyond = places.map((place) => ({ ...place, offset: 1000 }))
      const found = yield* within("30 seconds", source.unreadable(beyond))
      assert.strictEqual(found.length, 3)
      assert.isTrue(found.every(({ topic }) => topic === "orders"))
    })
  )
})

describe("readers of many topics", () => {
  it.effect("share one request for metadata, and one again when it has become old", () =>
    Effect.gen(function* () {
      const cluster = makeInMemoryCluster({ location: "in-memory:9092" })
      const topics = Array.from({ length: 40 }, (_, n) => `topic-${n}`)
      for (const topic of topics) {
        yield* cluster.createTopic(topic, { partitions: 1 })
        yield* cluster.produce(topic, 0, someRecords(3))
      }
      yield* cluster.inject({ _tag: "Delayed", millis: 100 }, { operation: "metadata", times: Infinity })
      const source = makeKafkaSource(cluster.wire)
      const readAll = within(
        "10 seconds",
        Effect.forEach(topics, (topic) => collect(source, { topic, partition: 0, from: 0, until: 3 }), {
          concurrency: "unbounded"
        })
      )
      assert.isTrue((yield* readAll).every(({ records }) => records.length === 3))
      const { metadataRequests } = yield* cluster.counters
      assert.isAtMost(metadataRequests, 2)
      yield* pass("6 minutes")
      for (const topic of topics)
        yield* within("10 seconds", collect(source, { topic, partition: 0, from: 0, until: 3 }))
      assert.strictEqual((yield* cluster.counters).metadataRequests, metadataRequests + 1)
    })
  )
})
