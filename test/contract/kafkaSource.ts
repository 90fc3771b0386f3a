import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope, Stream } from "effect"
import type { KafkaSourceShape } from "../../src/kafka/KafkaSource.ts"
import type { ProducerCodec } from "../../src/kafka/batch/RecordBatchEncoding.ts"
import { collect, type Collected, offsetsOf } from "../kafka/support.ts"

/** A record that every producer can write. */
export interface ContractRecord {
  readonly key: string | null
  readonly value: string | null
  /** In order, with duplicates; values may be null. */
  readonly headers?: ReadonlyArray<readonly [string, string | null]>
  /** Milliseconds since 1970. */
  readonly timestamp: number
}

/** What the suite needs done to a cluster. Topics must keep old timestamps (retention.ms=-1 on a real broker). */
export interface KafkaDriver {
  /** Codecs that the driver's producer can write. */
  readonly codecs: ReadonlyArray<ProducerCodec>
  readonly createTopic: (
    name: string,
    partitions: number,
    configs?: Readonly<Record<string, string>>
  ) => Effect.Effect<void, unknown>
  readonly deleteTopic: (name: string) => Effect.Effect<void, unknown>
  /** Appends the records in order; done when they are acknowledged. */
  readonly produce: (
    topic: string,
    partition: number,
    records: ReadonlyArray<ContractRecord>,
    codec: ProducerCodec
  ) => Effect.Effect<void, unknown>
  /** The same in one transaction, which is then ended, or left open until the test ends. */
  readonly transact: (
    topic: string,
    partition: number,
    records: ReadonlyArray<ContractRecord>,
    end: "commit" | "abort" | "open"
  ) => Effect.Effect<void, unknown, Scope.Scope>
  readonly deleteRecordsBefore: (topic: string, partition: number, offset: number) => Effect.Effect<void, unknown>
  /** Compacts all but the newest batch. Absent where that cannot be driven. */
  readonly compact?: (topic: string, partition: number) => Effect.Effect<void, unknown>
  /** Makes another broker the leader. Absent where there is no other. */
  readonly moveLeader?: (topic: string, partition: number) => Effect.Effect<void, unknown>
  /** Takes Describe on the topic away from the source's principal. Absent where there is no authoriser. */
  readonly denyDescribe?: (topic: string) => Effect.Effect<void, unknown>
  readonly commitGroupOffset: (
    groupId: string,
    topic: string,
    partition: number,
    offset: number
  ) => Effect.Effect<void, unknown>
}

export interface KafkaSubject {
  readonly source: KafkaSourceShape
  readonly driver: KafkaDriver
}

let topicNumber = 0
const freshTopic = (hint: string) => `contract.${hint}_${process.pid}-${++topicNumber}`

const timestamp = 1_700_000_000_000
const numbered = (count: number, from = 0): ReadonlyArray<ContractRecord> =>
  Array.from({ length: count }, (_, i) => ({
    key: `key-${from + i}`,
    value: `value-${from + i}`,
    timestamp: timestamp + from + i
  }))
const values = (collected: Collected) => collected.records.map(({ value }) => value?.toString() ?? null)
const valuesOf = (records: ReadonlyArray<ContractRecord>) => records.map(({ value }) => value)

/**
 * The promises of `KafkaSource`, whatever stands behind it. `setup` runs once per test; what it acquires is released
 * with the test. First and last batch of a read may overlap the range: consumers drop records outside of it, as
 * `collect` does.
 */
