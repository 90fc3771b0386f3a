import { assert, describe, it } from "@effect/vitest"
import { crc32c } from "@node-rs/crc32"
import { Effect, type Scope } from "effect"
import { BatchAttribute, BatchHeader } from "../../src/kafka/batch/BatchHeader.ts"
import type { KafkaError } from "../../src/kafka/KafkaError.ts"
import type { Append, Appended, KafkaSinkShape, Producer } from "../../src/kafka/KafkaSink.ts"
import type { KafkaSourceShape } from "../../src/kafka/KafkaSource.ts"
import { codecs, type SealedCodec, sealed } from "../kafka/sealing.ts"
import { collect, offsetsOf } from "../kafka/support.ts"
import type { ContractRecord, KafkaDriver } from "./kafkaSource.ts"

/** What the suite needs done to a cluster. Topics must keep old timestamps (retention.ms=-1 on a real broker). */
export interface SinkDriver extends Pick<KafkaDriver, "createTopic" | "deleteTopic"> {
  /** A member joins the group and stays until the test ends. */
  readonly join: (groupId: string, topic: string) => Effect.Effect<void, unknown, Scope.Scope>
  /** A sink whose principal may describe `topic` and do nothing else. Absent where there is no authoriser. */
  readonly powerless?: (topic: string) => Effect.Effect<KafkaSinkShape, unknown, Scope.Scope>
  /** The brokers forget all idempotent producers. Absent where that cannot be driven. */
  readonly forgetProducers?: Effect.Effect<void>
}

export interface SinkSubject {
  readonly sink: KafkaSinkShape
  /** The same cluster. */
  readonly source: KafkaSourceShape
  readonly driver: SinkDriver
}

let topicNumber = 0
const freshName = (hint: string) => `sink.${hint}_${process.pid}-${++topicNumber}`

const timestamp = 1_700_000_000_000
const numbered = (count: number, from = 0): ReadonlyArray<ContractRecord> =>
  Array.from({ length: count }, (_, i) => ({
    key: `key-${from + i}`,
    value: `value-${from + i}`,
    timestamp: timestamp + from + i
  }))
const one = (at: number): ReadonlyArray<ContractRecord> => [{ key: "k", value: "v", timestamp: at }]

const codeOf = (reason: object) => ("code" in reason ? reason.code : undefined)
const appended = (baseOffset: number): Appended => ({ _tag: "Appended", baseOffset })

/** The tag of an outcome, and the error code that came with it. */
const outlined = (outcome: Appended) =>
  outcome._tag === "Appended" ? `Appended ${outcome.baseOffset}` : `${outcome._tag} ${String(codeOf(outcome.reason))}`

/**
 * The promises of `KafkaSink`, whatever stands behind it. `setup` runs once per test; what it acquires is released with
 * the test.
 */
