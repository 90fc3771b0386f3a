import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { BrokerUnreachable, KafkaError } from "../../../src/kafka/KafkaError.ts"
import { makeInMemoryCluster } from "../../../src/kafka/memory/InMemoryCluster.ts"
import type { Fault } from "../../../src/kafka/memory/InMemoryFaults.ts"
import { makeKafkaSource } from "../../../src/kafka/read/WireKafkaSource.ts"
import { inGroups } from "../../../src/kafka/write/TopicChanges.ts"
import { makeGuardedSink, makeKafkaSink } from "../../../src/kafka/write/WireKafkaSink.ts"
import { sealed } from "../sealing.ts"
import { collect, settle, someRecords, within } from "../support.ts"

const scene = Effect.gen(function* () {
  // The records are of November 2023.
  yield* TestClock.setTime(1_700_000_000_000)
  const cluster = makeInMemoryCluster({ location: "in-memory:9092" })
  yield* cluster.createTopic("orders", { partitions: 2 })
  const sink = makeKafkaSink(cluster.writeWire)
  const producer = yield* sink.producer()
  const append = (baseSequence: number, partition = 0) =>
    sink.append({
      topic: "orders",
      partition,
      batch: sealed(someRecords(2, baseSequence), { ...producer, baseSequence })
    })
  const end = (partition = 0) =>
    Effect.map(sink.offsets([{ topic: "orders", partition }], "highWatermark"), ([offset]) => offset!.offset)
  return { cluster, sink, producer, append, end }
})

const late = (millis: number): Fault => ({ _tag: "Delayed", millis })