export const kafkaSourceContract = (name: string, setup: Effect.Effect<KafkaSubject, unknown, Scope.Scope>) => {
  /** A test; a body that ends with a text could not be driven, and is reported as skipped for that reason. */
  const fact = (text: string, body: (subject: KafkaSubject) => Effect.Effect<void | string, unknown, Scope.Scope>) =>
    it(text, async ({ skip }) => {
      const reason = await Effect.runPromise(Effect.scoped(Effect.flatMap(setup, body)))
      if (typeof reason === "string") skip(reason)
    })

  const endOf = (source: KafkaSourceShape, topic: string, partition = 0) =>
    Effect.map(source.offsets([{ topic, partition }], "lastStable"), ([end]) => end!.offset)

  const readAll = (source: KafkaSourceShape, topic: string, from = 0, partition = 0) =>
    Effect.flatMap(endOf(source, topic, partition), (until) => collect(source, { topic, partition, from, until }))

  describe(`KafkaSource contract: ${name}`, () => {
    fact("describes its cluster: id, topics, partitions, leaders", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("described")
        yield* driver.createTopic(topic, 3)
        const cluster = yield* source.cluster
        const found = cluster.topics.find((each) => each.name === topic)
        assert.isString(cluster.clusterId)
        assert.deepStrictEqual(
          found?.partitions.map(({ partition }) => partition),
          [0, 1, 2]
        )
        assert.isTrue(found?.partitions.every(({ leader, replicas }) => leader >= 0 && replicas >= 1))
        assert.isFalse(found?.isInternal)
      })
    )

    fact("answers for names in their order, and reports missing ones", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("present")
        const absent = freshTopic("absent")
        yield* driver.createTopic(topic, 1)
        const answers = yield* source.lookup([absent, topic, absent])
        assert.deepStrictEqual(
          answers.map(({ _tag }) => _tag),
          ["Missing", "Found", "Missing"]
        )
        assert.deepStrictEqual(yield* source.lookup([]), [])
        const again = yield* source.lookup([absent])
        assert.strictEqual(again[0]?._tag, "Missing", "asking must create nothing")
      })
    )

    fact("answers for lists of every length, and for names of every length", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("among-many")
        yield* driver.createTopic(topic, 1)
        // One letter more each time, so that every part of a request comes to lie everywhere.
        for (let letters = 1; letters <= 120; letters++) {
          const absent = Array.from({ length: letters }, (_, i) => `absent-${i}-${"x".repeat(letters)}`)
          const answers = yield* source.lookup([...absent, topic])
          assert.deepStrictEqual(
            answers.map(({ _tag }) => _tag),
            [...absent.map(() => "Missing"), "Found"]
          )
        }
      })
    )

    fact("distinguishes a topic without Describe from a missing one", ({ source, driver }) =>
      Effect.gen(function* () {
        if (driver.denyDescribe === undefined) return "this driver denies nothing"
        const topic = freshTopic("secret")
        yield* driver.createTopic(topic, 1)
        yield* driver.denyDescribe(topic)
        assert.deepStrictEqual(yield* source.lookup([topic]), [{ _tag: "Denied", name: topic }])
        assert.isFalse(
          (yield* source.cluster).topics.some((each) => each.name === topic),
          "it is hidden from lists"
        )
      })
    )

    fact("gives a re-created topic another id", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("recreated")
        const idNow = Effect.map(source.lookup([topic]), ([answer]) =>
          answer?._tag === "Found" ? answer.topic.topicId : undefined
        )
        yield* driver.createTopic(topic, 1)
        const before = yield* idNow
        yield* driver.deleteTopic(topic)
        yield* driver.createTopic(topic, 1)
        assert.isString(before)
        assert.notStrictEqual(yield* idNow, before)
      })
    )

    fact("returns offsets by partition, in the order of the request", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("offsets")
        yield* driver.createTopic(topic, 3)
        yield* driver.produce(topic, 0, numbered(7), "none")
        yield* driver.produce(topic, 2, numbered(2), "none")
        const partitions = [2, 1, 0].map((partition) => ({ topic, partition }))
        const ends = yield* source.offsets(partitions, "highWatermark")
        assert.deepStrictEqual(ends, [
          { topic, partition: 2, offset: 2 },
          { topic, partition: 1, offset: 0 },
          { topic, partition: 0, offset: 7 }
        ])
        assert.deepStrictEqual(offsetsOf(yield* source.offsets(partitions, "logStart")), [0, 0, 0])
      })
    )

    fact("finds topics readable at their ends, in front of records, and where they are empty", ({ source, driver }) =>
      Effect.gen(function* () {
        const [first, second] = [freshTopic("readable"), freshTopic("readable")]
        for (const topic of [first, second]) yield* driver.createTopic(topic, 3)
        yield* driver.produce(first, 0, numbered(7), "none")
        yield* driver.produce(second, 2, numbered(2), "none")
        const at = (topic: string, partition: number, offset: number) => ({ topic, partition, offset })
        const places = [at(second, 2, 2), at(first, 1, 0), at(first, 0, 3), at(second, 0, 0)]
        assert.deepStrictEqual(yield* source.unreadable(places), [])
        assert.deepStrictEqual(yield* source.unreadable([]), [])
      })
    )

    fact("says which epoch of the leader wrote the last batch, and where that epoch ends", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("epochs")
        yield* driver.createTopic(topic, 1)
        yield* driver.produce(topic, 0, numbered(5), "none")
        const epochOf = (from: number, until: number) =>
          source.read({ topic, partition: 0, from, until }).pipe(
            Stream.runFold(
              () => -1,
              (before, { leaderEpoch, release }) => {
                release()
                return leaderEpoch ?? before
              }
            )
          )
        const first = yield* epochOf(0, 5)
        assert.isAtLeast(first, 0)
        const ends = (leaderEpoch: number) =>
          Effect.map(source.lineage([{ topic, partition: 0, leaderEpoch }]), ([end]) => end)
        assert.deepStrictEqual(yield* ends(first), { topic, partition: 0, leaderEpoch: first, endOffset: 5 })
        // An epoch that the log has never seen, as that of another cluster.
        assert.isUndefined((yield* ends(first + 1000))?.leaderEpoch)
        // Records of aborted transactions and the marker count, although nothing of them is delivered.
        yield* driver.transact(topic, 0, numbered(3), "abort")
        const until = yield* endOf(source, topic)
        assert.strictEqual(yield* epochOf(5, until), first)
        assert.strictEqual((yield* ends(first))?.endOffset, until)
        if (driver.moveLeader === undefined) return
        yield* driver.moveLeader(topic, 0)
        yield* driver.produce(topic, 0, numbered(2), "none")
        const second = yield* epochOf(until, until + 2)
        assert.isAbove(second, first)
        assert.deepStrictEqual(yield* ends(first), { topic, partition: 0, leaderEpoch: first, endOffset: until })
        assert.strictEqual((yield* ends(second))?.endOffset, until + 2)
      })
    )

    fact(
      "gives lineage by partition, in the order of the request, and asks for nothing without one",
      ({ source, driver }) =>
        Effect.gen(function* () {
          const topic = freshTopic("lineages")
          yield* driver.createTopic(topic, 3)
          yield* driver.produce(topic, 0, numbered(7), "none")
          yield* driver.produce(topic, 2, numbered(2), "none")
          const places = [2, 1, 0].map((partition) => ({ topic, partition, leaderEpoch: 0 }))
          const ends = yield* source.lineage(places)
          assert.deepStrictEqual(
            ends.map(({ endOffset, partition }) => [partition, endOffset]),
            [
              [2, 2],
              [1, 0],
              [0, 7]
            ]
          )
          assert.deepStrictEqual(yield* source.lineage([]), [])
        })
    )

    fact("says whether old records are compacted away, and how long deletions are kept", ({ source, driver }) =>
      Effect.gen(function* () {
        const [plain, compacted] = [freshTopic("deleting"), freshTopic("compacting")]
        yield* driver.createTopic(plain, 1)
        yield* driver.createTopic(compacted, 1, {
          "cleanup.policy": "compact,delete",
          "delete.retention.ms": "3600000"
        })
        const cleanup = yield* source.cleanup([plain, compacted])
        assert.deepStrictEqual(cleanup.get(plain), { isCompacted: false, deleteRetentionMillis: 86_400_000 })
        assert.deepStrictEqual(cleanup.get(compacted), { isCompacted: true, deleteRetentionMillis: 3_600_000 })
        assert.strictEqual((yield* source.cleanup([])).size, 0)
      })
    )

    fact("reads nothing from an empty range, and so from an empty partition", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("empty")
        yield* driver.createTopic(topic, 1)
        assert.strictEqual(yield* endOf(source, topic), 0)
        assert.deepStrictEqual(yield* readAll(source, topic), { records: [], gaps: [], positions: [], fetchedBytes: 0 })
      })
    )

    fact("delivers the records of every codec as they were written", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("codecs")
        yield* driver.createTopic(topic, 1)
        const written: Array<ContractRecord> = []
        for (const codec of driver.codecs) {
          const records = numbered(500, written.length)
          yield* driver.produce(topic, 0, records, codec)
          written.push(...records)
        }
        const read = yield* readAll(source, topic)
        assert.deepStrictEqual(values(read), valuesOf(written))
        assert.deepStrictEqual(
          offsetsOf(read.records),
          written.map((_, i) => i)
        )
      })
    )

    fact(
      "keeps what is odd: null and empty keys and values, header order, duplicates, nulls, timestamps",
      ({ source, driver }) =>
        Effect.gen(function* () {
          const topic = freshTopic("odd")
          yield* driver.createTopic(topic, 1)
          const written: ReadonlyArray<ContractRecord> = [
            { key: null, value: null, timestamp },
            { key: "", value: "", headers: [], timestamp: 0 },
            {
              key: "k",
              value: null,
              headers: [
                ["a", "1"],
                ["a", null],
                ["", "x"],
                ["a", ""]
              ],
              timestamp: timestamp + 4_000_000_000
            },
            {
              key: null,
              value: "v",
              headers: [
                ["10", "a"],
                ["9", "b"],
                ["__proto__", "c"]
              ],
              timestamp: timestamp - 5_000_000_000
            }
          ]
          yield* driver.produce(topic, 0, written, "none")
          const text = (bytes: Buffer | null) => bytes?.toString() ?? null
          const { records } = yield* readAll(source, topic)
          assert.deepStrictEqual(
            records.map(({ key, value, headers, timestamp: at }) => ({
              key: text(key),
              value: text(value),
              headers: headers.map(([name, each]) => [text(name), text(each)]),
              timestamp: at
            })),
            written.map((record) => ({
              ...record,
              headers: (record.headers ?? []).map(([name, each]) => [name, each])
            }))
          )
        })
    )

    fact("reads many fetches in a row without hole or repetition", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("long")
        yield* driver.createTopic(topic, 1)
        for (let i = 0; i < 40; i++)
          yield* driver.produce(topic, 0, numbered(100, i * 100), i % 2 === 0 ? "none" : "gzip")
        const until = yield* endOf(source, topic)
        const read = yield* collect(source, { topic, partition: 0, from: 0, until, fetchBytes: 10_000 })
        assert.deepStrictEqual(values(read), valuesOf(numbered(4000)))
        assert.isAbove(read.positions.length, 5, "the range is larger than one fetch")
        assert.strictEqual(read.positions.at(-1), until)
        assert.isAbove(read.fetchedBytes, 40 * 100)
      })
    )

    fact("delivers a batch that is larger than the limit of the fetch", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("large")
        yield* driver.createTopic(topic, 1)
        const large = { key: "large", value: "x".repeat(200_000), timestamp }
        yield* driver.produce(topic, 0, [large], "none")
        yield* driver.produce(topic, 0, numbered(3), "none")
        const until = yield* endOf(source, topic)
        const read = yield* collect(source, { topic, partition: 0, from: 0, until, fetchBytes: 1000 })
        assert.deepStrictEqual(values(read), valuesOf([large, ...numbered(3)]))
      })
    )

    fact("starts and ends in the middle of batches", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("middle")
        yield* driver.createTopic(topic, 1)
        for (let i = 0; i < 5; i++) yield* driver.produce(topic, 0, numbered(10, i * 10), "lz4")
        for (const [from, until] of [
          [3, 47],
          [0, 1],
          [19, 20],
          [25, 26],
          [10, 20],
          [49, 50]
        ] as const) {
          const read = yield* collect(source, { topic, partition: 0, from, until })
          assert.deepStrictEqual(values(read), valuesOf(numbered(until - from, from)), `[${from}, ${until})`)
          assert.strictEqual(read.positions.at(-1), until)
        }
      })
    )

    fact("delivers committed transactions and no aborted ones", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("transactions")
        yield* driver.createTopic(topic, 1)
        yield* driver.produce(topic, 0, numbered(3), "none")
        yield* driver.transact(topic, 0, numbered(4, 10), "abort")
        yield* driver.transact(topic, 0, numbered(5, 20), "commit")
        yield* driver.transact(topic, 0, numbered(6, 30), "abort")
        yield* driver.produce(topic, 0, numbered(2, 40), "none")
        const read = yield* readAll(source, topic)
        assert.deepStrictEqual(values(read), valuesOf([...numbered(3), ...numbered(5, 20), ...numbered(2, 40)]))
      })
    )

    fact("ends when the range holds only aborted records", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("aborted")
        yield* driver.createTopic(topic, 1)
        yield* driver.transact(topic, 0, numbered(5), "abort")
        const until = yield* endOf(source, topic)
        assert.isAtLeast(until, 5)
        const read = yield* readAll(source, topic)
        assert.deepStrictEqual(read.records, [])
        assert.strictEqual(read.positions.at(-1), until)
      })
    )

    fact("sets the end before an open transaction, and reaches it", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("open")
        yield* driver.createTopic(topic, 1)
        yield* driver.produce(topic, 0, numbered(3), "none")
        yield* driver.transact(topic, 0, numbered(4, 10), "open")
        yield* driver.produce(topic, 0, numbered(2, 20), "none")
        const [high] = yield* source.offsets([{ topic, partition: 0 }], "highWatermark")
        assert.strictEqual(yield* endOf(source, topic), 3)
        assert.strictEqual(high?.offset, 9)
        assert.deepStrictEqual(values(yield* readAll(source, topic)), valuesOf(numbered(3)))
      })
    )

    fact("reports a range that was deleted before it was read, and continues after it", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("deleted")
        yield* driver.createTopic(topic, 1)
        for (let i = 0; i < 4; i++) yield* driver.produce(topic, 0, numbered(10, i * 10), "none")
        yield* driver.deleteRecordsBefore(topic, 0, 15)
        const [start] = yield* source.offsets([{ topic, partition: 0 }], "logStart")
        assert.strictEqual(start?.offset, 15)
        const read = yield* collect(source, { topic, partition: 0, from: 2, until: 40 })
        assert.deepStrictEqual(read.gaps, [{ from: 2, until: 15 }])
        // The batch that spans the new start may still be delivered whole; nothing at or behind the start may be lost.
        const kept = read.records.filter(({ offset }) => offset >= 15)
        assert.deepStrictEqual(
          offsetsOf(kept),
          numbered(25).map((_, i) => 15 + i)
        )
      })
    )

    fact("reports a range that was deleted altogether as one gap", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("all-deleted")
        yield* driver.createTopic(topic, 1)
        yield* driver.produce(topic, 0, numbered(10), "none")
        yield* driver.produce(topic, 0, numbered(10, 10), "none")
        yield* driver.deleteRecordsBefore(topic, 0, 20)
        const read = yield* collect(source, { topic, partition: 0, from: 3, until: 12 })
        assert.deepStrictEqual(read, { records: [], gaps: [{ from: 3, until: 12 }], positions: [12], fetchedBytes: 0 })
      })
    )

    fact("reads through the holes that compaction leaves", ({ source, driver }) =>
      Effect.gen(function* () {
        if (driver.compact === undefined) return "this driver does not compact"
        const topic = freshTopic("compacted")
        yield* driver.createTopic(topic, 1, { "cleanup.policy": "compact" })
        const round = (n: number) =>
          Array.from({ length: 6 }, (_, i) => ({ key: `k${i}`, value: `${n}-${i}`, timestamp: timestamp + n }))
        for (let n = 0; n < 5; n++) yield* driver.produce(topic, 0, round(n), "zstd")
        yield* driver.produce(topic, 0, [{ key: "k0", value: "last", timestamp }], "none")
        yield* driver.compact(topic, 0)
        const read = yield* readAll(source, topic)
        const latest = new Map(read.records.map(({ key, value }) => [key!.toString(), value!.toString()]))
        assert.isBelow(read.records.length, 31, "something was compacted away")
        assert.deepStrictEqual(
          [...latest].toSorted(),
          [["k0", "last"], ...[1, 2, 3, 4, 5].map((i) => [`k${i}`, `4-${i}`] as const)].map(([k, v]) => [k!, v!])
        )
      })
    )

    fact("fails by name when the topic is not the one that was planned", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("other")
        yield* driver.createTopic(topic, 1)
        const [planned] = yield* source.lookup([topic])
        if (planned?._tag !== "Found" || planned.topic.topicId === undefined) return "this cluster has no topic ids"
        const { topicId } = planned.topic
        yield* driver.deleteTopic(topic)
        yield* driver.createTopic(topic, 1)
        yield* driver.produce(topic, 0, numbered(3), "none")
        const error = yield* Effect.flip(collect(source, { topic, topicId, partition: 0, from: 0, until: 3 }))
        assert.strictEqual((error as { reason?: { _tag: string } }).reason?._tag, "TopicRecreated")
      })
    )

    fact("gives each reader of one partition all of its records", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("shared")
        yield* driver.createTopic(topic, 2)
        for (const partition of [0, 1]) yield* driver.produce(topic, partition, numbered(300), "snappy-xerial")
        const reads = yield* Effect.forEach([0, 1, 0, 1], (partition) => readAll(source, topic, 0, partition), {
          concurrency: 4
        })
        for (const read of reads) assert.deepStrictEqual(values(read), valuesOf(numbered(300)))
      })
    )

    fact("delivers the same where many reads are announced, small and large ones", ({ source, driver }) =>
      Effect.gen(function* () {
        const topics = [freshTopic("announced"), freshTopic("announced"), freshTopic("announced")]
        const countIn = (n: number, partition: number) => (partition === 3 ? 0 : partition === 1 ? 400 : 1 + n)
        for (const [n, topic] of topics.entries()) {
          yield* driver.createTopic(topic, 5)
          for (let partition = 0; partition < 5; partition++) {
            const records = numbered(countIn(n, partition), 1000 * n)
            for (let at = 0; at < records.length; at += 50) {
              yield* driver.produce(topic, partition, records.slice(at, at + 50), "none")
            }
          }
        }
        const places = topics.flatMap((topic) => [0, 1, 2, 3, 4].map((partition) => ({ topic, partition })))
        const ends = yield* source.offsets(places, "lastStable")
        // Less than the large partitions hold, and more than all the small ones.
        const requests = ends.map(({ offset, ...place }) => ({ ...place, from: 0, until: offset, fetchBytes: 4000 }))
        yield* source.announce(requests.filter(({ from, until }) => until > from))
        const reads = yield* Effect.forEach(requests, (request) => collect(source, request), { concurrency: 3 })
        for (const [i, { partition, topic }] of places.entries()) {
          const n = topics.indexOf(topic)
          assert.deepStrictEqual(values(reads[i]!), valuesOf(numbered(countIn(n, partition), 1000 * n)))
        }
      })
    )

    fact("stops in the middle when its consumer has enough", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("stopped")
        yield* driver.createTopic(topic, 1)
        for (let i = 0; i < 20; i++) yield* driver.produce(topic, 0, numbered(50, i * 50), "none")
        const taken = yield* source.read({ topic, partition: 0, from: 0, until: 1000, fetchBytes: 4000 }).pipe(
          Stream.tap((element) => Effect.sync(() => element.release())),
          Stream.take(2),
          Stream.runCount
        )
        assert.strictEqual(taken, 2)
      })
    )

    fact("returns the configuration that is not default", ({ source, driver }) =>
      Effect.gen(function* () {
        const topic = freshTopic("configured")
        yield* driver.createTopic(topic, 1, { "max.message.bytes": "2000000" })
        const configs = yield* source.topicConfigs([topic])
        assert.strictEqual(configs.get(topic)?.["max.message.bytes"], "2000000")
      })
    )

    fact("returns the committed offsets of groups on the given topics", ({ source, driver }) =>
      Effect.gen(function* () {
        const [topic, other] = [freshTopic("consumed"), freshTopic("unasked")]
        const groupId = `${topic}-group`
        for (const each of [topic, other]) {
          yield* driver.createTopic(each, 1)
          yield* driver.produce(each, 0, numbered(9), "none")
          yield* driver.commitGroupOffset(groupId, each, 0, 4)
        }
        const groups = yield* source.groupOffsets([topic])
        assert.deepStrictEqual(
          groups.filter((group) => group.groupId === groupId),
          [{ groupId, type: "classic", offsets: [{ topic, partition: 0, offset: 4 }] }]
        )
      })
    )
  })
}