export const kafkaSinkContract = (name: string, setup: Effect.Effect<SinkSubject, unknown, Scope.Scope>) => {
  /** A test; a body that ends with a text could not be driven, and is reported as skipped for that reason. */
  const fact = (text: string, body: (subject: SinkSubject) => Effect.Effect<void | string, unknown, Scope.Scope>) =>
    it(text, async ({ skip }) => {
      const reason = await Effect.runPromise(Effect.scoped(Effect.flatMap(setup, body)))
      if (typeof reason === "string") skip(reason)
    })

  const endsOf = (sink: KafkaSinkShape, topic: string, partition = 0) =>
    Effect.forEach(["logStart", "lastStable", "highWatermark", "logEnd"] as const, (kind) =>
      Effect.map(sink.offsets([{ topic, partition }], kind), ([end]) => end!.offset)
    )

  const endOf = (sink: KafkaSinkShape, topic: string) => Effect.map(endsOf(sink, topic), ([, , end]) => end!)

  const readAll = ({ sink, source }: SinkSubject, topic: string, from = 0) =>
    Effect.flatMap(endOf(sink, topic), (until) =>
      Effect.map(collect(source, { topic, partition: 0, from, until }), ({ records }) => records)
    )

  const text = (bytes: Buffer | null) => bytes?.toString() ?? null

  const reasonOf = (work: Effect.Effect<unknown, KafkaError>) => Effect.map(Effect.flip(work), ({ reason }) => reason)

  /** Appends of one producer to partition 0 of one topic, whose sequences count on. */
  const writerOf = (sink: KafkaSinkShape, topic: string, producer: Producer) => {
    let sequence = 0
    const at = (baseSequence: number, records: ReadonlyArray<ContractRecord>, codec?: SealedCodec): Append => ({
      topic,
      partition: 0,
      batch: sealed(records, { ...producer, baseSequence }, codec)
    })
    return {
      at: (baseSequence: number, count: number) => sink.append(at(baseSequence, numbered(count, baseSequence))),
      next: (records: ReadonlyArray<ContractRecord>, codec?: SealedCodec) =>
        Effect.suspend(() => {
          const append = at(sequence, records, codec)
          sequence += records.length
          return sink.append(append)
        })
    }
  }

  const topicWith = Effect.fnUntraced(function* (
    { driver, sink }: SinkSubject,
    hint: string,
    configs?: Readonly<Record<string, string>>
  ) {
    const topic = freshName(hint)
    yield* driver.createTopic(topic, 1, configs)
    const writer = writerOf(sink, topic, yield* sink.producer())
    return { topic, writer }
  })

  describe(`KafkaSink contract: ${name}`, () => {
    fact("is the cluster that the source reads", ({ sink, source }) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* sink.clusterId, (yield* source.cluster).clusterId)
        assert.strictEqual(sink.location, source.location)
      })
    )

    fact("appends records that are read back as they were given, at the offsets of the answers", (subject) =>
      Effect.gen(function* () {
        const { topic, writer } = yield* topicWith(subject, "equal")
        const written: ReadonlyArray<ContractRecord> = [
          { key: null, value: null, timestamp },
          { key: "", value: "", headers: [], timestamp: timestamp + 9 },
          {
            key: "k",
            value: "v",
            headers: [
              ["a", "1"],
              ["a", null],
              ["", ""]
            ],
            timestamp: timestamp - 5
          }
        ]
        assert.deepStrictEqual(yield* writer.next(written), appended(0))
        assert.deepStrictEqual(yield* writer.next(numbered(2)), appended(3))
        assert.deepStrictEqual(yield* endsOf(subject.sink, topic), [0, 5, 5, 5])
        const records = yield* readAll(subject, topic)
        assert.deepStrictEqual(offsetsOf(records), [0, 1, 2, 3, 4])
        assert.deepStrictEqual(
          records.slice(0, 3).map(({ key, value, headers, timestamp: at }) => ({
            key: text(key),
            value: text(value),
            headers: headers.map(([each, its]) => [text(each), text(its)]),
            timestamp: at
          })),
          written.map((record) => ({ ...record, headers: (record.headers ?? []).map(([each, its]) => [each, its]) }))
        )
      })
    )

    fact("appends batches of every codec", (subject) =>
      Effect.gen(function* () {
        const { topic, writer } = yield* topicWith(subject, "codecs")
        const names = Object.keys(codecs) as ReadonlyArray<SealedCodec>
        for (const [i, codec] of names.entries()) {
          assert.deepStrictEqual(yield* writer.next(numbered(500, i * 500), codec), appended(i * 500))
        }
        const records = yield* readAll(subject, topic)
        assert.deepStrictEqual(
          records.map(({ value }) => text(value)),
          numbered(500 * names.length).map(({ value }) => value)
        )
      })
    )

    fact("appends a batch of nearly a mebibyte", (subject) =>
      Effect.gen(function* () {
        const { topic, writer } = yield* topicWith(subject, "large")
        const values = ["a", "b", "c"].map((letter) => letter.repeat(300_000))
        const records = values.map((value) => ({ key: "k", value, timestamp }))
        assert.deepStrictEqual(yield* writer.next(records), appended(0))
        assert.deepStrictEqual(
          (yield* readAll(subject, topic)).map(({ value }) => text(value)),
          values
        )
      })
    )

    fact("appends batches of no producer, too", (subject) =>
      Effect.gen(function* () {
        const { topic } = yield* topicWith(subject, "plain")
        const batch = () => sealed(numbered(2))
        assert.deepStrictEqual(yield* subject.sink.append({ topic, partition: 0, batch: batch() }), appended(0))
        assert.deepStrictEqual(yield* subject.sink.append({ topic, partition: 0, batch: batch() }), appended(2))
      })
    )

    fact("keeps the order of the calls when several appends of a partition are under way", (subject) =>
      Effect.gen(function* () {
        const { topic, writer } = yield* topicWith(subject, "in-flight")
        for (let round = 0; round < 8; round++) {
          const outcomes = yield* Effect.forEach(
            [0, 1, 2, 3, 4],
            (i) => writer.next(numbered(3, (round * 5 + i) * 3), i % 2 === 0 ? "none" : "zstd"),
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual(
            outcomes,
            [0, 1, 2, 3, 4].map((i) => appended((round * 5 + i) * 3))
          )
        }
        assert.deepStrictEqual(
          (yield* readAll(subject, topic)).map(({ value }) => text(value)),
          numbered(120).map(({ value }) => value)
        )
      })
    )

    fact("answers a repeated batch with its first offset and appends nothing", (subject) =>
      Effect.gen(function* () {
        const { topic, writer } = yield* topicWith(subject, "repeated")
        for (let i = 0; i < 7; i++) assert.deepStrictEqual(yield* writer.at(i * 10, 10), appended(i * 10))
        assert.deepStrictEqual(yield* writer.at(60, 10), appended(60))
        assert.deepStrictEqual(yield* writer.at(20, 10), appended(20))
        assert.strictEqual(yield* endOf(subject.sink, topic), 70)
      })
    )

    fact("leaves it open whether a batch out of sequence is in the log", (subject) =>
      Effect.gen(function* () {
        const { topic, writer } = yield* topicWith(subject, "out-of-order")
        for (let i = 0; i < 7; i++) yield* writer.at(i * 10, 10)
        assert.strictEqual(outlined(yield* writer.at(0, 10)), "Unclear 45", "older than the newest five")
        assert.strictEqual(outlined(yield* writer.at(65, 10)), "Unclear 45", "an overlap")
        assert.strictEqual(outlined(yield* writer.at(65, 5)), "Unclear 45", "a part")
        assert.strictEqual(outlined(yield* writer.at(80, 10)), "Unclear 45", "a gap")
        assert.strictEqual(yield* endOf(subject.sink, topic), 70)
        assert.deepStrictEqual(yield* writer.at(70, 10), appended(70))
      })
    )

    fact("lets a producer begin at any sequence, and counts on behind 2^31 - 1 with 0", (subject) =>
      Effect.gen(function* () {
        const { writer } = yield* topicWith(subject, "wrap")
        assert.deepStrictEqual(yield* writer.at(2 ** 31 - 2, 4), appended(0))
        assert.deepStrictEqual(yield* writer.at(2, 3), appended(4))
        assert.strictEqual(outlined(yield* writer.at(6, 1)), "Unclear 45")
      })
    )

    fact("takes a later epoch that the client itself counts, and nothing of the epoch before from then on", (subject) =>
      Effect.gen(function* () {
        const { topic } = yield* topicWith(subject, "counted")
        const first = yield* subject.sink.producer()
        const before = writerOf(subject.sink, topic, first)
        const after = writerOf(subject.sink, topic, { ...first, producerEpoch: first.producerEpoch + 1 })
        assert.deepStrictEqual(yield* before.next(numbered(2)), appended(0))
        assert.deepStrictEqual(yield* after.next(numbered(2, 2)), appended(2))
        assert.strictEqual((yield* reasonOf(before.next(numbered(2, 4))))._tag, "ProducerFenced")
        assert.deepStrictEqual(yield* after.next(numbered(2, 4)), appended(4))
        assert.deepStrictEqual(yield* endsOf(subject.sink, topic), [0, 6, 6, 6])
      })
    )

    fact("appends a repeated batch again once the brokers have forgotten its producer", (subject) =>
      Effect.gen(function* () {
        if (subject.driver.forgetProducers === undefined) return "this driver makes no broker forget"
        const { writer } = yield* topicWith(subject, "forgotten")
        assert.deepStrictEqual(yield* writer.at(0, 2), appended(0))
        yield* subject.driver.forgetProducers
        assert.deepStrictEqual(yield* writer.at(0, 2), appended(2))
      })
    )

    fact("fences an earlier producer of a transactional id once its successor has written", (subject) =>
      Effect.gen(function* () {
        const { sink } = subject
        const { topic } = yield* topicWith(subject, "fenced")
        const id = `${topic}-writer`
        const former = yield* sink.producer(id)
        assert.deepStrictEqual(yield* sink.newestEpoch(id), former)
        const successor = yield* sink.producer(id)
        assert.strictEqual(successor.producerId, former.producerId)
        assert.strictEqual(successor.producerEpoch, former.producerEpoch + 1)
        assert.deepStrictEqual(yield* sink.newestEpoch(id), successor)

        const [zombie, heir] = [writerOf(sink, topic, former), writerOf(sink, topic, successor)]
        assert.deepStrictEqual(yield* zombie.at(0, 2), appended(0), "nothing was written by the successor yet")
        assert.deepStrictEqual(yield* heir.at(0, 1), appended(2))
        const refused = yield* reasonOf(zombie.at(2, 1))
        assert.strictEqual(refused._tag, "ProducerFenced")
        const marker = yield* reasonOf(sink.markers({ topic, partition: 0 }, former, 1))
        assert.strictEqual(marker._tag, "ProducerFenced")
        assert.deepStrictEqual(yield* heir.at(1, 1), appended(3))
      })
    )

    fact("gives every producer without a transactional id an id of its own", ({ sink }) =>
      Effect.gen(function* () {
        const [a, b] = [yield* sink.producer(), yield* sink.producer()]
        assert.notStrictEqual(a.producerId, b.producerId)
      })
    )

    fact("says by its code that a transactional id is unknown", ({ sink }) =>
      Effect.gen(function* () {
        const reason = yield* reasonOf(sink.newestEpoch(freshName("unknown")))
        assert.strictEqual(codeOf(reason), 105)
      })
    )

    fact("keeps old, negative and absent timestamps", (subject) =>
      Effect.gen(function* () {
        const { topic, writer } = yield* topicWith(subject, "old")
        const times = [1_000_000_000_000, 0, -5, -1]
        for (const [i, at] of times.entries()) assert.deepStrictEqual(yield* writer.next(one(at)), appended(i))
        const records = yield* readAll(subject, topic)
        assert.deepStrictEqual(
          records.map((record) => record.timestamp),
          times
        )
      })
    )

    fact("refuses timestamps in the future unless the topic allows them", (subject) =>
      Effect.gen(function* () {
        const { topic, writer } = yield* topicWith(subject, "future")
        const future = one(Date.now() + 24 * 3_600_000)
        const reason = yield* reasonOf(subject.sink.append({ topic, partition: 0, batch: sealed(future) }))
        assert.strictEqual(reason._tag, "BatchRefused")
        assert.strictEqual(codeOf(reason), 32)
        yield* subject.sink.alterConfigs(topic, { "message.timestamp.after.max.ms": "9223372036854775807" })
        assert.deepStrictEqual(yield* writer.next(future), appended(0))
      })
    )

    fact("has its timestamps replaced by a topic with LogAppendTime, and kept until it is one", (subject) =>
      Effect.gen(function* () {
        const { topic, writer } = yield* topicWith(subject, "stamped")
        yield* writer.next(one(timestamp))
        yield* subject.sink.alterConfigs(topic, { "message.timestamp.type": "LogAppendTime" })
        yield* writer.next(one(timestamp))
        const [kept, replaced] = yield* readAll(subject, topic)
        assert.strictEqual(kept?.timestamp, timestamp)
        assert.isAbove(replaced!.timestamp, timestamp)
      })
    )

    fact("refuses a record without a key on a compacted topic", (subject) =>
      Effect.gen(function* () {
        const { topic, writer } = yield* topicWith(subject, "compacted", { "cleanup.policy": "compact" })
        const batch = sealed([{ key: null, value: "v", timestamp }])
        const reason = yield* reasonOf(subject.sink.append({ topic, partition: 0, batch }))
        assert.strictEqual(reason._tag, "BatchRefused")
        assert.strictEqual(codeOf(reason), 87)
        assert.include(reason.message, "key")
        assert.deepStrictEqual(yield* writer.next(numbered(1)), appended(0))
      })
    )

    fact("refuses what is not one sound batch", (subject) =>
      Effect.gen(function* () {
        const { topic } = yield* topicWith(subject, "unsound")
        const [header, section] = sealed(numbered(3)) as [Buffer, Buffer]
        const append = (batch: ReadonlyArray<Buffer>) => subject.sink.append({ topic, partition: 0, batch })
        const codeFor = (batch: ReadonlyArray<Buffer>) => Effect.map(reasonOf(append(batch)), codeOf)
        /** The batch with changed fields and the checksum that they have. */
        const changed = (change: (copy: Buffer) => void) => {
          const copy = Buffer.from(header)
          change(copy)
          copy.writeUInt32BE(crc32c(section, crc32c(copy.subarray(BatchHeader.attributes))), BatchHeader.crc)
          return [copy, section]
        }
        const counting = (count: number, lastOffsetDelta: number) =>
          changed((copy) => {
            copy.writeInt32BE(count, BatchHeader.recordCount)
            copy.writeInt32BE(lastOffsetDelta, BatchHeader.lastOffsetDelta)
          })
        const control = changed((copy) => copy.writeInt16BE(BatchAttribute.control, BatchHeader.attributes))

        assert.strictEqual(yield* codeFor([header, section, header, section]), 87, "two batches")
        const moved = changed((copy) => copy.writeInt32BE(500, BatchHeader.baseOffset + 4))
        assert.strictEqual(yield* codeFor(moved), 87, "a base offset")
        assert.strictEqual(yield* codeFor(counting(3, 1_000_000)), 87, "fewer records than offsets")
        assert.strictEqual(yield* codeFor(counting(0, -1)), 87, "no records")
        assert.strictEqual(yield* codeFor(counting(4, 3)), 87, "a record that is missing")
        assert.strictEqual(yield* codeFor(control), 87, "a control batch")
        const damaged = [Buffer.from(header), section]
        damaged[0]!.writeInt32BE(1, BatchHeader.crc)
        assert.strictEqual(outlined(yield* append(damaged)), "NotYet 2", "a wrong checksum")
        assert.strictEqual(yield* endOf(subject.sink, topic), 0)
      })
    )

    fact("checks the offsets inside of compressed batches only", (subject) =>
      Effect.gen(function* () {
        const { topic } = yield* topicWith(subject, "deltas")
        const append = (codec: SealedCodec) =>
          subject.sink.append({ topic, partition: 0, batch: sealed(numbered(3), undefined, codec, [0, 0, 0]) })
        assert.strictEqual(outlined(yield* append("gzip")), "Unclear -1")
        assert.strictEqual(yield* endOf(subject.sink, topic), 0)
        assert.deepStrictEqual(yield* append("none"), appended(0))
        assert.strictEqual(yield* endOf(subject.sink, topic), 3)
        // No reader can make sense of it: suites that back up every topic are not to meet it.
        yield* subject.driver.deleteTopic(topic)
      })
    )

    fact("asks for no more replicas than a partition has", (subject) =>
      Effect.gen(function* () {
        const { writer } = yield* topicWith(subject, "few-replicas", { "min.insync.replicas": "9" })
        assert.deepStrictEqual(yield* writer.next(numbered(1)), appended(0))
      })
    )

    fact(
      "takes offsets with empty transactions, which no reader receives, and ends those of a predecessor",
      (subject) =>
        Effect.gen(function* () {
          const { sink } = subject
          const { topic } = yield* topicWith(subject, "empty-transactions")
          const place = { topic, partition: 0 }
          const writer = writerOf(sink, topic, yield* sink.producer())
          const ids = [1, 2, 3].map((number) => `${topic}-${number}`)
          const first = yield* sink.emptyTransactions(ids)
          assert.deepStrictEqual(yield* writer.next(numbered(2)), appended(0))
          assert.deepStrictEqual(yield* first(place, 2, 12), appended(2))
          assert.deepStrictEqual(yield* writer.next(numbered(1, 2)), appended(12), "no marker comes later")
          assert.strictEqual((yield* first(place, 12, 20))._tag, "Unclear", "the log ends at 13")
          const second = yield* sink.emptyTransactions(ids)
          assert.strictEqual((yield* reasonOf(first(place, 13, 14)))._tag, "ProducerFenced")
          assert.deepStrictEqual(yield* second(place, 13, 14), appended(13))
          assert.deepStrictEqual(yield* endsOf(sink, topic), [0, 14, 14, 14])
          assert.deepStrictEqual(offsetsOf(yield* readAll(subject, topic)), [0, 1, 12])
        })
    )

    fact("refuses a batch that is larger than max.message.bytes", (subject) =>
      Effect.gen(function* () {
        const { topic } = yield* topicWith(subject, "too-large", { "max.message.bytes": "1000" })
        const batch = sealed(numbered(100))
        const reason = yield* reasonOf(subject.sink.append({ topic, partition: 0, batch }))
        assert.strictEqual(codeOf(reason), 10)
        assert.include(reason.message, "max.message.bytes")
      })
    )

    fact("writes markers that take offsets and that no reader receives", (subject) =>
      Effect.gen(function* () {
        const { sink } = subject
        const { topic } = yield* topicWith(subject, "markers")
        const producer = yield* sink.producer(`${topic}-writer`)
        const writer = writerOf(sink, topic, producer)
        const place = { topic, partition: 0 }
        assert.deepStrictEqual(yield* writer.next(numbered(3)), appended(0))
        assert.deepStrictEqual(yield* sink.markers(place, producer, 1), appended(3))
        assert.deepStrictEqual(yield* writer.next(numbered(2, 3)), appended(4))
        assert.deepStrictEqual(yield* sink.markers(place, producer, 1500), appended(6))
        assert.deepStrictEqual(yield* writer.next(numbered(1, 5)), appended(1506), "sequences go on across markers")
        assert.deepStrictEqual(yield* endsOf(sink, topic), [0, 1507, 1507, 1507])
        assert.deepStrictEqual(offsetsOf(yield* readAll(subject, topic)), [0, 1, 2, 4, 5, 1506])
      })
    )

    fact("lets the log begin later, and never behind its end", (subject) =>
      Effect.gen(function* () {
        const { sink } = subject
        const { topic, writer } = yield* topicWith(subject, "log-start")
        yield* writer.next(numbered(10))
        yield* sink.deleteRecordsBefore({ topic, partition: 0 }, 10)
        assert.deepStrictEqual(yield* endsOf(sink, topic), [10, 10, 10, 10])
        assert.deepStrictEqual(yield* writer.next(numbered(2, 10)), appended(10))
        const reason = yield* reasonOf(sink.deleteRecordsBefore({ topic, partition: 0 }, 13))
        assert.strictEqual(codeOf(reason), 1)
        assert.deepStrictEqual(yield* endsOf(sink, topic), [10, 12, 12, 12])
      })
    )

    fact("never writes to a topic that was created again under the name", (subject) =>
      Effect.gen(function* () {
        const { driver, sink } = subject
        const { topic } = yield* topicWith(subject, "recreated")
        const [planned] = yield* sink.lookup([topic])
        if (planned?._tag !== "Found" || planned.topic.topicId === undefined) return "this cluster has no topic ids"
        const append = () =>
          sink.append({ topic, topicId: planned.topic.topicId, partition: 0, batch: sealed(numbered(1)) })
        assert.deepStrictEqual(yield* append(), appended(0))
        yield* driver.deleteTopic(topic)
        yield* driver.createTopic(topic, 1)
        const outcome = yield* Effect.result(append())
        // By an id that the leader does not know nothing is appended; newer metadata then shows the other topic.
        if (outcome._tag === "Success") assert.strictEqual(outlined(outcome.success), "NotYet 100")
        assert.strictEqual((yield* reasonOf(append()))._tag, "TopicRecreated")
        assert.strictEqual(yield* endOf(sink, topic), 0)
      })
    )

    fact("creates topics, says what becomes of each, and only checks them when asked to", ({ sink }) =>
      Effect.gen(function* () {
        const [fresh, existing, odd] = [freshName("created"), freshName("existing"), freshName("odd")]
        const topic = (each: string, more: object = {}) => ({
          name: each,
          partitions: 2,
          replicationFactor: 1,
          configs: { "retention.ms": "-1" },
          ...more
        })
        const codesOf = (outcomes: ReadonlyArray<{ readonly name: string; readonly errorCode: number }>) =>
          outcomes.map((outcome) => [outcome.name, outcome.errorCode])
        yield* sink.createTopics([topic(existing)])
        const wanted = [
          topic(fresh),
          topic(existing),
          topic(`${odd}-replicas`, { replicationFactor: 99 }),
          topic(`${odd}-config`, { configs: { "message.format.version": "3.0" } }),
          topic("x".repeat(250)),
          topic(`${odd}-defaults`, { partitions: -1, replicationFactor: -1 })
        ]
        const expected = [
          [fresh, 0],
          [existing, 36],
          [`${odd}-replicas`, 38],
          [`${odd}-config`, 40],
          ["x".repeat(250), 17],
          [`${odd}-defaults`, 0]
        ]
        const checked = yield* sink.createTopics(wanted, { validateOnly: true })
        assert.deepStrictEqual(codesOf(checked), expected)
        assert.include(checked[3]?.detail, "message.format.version")
        assert.deepStrictEqual(yield* sink.lookup([fresh]), [{ _tag: "Missing", name: fresh }])
        const outcomes = yield* sink.createTopics(wanted)
        assert.deepStrictEqual(codesOf(outcomes), expected)
        const [found] = yield* sink
          .lookup([fresh])
          .pipe(Effect.repeat({ until: ([each]) => each?._tag === "Found", times: 100 }))
        assert.strictEqual(found?._tag === "Found" ? found.topic.topicId : undefined, outcomes[0]?.topicId)
        assert.strictEqual(found?._tag === "Found" ? found.topic.partitions.length : 0, 2)
        const doomed = [fresh, existing, `${odd}-defaults`, odd].map((each) => ({ name: each }))
        assert.deepStrictEqual(codesOf(yield* sink.deleteTopics(doomed)), [
          [fresh, 0],
          [existing, 0],
          [`${odd}-defaults`, 0],
          [odd, 3]
        ])
        assert.deepStrictEqual(yield* sink.createTopics([]), [])
      })
    )

    fact("deletes exactly the topic of an id, and never another one of the same name", (subject) =>
      Effect.gen(function* () {
        const { driver, sink } = subject
        const [kept, fresh] = [freshName("kept"), freshName("by-id")]
        const idOf = (name: string) =>
          Effect.map(sink.lookup([name]), ([one]) => (one?._tag === "Found" ? one.topic.topicId : undefined))
        yield* driver.createTopic(kept, 1)
        yield* driver.createTopic(fresh, 1)
        const settled = Effect.repeat(idOf(kept), { until: (id) => id !== undefined, times: 100 })
        const first = yield* settled
        yield* driver.deleteTopic(kept)
        yield* driver.createTopic(kept, 1)
        const second = yield* Effect.repeat(idOf(kept), { until: (id) => id !== undefined && id !== first, times: 100 })
        const nobodys = crypto.randomUUID()
        const doomed = [
          { name: kept, topicId: first },
          { name: fresh, topicId: yield* idOf(fresh) },
          { name: "no-such-topic", topicId: nobodys }
        ]
        const codes = Effect.map(sink.deleteTopics(doomed), (all) => all.map((one) => [one.name, one.errorCode]))
        assert.deepStrictEqual(yield* codes, [
          [kept, 100],
          [fresh, 0],
          ["no-such-topic", 100]
        ])
        assert.strictEqual(yield* idOf(kept), second)
        // As after an answer that was lost.
        assert.deepStrictEqual((yield* codes)[1], [fresh, 100])
        assert.deepStrictEqual(
          (yield* sink.deleteTopics([{ name: kept, topicId: second }])).map(({ errorCode }) => errorCode),
          [0]
        )
      })
    )

    fact("creates more topics than one request may have partitions", ({ sink }) =>
      Effect.gen(function* () {
        const names = Array.from({ length: 11 }, (_, i) => `${freshName("many")}-${i}`)
        const outcomes = yield* sink.createTopics(
          names.map((each) => ({ name: each, partitions: 999, replicationFactor: 1, configs: {} })),
          { validateOnly: true }
        )
        assert.deepStrictEqual(
          outcomes.map((outcome) => [outcome.name, outcome.errorCode]),
          names.map((each) => [each, 0])
        )
      })
    )

    fact("sets and resets configurations of a topic, and leaves the others", (subject) =>
      Effect.gen(function* () {
        const { sink, source } = subject
        const configs = { "max.message.bytes": "2000000", "segment.ms": "1000000" }
        const { topic } = yield* topicWith(subject, "altered", configs)
        yield* sink.alterConfigs(topic, { "segment.ms": null, "min.cleanable.dirty.ratio": "0.25" })
        // The broker that is asked hears of the change from the controller, a moment later.
        const configsNow = Effect.map(source.topicConfigs([topic]), (found) => found.get(topic))
        const now = yield* Effect.repeat(configsNow, {
          until: (found) => found?.["min.cleanable.dirty.ratio"] === "0.25",
          times: 100
        })
        assert.strictEqual(now?.["max.message.bytes"], "2000000")
        assert.strictEqual(now?.["min.cleanable.dirty.ratio"], "0.25")
        assert.isUndefined(now?.["segment.ms"])
        const reason = yield* reasonOf(sink.alterConfigs(topic, { "no.such.config": "1" }))
        assert.strictEqual(codeOf(reason), 40)
        assert.include(reason.message, "no.such.config")
      })
    )

    fact("commits offsets of a group that did not exist, with metadata, and reads them back", (subject) =>
      Effect.gen(function* () {
        const { sink, source } = subject
        const { topic } = yield* topicWith(subject, "committed")
        const groupId = `${topic}-group`
        assert.deepStrictEqual(yield* sink.committedOffsets(groupId), [])
        const place = { topic, partition: 0 }
        yield* sink.commitOffsets(groupId, [{ ...place, offset: 1_000_000, metadata: "plan ä" }])
        assert.deepStrictEqual(yield* sink.committedOffsets(groupId), [
          { ...place, offset: 1_000_000, metadata: "plan ä" }
        ])
        const long = [{ ...place, offset: 2, metadata: "for an hour" }]
        yield* sink.commitOffsets(groupId, long, { keptMillis: 3_600_000 })
        assert.deepStrictEqual(yield* sink.committedOffsets(groupId), long)
        yield* sink.commitOffsets(groupId, [{ ...place, offset: 3 }])
        yield* sink.commitOffsets(groupId, [])
        assert.deepStrictEqual(yield* sink.committedOffsets(groupId), [{ ...place, offset: 3, metadata: "" }])
        const groups = yield* source.groupOffsets([topic])
        assert.deepStrictEqual(groups, [{ groupId, type: "classic", offsets: [{ ...place, offset: 3 }] }])
        yield* sink.commitOffsets(groupId, [{ ...place, offset: 4, metadata: "kept" }])
        const [kept] = yield* source.groupOffsets([topic])
        assert.deepStrictEqual(kept?.offsets, [{ ...place, offset: 4, metadata: "kept" }])
      })
    )

    fact("forgets offsets of a group, and only those that are named", (subject) =>
      Effect.gen(function* () {
        const { driver, sink } = subject
        const topic = freshName("forgotten")
        yield* driver.createTopic(topic, 2, { "retention.ms": "-1" })
        const groupId = `${topic}-group`
        const [first, second] = [
          { topic, partition: 0 },
          { topic, partition: 1 }
        ]
        yield* sink.deleteOffsets(groupId, [first])
        yield* sink.commitOffsets(groupId, [
          { ...first, offset: 1 },
          { ...second, offset: 2 }
        ])
        yield* sink.deleteOffsets(groupId, [
          first,
          { topic, partition: 9 },
          { topic: freshName("absent"), partition: 0 }
        ])
        assert.deepStrictEqual(yield* sink.committedOffsets(groupId), [{ ...second, offset: 2, metadata: "" }])
        yield* driver.join(groupId, topic)
        assert.strictEqual((yield* reasonOf(sink.deleteOffsets(groupId, [second])))._tag, "GroupActive")
      })
    )

    fact("lists groups with their type and state", (subject) =>
      Effect.gen(function* () {
        const { driver, sink } = subject
        const { topic } = yield* topicWith(subject, "listed")
        const [idle, busy] = [`${topic}-idle`, `${topic}-busy`]
        yield* sink.commitOffsets(idle, [{ topic, partition: 0, offset: 0 }])
        yield* driver.join(busy, topic)
        const found = (yield* sink.groups).filter(({ groupId }) => groupId.startsWith(topic))
        assert.deepStrictEqual(
          found.toSorted((a, b) => (a.groupId < b.groupId ? -1 : 1)),
          [
            { groupId: busy, type: "classic", state: "Stable" },
            { groupId: idle, type: "classic", state: "Empty" }
          ]
        )
      })
    )

    fact("finds the first record of a time or later, or the end of the log", (subject) =>
      Effect.gen(function* () {
        const { sink } = subject
        const { topic, writer } = yield* topicWith(subject, "times", { "retention.ms": "-1" })
        yield* writer.next(numbered(3))
        const at = (millis: number) =>
          Effect.map(sink.offsetsAtTime([{ topic, partition: 0 }], millis), ([found]) => found?.offset)
        assert.strictEqual(yield* at(0), 0)
        assert.strictEqual(yield* at(timestamp + 1), 1)
        assert.strictEqual(yield* at(timestamp + 3), 3)
      })
    )

    fact("finds a marker of a time or later as it finds a record", (subject) =>
      Effect.gen(function* () {
        const { sink } = subject
        const { topic } = yield* topicWith(subject, "marked", { "retention.ms": "-1" })
        const producer = yield* sink.producer(`${topic}-writer`)
        const writer = writerOf(sink, topic, producer)
        const place = { topic, partition: 0 }
        yield* writer.next(numbered(3))
        yield* sink.markers(place, producer, 1)
        yield* writer.next(numbered(2, 3))
        const at = (millis: number) => Effect.map(sink.offsetsAtTime([place], millis), ([found]) => found?.offset)
        assert.strictEqual(yield* at(timestamp + 2), 2)
        assert.strictEqual(yield* at(timestamp + 4), 3)
      })
    )

    fact("commits nothing for a topic that does not exist", ({ sink }) =>
      Effect.gen(function* () {
        const topic = freshName("absent")
        const groupId = `${topic}-group`
        const reason = yield* reasonOf(sink.commitOffsets(groupId, [{ topic, partition: 0, offset: 1 }]))
        assert.strictEqual(reason._tag, "TopicVanished")
        assert.notInclude(
          (yield* sink.groups).map((each) => each.groupId),
          groupId
        )
      })
    )

    fact("commits nothing for a partition that a topic does not have", (subject) =>
      Effect.gen(function* () {
        const { sink } = subject
        const { topic } = yield* topicWith(subject, "narrow")
        const groupId = `${topic}-group`
        const place = { topic, partition: 2_147_483_647 }
        assert.strictEqual(
          (yield* reasonOf(sink.commitOffsets(groupId, [{ ...place, offset: 0 }])))._tag,
          "TopicVanished"
        )
        assert.deepStrictEqual(yield* sink.committedOffsets(groupId), [])
        assert.notInclude(
          (yield* sink.groups).map((each) => each.groupId),
          groupId
        )
      })
    )

    fact("commits nothing for a group that has members", (subject) =>
      Effect.gen(function* () {
        const { driver, sink } = subject
        const { topic } = yield* topicWith(subject, "active")
        const groupId = `${topic}-group`
        yield* driver.join(groupId, topic)
        const reason = yield* reasonOf(sink.commitOffsets(groupId, [{ topic, partition: 0, offset: 1 }]))
        assert.strictEqual(reason._tag, "GroupActive")
        assert.include(reason.message, groupId)
      })
    )

    fact("asks for permissions on topics, whether they exist or not, and changes nothing", (subject) =>
      Effect.gen(function* () {
        const { sink } = subject
        const { topic } = yield* topicWith(subject, "asked")
        const names = [topic, freshName("unborn")]
        const topics = names.map((name) => ({ name, deletes: true }))
        const groupId = `${topic}-group`
        const transactionalId = `${topic}-unborn`
        assert.deepStrictEqual(yield* sink.missingRights({ topics, markers: true, transactionalId, groupId }), [])
        assert.strictEqual(codeOf(yield* reasonOf(sink.newestEpoch(transactionalId))), 105)
        assert.isAbove(yield* sink.brokerCount, 0)
        assert.strictEqual(yield* endOf(sink, topic), 0)
        const found = yield* sink.lookup(names)
        assert.deepStrictEqual(
          found.map(({ _tag }) => _tag),
          ["Found", "Missing"]
        )
        assert.deepStrictEqual(yield* sink.committedOffsets(`${topic}-group`), [])
      })
    )

    fact("names the permission that is missing", (subject) =>
      Effect.gen(function* () {
        if (subject.driver.powerless === undefined) return "this driver denies nothing"
        const { topic } = yield* topicWith(subject, "denied")
        const powerless = yield* subject.driver.powerless(topic)
        const producer = yield* subject.sink.producer()
        const place = { topic, partition: 0 }
        const lacks = (work: Effect.Effect<unknown, KafkaError>) =>
          Effect.map(Effect.flip(work), ({ advice }) => advice)
        const batch = sealed(numbered(1), { ...producer, baseSequence: 0 })
        assert.strictEqual(
          yield* lacks(powerless.append({ ...place, batch })),
          `grant the principal Write on topic ${topic}`
        )
        assert.strictEqual(yield* lacks(powerless.markers(place, producer, 1)), "grant the principal Alter on cluster")
        assert.strictEqual(
          yield* lacks(powerless.deleteRecordsBefore(place, 0)),
          `grant the principal Delete on topic ${topic}`
        )
        assert.strictEqual(
          yield* lacks(powerless.alterConfigs(topic, { "retention.ms": "1" })),
          `grant the principal AlterConfigs on topic ${topic}`
        )
        assert.strictEqual(
          yield* lacks(powerless.commitOffsets(`${topic}-group`, [{ ...place, offset: 0 }])),
          `grant the principal Read on group ${topic}-group`
        )
        assert.strictEqual(
          yield* lacks(powerless.producer(`${topic}-writer`)),
          `grant the principal Write on transactional id ${topic}-writer`
        )
        assert.strictEqual(
          yield* lacks(powerless.emptyTransactions([`${topic}-1`])),
          `grant the principal Write on transactional id ${topic}-1`
        )
        const asked = {
          topics: [{ name: topic, deletes: true }],
          markers: true,
          transactionalId: `${topic}-1`,
          groupId: `${topic}-group`
        }
        assert.sameDeepMembers(
          [...(yield* powerless.missingRights(asked))],
          [
            ...["Write", "AlterConfigs", "Delete"].map((operation) => ({ resource: `topic ${topic}`, operation })),
            { resource: "cluster", operation: "Alter" },
            { resource: `transactional id ${topic}-1`, operation: "Write" }
          ]
        )
        const [created] = yield* powerless.createTopics([
          { name: `${topic}-new`, partitions: 1, replicationFactor: 1, configs: {} }
        ])
        assert.include(created?.detail, `lacks Create on topic ${topic}-new`)
        const [found] = yield* subject.sink.lookup([topic])
        const topicId = found?._tag === "Found" ? found.topic.topicId : undefined
        assert.isDefined(topicId)
        for (const doomed of [{ name: topic }, { name: topic, topicId }]) {
          const [deleted] = yield* powerless.deleteTopics([doomed])
          assert.strictEqual(deleted?.errorCode, 29)
          assert.include(deleted?.detail, `lacks Delete on topic ${topic}`)
        }
        // Whether an id exists is no secret.
        const [unknown] = yield* powerless.deleteTopics([{ name: topic, topicId: crypto.randomUUID() }])
        assert.strictEqual(unknown?.errorCode, 100)
        assert.strictEqual(yield* endOf(subject.sink, topic), 0)
      })
    )
  })
}
