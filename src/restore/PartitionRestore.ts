import { Clock, Effect, Fiber, Schema, type Scope, Stream } from "effect"
import { freeMemory } from "../compression/freeMemory.ts"
import { sealBatch } from "../kafka/batch/SealedBatch.ts"
import { KafkaError, KafkaReason, ProtocolFailure, TopicRecreated } from "../kafka/KafkaError.ts"
import type { Appended, KafkaSinkShape, Producer } from "../kafka/KafkaSink.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import { WindowDigests } from "../segment/records/WindowDigests.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { BatchMemory } from "./BatchMemory.ts"
import type { Codec } from "./Compression.ts"
import type { HoleWriter } from "./Holes.ts"
import type { Place } from "./Content.ts"
import * as LargeRecords from "./LargeRecords.ts"
import type { Pace } from "./Pace.ts"
import * as Proof from "./Proof.ts"
import { RestoreError, TargetDisturbed } from "./RestoreError.ts"
import * as Steps from "./Steps.ts"

/** What a partition is restored with. */
export interface Tools {
  readonly sink: KafkaSinkShape
  /** The same cluster, for reading back. */
  readonly source: KafkaSourceShape
  readonly store: ObjectStoreShape
  /** Gives a producer that has not written to this partition yet. */
  readonly producer: Effect.Effect<Producer, KafkaError>
  readonly codec: Codec
  /** Takes the offsets that no record has. */
  readonly holes: HoleWriter
  /** Most bytes of a batch before compression. */
  readonly batchBytes: number
  /** Shared by all partitions of an attempt. */
  readonly memory: BatchMemory
  /** How long a partition may make no progress before the attempt fails; to wait for its turn does not count. */
  readonly patienceMillis: number
  readonly pace: Pace
  /** Waits until the partition may be written. */
  readonly inTurn: <A, E, R>(writing: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Told of each append that all in-sync replicas have; fillers are no records. */
  readonly onAppended: (records: number, bytes: number) => void
}

/** Batches of one partition on their way at the same time. Source: five is what a broker remembers of a producer. */
const inFlight = 5

/**
 * Pauses before the end of a partition's log is asked for again. The first gives requests of a broken connection, which
 * a broker may still carry out, the time to be there before the log is looked at.
 */
const firstPauseMillis = 2000
const longestPauseMillis = 10_000

/** How long an attempt that is stopped waits for the batches that are on their way: a pod gets 30 s by default. */
const stopMillis = 10_000

/** The order of appends is interrupted: only the log says what it holds. */
class Unsure extends Schema.TaggedError<Unsure>()("Unsure", { reason: KafkaReason }) {}

/**
 * One partition of the target, restored and proven; gives what was compared. `topicId` keeps a topic of the same name
 * from being written to.
 */
export const run = Effect.fn("PartitionRestore.run")(function* (
  place: Place,
  topicId: string | undefined,
  tools: Tools
) {
  const { partition, topic } = place
  const { appendedFrom, end, start } = partition
  const target = { topic: topic.target, partition: partition.partition }
  const disturbed = (offset: number, detail: string) =>
    new RestoreError({
      reason: new TargetDisturbed({
        ...target,
        offset,
        detail,
        ...(appendedFrom === undefined ? {} : { isAppended: true })
      })
    })

  const askEnd = (kind: "logEnd" | "highWatermark") =>
    Effect.map(tools.sink.offsets([target], kind), ([found]) => found?.offset ?? 0)

  /**
   * Where the log ends for everybody. Fails while the leader holds more, which cannot be read: it may stay or vanish,
   * and until then a batch would get an offset behind it.
   */
  const logEnd = Effect.gen(function* () {
    const written = yield* askEnd("logEnd")
    const committed = yield* askEnd("highWatermark")
    if (committed >= written) return committed
    const detail = `offsets ${committed} to ${written - 1} of ${target.topic}[${target.partition}] are on too few replicas`
    return yield* new Unsure({ reason: new ProtocolFailure({ detail, transient: true }) })
  })

  /** Compares what the target holds in the range with the backup. */
  const compare = Effect.fnUntraced(function* (from: number, until: number) {
    if (from >= until) return
    const is = yield* Proof.readBack(tools.source, place, topicId, from, until, onRead)
    yield* Proof.assertEqual(place, yield* Proof.planned(tools.store, place, from, until), is, from, until).pipe(
      Effect.catchReason("RestoreError", "Differs", (differs) =>
        Effect.fail(
          disturbed(
            differs.from,
            `the log holds other records than the backup (${differs.detail}): another writer, or a late request of an earlier attempt`
          )
        )
      )
    )
    compared.push({ from, until, records: is.records })
  })

  /** Before the start of the log only fillers of this restore may lie: they are going to be deleted. */
  const compareFillers = Effect.fnUntraced(function* (from: number, until: number) {
    if (from >= until) return
    const first = yield* Effect.map(tools.sink.offsets([target], "logStart"), ([found]) => found?.offset ?? 0)
    const held = Math.max(from, first)
    if (held >= until) return
    const fillers = yield* Proof.countFillers(tools.source, place, topicId, held, until)
    if (fillers === until - held) return
    const detail = `the log holds records that this restore did not write (${until - held - fillers} before offset ${until})`
    return yield* disturbed(held, detail)
  })

  const compared: Array<Proof.ComparedRange> = []

  /** Everything below it is in the log as planned. */
  let proven = appendedFrom ?? 0
  /** Everything below it was acknowledged at its offset. */
  let acknowledged = 0
  const onAcknowledged = (until: number) => void (acknowledged = Math.max(acknowledged, until))
  /** Everything below it was read back. */
  let read = 0
  const onRead = (position: number) => void (read = Math.max(read, position))
  let making: LargeRecords.Making = tools
  /** How far it had come at the newest failure, with writing and reading back, and since when it fails there. */
  let stuckAt = -1
  let stuckSince = 0
  let pause = firstPauseMillis

  /**
   * Looks at the log, goes on at its end, and proves what was appended. Fails with `Unsure` where another look is due.
   */
  const round = Effect.gen(function* () {
    const held = yield* logEnd
    if (held > end) return yield* disturbed(end, `the log ends at ${held}: somebody else writes to this partition`)
    if (appendedFrom !== undefined && held < appendedFrom) {
      return yield* disturbed(held, `the log ends at ${held}, and ended at ${appendedFrom} before the restore`)
    }
    yield* compareFillers(proven, Math.min(start, held))
    yield* compare(Math.max(start, proven), held)
    proven = held
    const from = Math.max(start, proven)
    const digests = new WindowDigests(Proof.windowOffsets, from)
    const asksMillis = yield* Clock.currentTimeMillis
    const hasTurn = Effect.map(Clock.currentTimeMillis, (nowMillis) => void (stuckSince += nowMillis - asksMillis))
    const writing = append(place, topicId, tools, making, proven, digests, onAcknowledged)
    yield* tools.inTurn(Effect.andThen(hasTurn, writing))
    if (from >= end) return
    const is = yield* Proof.readBack(tools.source, place, topicId, from, end, onRead)
    yield* Proof.assertEqual(place, Proof.found(digests), is, from, end)
    compared.push({ from, until: end, records: is.records })
  }).pipe(
    Effect.catchTag("KafkaError", (error): Effect.Effect<never, KafkaError | Unsure> =>
      Effect.fail(error.isRetryable ? new Unsure({ reason: error.reason }) : error)
    )
  )

  for (;;) {
    const outcome = yield* Effect.result(round)
    if (outcome._tag === "Success") return compared
    if (outcome.failure instanceof LargeRecords.TooLarge) {
      const smaller = LargeRecords.smaller(making, outcome.failure)
      if (smaller === undefined) return yield* yield* LargeRecords.refusal(tools.source, target, outcome.failure)
      making = smaller
      continue
    }
    if (!(outcome.failure instanceof Unsure)) return yield* outcome.failure
    const { reason } = outcome.failure
    const nowMillis = yield* Clock.currentTimeMillis
    const reached = Math.max(proven, acknowledged) + read
    if (reached > stuckAt) {
      stuckAt = reached
      stuckSince = nowMillis
      pause = firstPauseMillis
    }
    if (nowMillis - stuckSince > tools.patienceMillis) {
      return yield* new KafkaError({ operation: "produce", reason })
    }
    yield* Effect.logDebug("a partition's log is compared before it is continued").pipe(
      Effect.annotateLogs({ ...target, offset: proven, error: reason.message })
    )
    yield* Effect.sleep(pause)
    pause = Math.min(pause * 2, longestPauseMillis)
  }
})

type AppendFailure = Unsure | LargeRecords.TooLarge | KafkaError

const misplaced = (topic: string, is: number, should: number) =>
  new ProtocolFailure({ detail: `records of ${topic} got offset ${is} instead of ${should}`, transient: true })

/**
 * Fails if the topic is another one by now. Markers and the deletion of records name a topic only by its name, unlike
 * batches, and the metadata in use may be older than the topic.
 */
const assertSameTopic = Effect.fnUntraced(function* (sink: KafkaSinkShape, topic: string, topicId: string | undefined) {
  const [found] = yield* sink.lookup([topic])
  if (topicId === undefined || found?._tag !== "Found" || found.topic.topicId === topicId) return
  return yield* new KafkaError({ operation: "produce", reason: new TopicRecreated({ topic }) })
})

/** Carries out everything from `from` on. Fails with `Unsure` when an answer leaves open what the log holds. */
const append = (
  place: Place,
  topicId: string | undefined,
  tools: Tools,
  making: LargeRecords.Making,
  from: number,
  digests: WindowDigests,
  onAcknowledged: (until: number) => void
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { sink } = tools
      const target = { topic: place.topic.target, partition: place.partition.partition }
      const producer = yield* tools.producer
      let sequence = 0
      let isFirst = true
      let isBroken = false
      const waiting: Array<Fiber.Fiber<void, AppendFailure>> = []
      // It stays among them until it is answered: whoever is stopped here waits for all of them.
      const oldest = Effect.suspend(() => Effect.tap(Fiber.join(waiting[0]!), () => Effect.sync(() => waiting.shift())))
      const all = Effect.whileLoop({ while: () => waiting.length > 0, body: () => oldest, step: () => {} })

      /** Only the offset that was expected makes an answer good. */
      const expect = (answer: Appended, offset: number) =>
        answer._tag !== "Appended"
          ? Effect.fail(new Unsure({ reason: answer.reason }))
          : answer.baseOffset === offset
            ? Effect.void
            : Effect.fail(new Unsure({ reason: misplaced(target.topic, answer.baseOffset, offset) }))

      const carryOut = Effect.fnUntraced(function* (
        step: Steps.Step
      ): Effect.fn.Return<void, AppendFailure, Scope.Scope> {
        switch (step._tag) {
          case "Append": {
            if (waiting.length >= inFlight) yield* oldest
            const { batch, lease, records, section } = step
            const bytes = 61 + section.bytes.length
            yield* tools.pace(records, bytes)
            // The sink would begin anew with this batch, and a broker that has forgotten the producer would take it.
            if (isBroken) yield* all
            const pieces = sealBatch(batch, section.codec, section.bytes, { ...producer, baseSequence: sequence })
            sequence = (sequence + batch.recordCount) % 0x8000_0000
            waiting.push(
              yield* Effect.forkScoped(
                sink.append({ ...target, topicId, batch: pieces }).pipe(
                  Effect.mapError((error) => {
                    const reason = LargeRecords.reasonOf(error)
                    const { firstOffset, lastOffset } = batch
                    return reason === undefined
                      ? error
                      : new LargeRecords.TooLarge({ reason, firstOffset, lastOffset, bytes })
                  }),
                  Effect.flatMap((answer) => expect(answer, batch.firstOffset)),
                  Effect.tap(() =>
                    Effect.sync(() => {
                      onAcknowledged(batch.lastOffset + 1)
                      tools.onAppended(records, bytes)
                      // The answer is there, so the request was sent as a whole. Fillers are used again.
                      if (records > 0) freeMemory(section.bytes)
                    })
                  ),
                  Effect.onError(() => Effect.sync(() => (isBroken = true))),
                  // However it ended: a later batch of this partition may wait for the memory before anybody looks.
                  Effect.ensuring(Effect.sync(() => lease?.close()))
                ),
                { startImmediately: true }
              )
            )
            // A broker that does not know the producer takes any sequence: nothing may follow the first before it is
            // there.
            if (isFirst) yield* all
            isFirst = false
            return
          }
          case "Markers": {
            yield* all
            // Otherwise a batch, which names the topic's id, was acknowledged just now.
            if (isFirst) yield* assertSameTopic(sink, target.topic, topicId)
            for (let at = step.from; at < step.until; at += tools.holes.most) {
              const until = Math.min(at + tools.holes.most, step.until)
              yield* Effect.flatMap(tools.holes.take(target, producer, at, until), (answer) => expect(answer, at))
              onAcknowledged(until)
            }
            return
          }
          case "Trim": {
            yield* all
            yield* assertSameTopic(sink, target.topic, topicId)
            yield* sink.deleteRecordsBefore(target, step.start)
          }
        }
      })

      yield* Steps.from(tools.store, place, from, {
        codec: making.codec,
        batchBytes: making.batchBytes,
        lease: yield* tools.memory.leases(),
        digests
      }).pipe(
        Stream.runForEach(carryOut),
        Effect.andThen(all),
        // Before the log is asked, nothing that was sent may be without an answer.
        Effect.tapError(() => Fiber.awaitAll(waiting)),
        // A stop comes between two batches: the next attempt then has less to compare.
        Effect.onInterrupt(() => Effect.timeoutOption(Effect.interruptible(Fiber.awaitAll(waiting)), stopMillis))
      )
    })
  )