describe("KafkaSink.append", () => {
  it.effect("sends one batch after the other without waiting for answers", () =>
    Effect.gen(function* () {
      const { append, cluster, end } = yield* scene
      yield* cluster.inject(late(1000), { operation: "produce", times: 5 })
      const fibers = yield* Effect.forEach([0, 2, 4, 6, 8], (sequence) => Effect.forkChild(append(sequence)))
      yield* settle
      assert.strictEqual(yield* end(), 10, "all were appended before the first answer arrived")
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(
        (yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))).map(({ _tag }) => _tag),
        fibers.map(() => "Appended")
      )
    })
  )

  it.effect("leaves all batches in flight unclear when their connection is lost", () =>
    Effect.gen(function* () {
      const { append, cluster, end } = yield* scene
      yield* cluster.inject(late(1000), { operation: "produce", times: 2 })
      yield* cluster.inject({ _tag: "AnswerLost" }, { operation: "produce" })
      const outcomes = yield* Effect.forEach([0, 2, 4], (sequence) => append(sequence), { concurrency: "unbounded" })
      assert.deepStrictEqual(
        outcomes.map(({ _tag }) => _tag),
        ["Unclear", "Unclear", "Unclear"]
      )
      assert.strictEqual(yield* end(), 6)
      assert.deepStrictEqual(yield* append(6), { _tag: "Appended", baseOffset: 6 }, "another connection serves")
    })
  )

  it.effect("does not send what waits behind a batch whose connection was lost", () =>
    Effect.gen(function* () {
      const { append, cluster, end } = yield* scene
      yield* cluster.inject(late(1000), { operation: "metadata" })
      yield* cluster.inject({ _tag: "ConnectionLost" }, { operation: "produce" })
      const outcomes = yield* Effect.forkChild(
        Effect.forEach([0, 2, 4], (sequence) => append(sequence), { concurrency: "unbounded" })
      )
      yield* settle
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(
        (yield* Fiber.join(outcomes)).map(({ _tag }) => _tag),
        ["Unclear", "NotYet", "NotYet"]
      )
      assert.strictEqual(yield* end(), 0, "a broker that knows no sequence would have taken the second as the first")
      assert.deepStrictEqual(yield* append(0), { _tag: "Appended", baseOffset: 0 })
    })
  )

  it.effect("lets other partitions go on when one is stuck", () =>
    Effect.gen(function* () {
      const { append, cluster } = yield* scene
      yield* cluster.inject(late(60_000), { operation: "produce", partition: 0 })
      const stuck = yield* Effect.forkChild(append(0))
      yield* settle
      assert.deepStrictEqual(yield* append(0, 1), { _tag: "Appended", baseOffset: 0 })
      yield* TestClock.adjust(60_000)
      assert.deepStrictEqual(yield* Fiber.join(stuck), { _tag: "Appended", baseOffset: 0 })
    })
  )

  it.effect("does not take an interrupted batch for appended", () =>
    Effect.gen(function* () {
      const { append, cluster } = yield* scene
      yield* cluster.inject(late(60_000), { operation: "produce" })
      const interrupted = yield* Effect.forkChild(append(0))
      yield* settle
      yield* Fiber.interrupt(interrupted)
      assert.deepStrictEqual(yield* append(0), { _tag: "Appended", baseOffset: 0 }, "the repetition is recognised")
    })
  )

  it.effect("may take effect after its connection was lost", () =>
    Effect.gen(function* () {
      const { append, cluster, end } = yield* scene
      yield* cluster.inject({ _tag: "LateEffect", millis: 5000 }, { operation: "produce" })
      assert.strictEqual((yield* append(0))._tag, "Unclear")
      assert.strictEqual(yield* end(), 0)
      yield* TestClock.adjust(5000)
      yield* settle
      assert.strictEqual(yield* end(), 2)
    })
  )

  it.effect("finds the new leader when leadership has moved", () =>
    Effect.gen(function* () {
      const { append, cluster } = yield* scene
      assert.deepStrictEqual(yield* append(0), { _tag: "Appended", baseOffset: 0 })
      yield* cluster.moveLeader("orders", 0)
      assert.strictEqual((yield* append(2))._tag, "Unclear")
      assert.deepStrictEqual(yield* append(2), { _tag: "Appended", baseOffset: 2 })
    })
  )

  it.effect("waits for a leader and for replicas only as long as its caller wants", () =>
    Effect.gen(function* () {
      const { append, cluster, sink } = yield* scene
      yield* sink.alterConfigs("orders", { "min.insync.replicas": "3" })
      yield* cluster.stopBroker(3)
      assert.strictEqual((yield* append(0))._tag, "NotYet")
      yield* cluster.stopBroker(1)
      yield* cluster.stopBroker(2)
      assert.strictEqual((yield* append(0))._tag, "NotYet")
      for (const node of [1, 2, 3]) yield* cluster.startBroker(node)
      assert.deepStrictEqual(yield* append(0), { _tag: "Appended", baseOffset: 0 })
    })
  )

  it.effect("holds the next batch back for as long as the broker asks", () =>
    Effect.gen(function* () {
      const { append, cluster, end } = yield* scene
      yield* cluster.inject({ _tag: "Throttled", millis: 2000 }, { operation: "produce" })
      assert.deepStrictEqual(yield* append(0), { _tag: "Appended", baseOffset: 0 })
      const next = yield* Effect.forkChild(append(2))
      yield* TestClock.adjust(1999)
      yield* settle
      assert.strictEqual(yield* end(), 2)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* Fiber.join(next), { _tag: "Appended", baseOffset: 2 })
    })
  )

  it.effect("fails once its topic has been gone for 30 seconds", () =>
    Effect.gen(function* () {
      const { append, cluster } = yield* scene
      yield* append(0)
      yield* cluster.deleteTopic("orders")
      assert.strictEqual((yield* append(2))._tag, "Unclear")
      assert.strictEqual((yield* append(0))._tag, "NotYet")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Effect.flip(append(0))).reason._tag, "TopicVanished")
    })
  )

  it.effect("forgets a producer one day after its newest record, however new its write is", () =>
    Effect.gen(function* () {
      const { append, end } = yield* scene
      assert.deepStrictEqual(yield* append(0), { _tag: "Appended", baseOffset: 0 })
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* append(0), { _tag: "Appended", baseOffset: 0 })
      yield* TestClock.adjust("24 hours")
      assert.deepStrictEqual(yield* append(0), { _tag: "Appended", baseOffset: 2 }, "appended a second time")
      assert.strictEqual(yield* end(), 4)
    })
  )

  it.effect("is held back by the guard of its leader before it is sent, never afterwards", () =>
    Effect.gen(function* () {
      const { cluster } = yield* scene
      const asked: Array<number | "any"> = []
      let isOpen = false
      const unreachable = new KafkaError({
        operation: "produce",
        reason: new BrokerUnreachable({ detail: "held back", advice: "wait", transient: true })
      })
      const guarded = makeGuardedSink(cluster.writeWire, {
        budgetMillis: 1000,
        guard: (node) => (call) =>
          Effect.suspend(() => {
            asked.push(node)
            return node === "any" || isOpen ? call : Effect.fail(unreachable)
          })
      })
      const append = () => guarded.append({ topic: "orders", partition: 1, batch: sealed(someRecords(1)) })
      assert.deepStrictEqual(yield* append(), { _tag: "NotYet", reason: unreachable.reason })
      isOpen = true
      assert.deepStrictEqual(yield* append(), { _tag: "Appended", baseOffset: 0 })
      assert.deepStrictEqual(asked, ["any", 2, "any", 2])
    })
  )
})

describe("KafkaSink.markers", () => {
  const place = { topic: "orders", partition: 0 }

  it.effect("are unclear when the answer is lost, after a part of them, or when the end is unknown", () =>
    Effect.gen(function* () {
      const { cluster, end, producer, sink } = yield* scene
      yield* cluster.inject({ _tag: "AnswerLost" }, { operation: "markers" })
      assert.strictEqual((yield* sink.markers(place, producer, 3))._tag, "Unclear")
      assert.strictEqual(yield* end(), 3)
      yield* cluster.inject({ _tag: "Code", code: 19 }, { operation: "markers" })
      assert.strictEqual((yield* sink.markers(place, producer, 3))._tag, "NotYet")
      yield* cluster.inject({ _tag: "Code", code: 19 }, { operation: "markers", after: 1 })
      assert.strictEqual((yield* sink.markers(place, producer, 1001))._tag, "Unclear")
      assert.strictEqual(yield* end(), 1003)
      yield* cluster.inject({ _tag: "ConnectionLost" }, { operation: "offsets" })
      assert.strictEqual((yield* sink.markers(place, producer, 1))._tag, "Unclear")
    })
  )

  it.effect("are not delivered, and begin at the offset of the answer", () =>
    Effect.gen(function* () {
      const { append, cluster, producer, sink } = yield* scene
      yield* append(0)
      assert.deepStrictEqual(yield* sink.markers(place, producer, 2500), { _tag: "Appended", baseOffset: 2 })
      const source = makeKafkaSource(cluster.wire)
      const { records } = yield* collect(source, { ...place, from: 0, until: 2502 })
      assert.strictEqual(records.length, 2)
    })
  )
})

describe("control requests of a sink", () => {
  it.effect("are repeated while their coordinator moves or answers are lost", () =>
    Effect.gen(function* () {
      const { cluster, sink } = yield* scene
      const offsets = [{ topic: "orders", partition: 1, offset: 4, metadata: "m" }]
      yield* cluster.inject({ _tag: "Code", code: 16 }, { operation: "groups" })
      yield* cluster.inject({ _tag: "AnswerLost" }, { operation: "groups" })
      yield* within("10 seconds", sink.commitOffsets("g", offsets))
      yield* cluster.inject({ _tag: "Code", code: 88 }, { operation: "groups" })
      assert.deepStrictEqual(yield* within("10 seconds", sink.committedOffsets("g")), offsets)
      yield* cluster.inject({ _tag: "Code", code: 51 }, { operation: "producer" })
      assert.strictEqual((yield* within("10 seconds", sink.producer("id"))).producerEpoch, 0)
      yield* cluster.inject({ _tag: "Code", code: 41 }, { operation: "topics" })
      const topic = { name: "new", partitions: 1, replicationFactor: 1, configs: {} }
      const [created] = yield* within("10 seconds", sink.createTopics([topic]))
      assert.strictEqual(created?.errorCode, 0)
      yield* cluster.inject({ _tag: "Code", code: 6 }, { operation: "records" })
      yield* within("10 seconds", sink.deleteRecordsBefore({ topic: "orders", partition: 0 }, 0))
    })
  )

  it.effect("fail after their time limit", () =>
    Effect.gen(function* () {
      const { cluster, sink } = yield* scene
      yield* cluster.inject({ _tag: "Code", code: 15 }, { operation: "producer", times: 1000 })
      const error = yield* within("2 minutes", Effect.flip(sink.producer("id")))
      assert.strictEqual(error.operation, "producer")
      assert.isTrue(error.isRetryable)
    })
  )
})

describe("a topic that a sink created", () => {
  it.effect("has as many replicas as it asked for", () =>
    Effect.gen(function* () {
      const { cluster, sink } = yield* scene
      const topic = { name: "single", partitions: 3, replicationFactor: 1, configs: {} }
      yield* sink.createTopics([topic])
      const [found] = yield* sink.lookup(["single"])
      assert.deepStrictEqual(found?._tag === "Found" ? found.topic.partitions : [], [
        { partition: 0, leader: 1, replicas: 1 },
        { partition: 1, leader: 2, replicas: 1 },
        { partition: 2, leader: 3, replicas: 1 }
      ])
      yield* cluster.stopBroker(2)
      yield* cluster.stopBroker(3)
      yield* cluster.startBroker(3)
      const batch = () => sealed(someRecords(1))
      assert.strictEqual((yield* sink.append({ topic: "single", partition: 1, batch: batch() }))._tag, "NotYet")
      assert.deepStrictEqual(yield* sink.append({ topic: "single", partition: 2, batch: batch() }), {
        _tag: "Appended",
        baseOffset: 0
      })
    })
  )
})

describe("a broker that deletes topics by name alone", () => {
  it.effect("is asked for the id first, and deletes no other topic of the same name", () =>
    Effect.gen(function* () {
      const { cluster } = yield* scene
      const payments = yield* cluster.createTopic("payments")
      const asked: Array<string> = []
      const sink = makeKafkaSink({
        ...cluster.writeWire,
        // As DeleteTopics 5.
        deleteTopics: (topics) => {
          const named = topics.filter(({ topicId }) => topicId === undefined)
          asked.push(...named.map(({ name }) => name))
          return Effect.map(cluster.writeWire.deleteTopics(named), (outcomes) =>
            topics.flatMap(
              ({ name, topicId }) =>
                (topicId === undefined ? outcomes.find((one) => one.name === name) : undefined) ?? {
                  name,
                  errorCode: 35,
                  detail: undefined
                }
            )
          )
        }
      })
      yield* cluster.createTopic("hidden")
      yield* cluster.deny("Describe", "hidden")
      const outcomes = yield* sink.deleteTopics([
        { name: "payments", topicId: payments },
        { name: "orders", topicId: crypto.randomUUID() },
        { name: "hidden", topicId: crypto.randomUUID() },
        { name: "gone" }
      ])
      assert.deepStrictEqual(
        outcomes.map(({ errorCode, name }) => [name, errorCode]),
        [
          ["payments", 0],
          ["orders", 100],
          ["hidden", 29],
          ["gone", 3]
        ]
      )
      assert.deepStrictEqual(asked, ["gone", "payments"])
      const found = yield* sink.lookup(["payments", "orders"])
      assert.deepStrictEqual(
        found.map(({ _tag }) => _tag),
        ["Missing", "Found"]
      )
    })
  )
})

describe("topics to create", () => {
  const sizes = (partitions: ReadonlyArray<number>) =>
    inGroups(
      partitions.map((count) => ({ name: "t", partitions: count, replicationFactor: 1, configs: {} })),
      10
    ).map((group) => group.map((topic) => topic.partitions))

  it("are sent in order, in requests of at most so many partitions", () => {
    assert.deepStrictEqual(sizes([]), [])
    assert.deepStrictEqual(sizes([4, 6, 1, 10, 3, -1, 6]), [[4, 6], [1], [10], [3, -1, 6]])
    assert.deepStrictEqual(sizes([11, 12, 1]), [[11], [12], [1]])
  })
})
