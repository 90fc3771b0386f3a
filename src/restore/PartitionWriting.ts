import { Effect, Fiber, Schema, type Scope, Stream } from "effect"
import { KafkaError, KafkaReason, ProtocolFailure, TopicRecreated } from "../kafka/KafkaError.ts"
import type { Appended, KafkaSinkShape, Producer } from "../kafka/KafkaSink.ts"
import type { WindowDigests } from "../segment/records/WindowDigests.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { BatchMemory } from "./BatchMemory.ts"
import type { Place } from "./Content.ts"
import type { HoleWriter } from "./Holes.ts"
import * as LargeRecords from "./LargeRecords.ts"
import type { Pace } from "./Pace.ts"
import * as Steps from "./Steps.ts"

/** What the records of a partition are written with. */
export interface Tools {
  readonly sink: KafkaSinkShape
  readonly store: ObjectStoreShape
  /** Gives a producer that has not written to this partition yet. */
  readonly producer: Effect.Effect<Producer, KafkaError>
  /** Takes the offsets that no record has. */
  readonly holes: HoleWriter
  /** Shared by all partitions of an attempt. */
  readonly memory: BatchMemory
  readonly pace: Pace
  /** Told of each append that all in-sync replicas have; fillers are no records. */
  readonly onAppended: (records: number, bytes: number) => void
}

/** Batches of one partition on their way at the same time. Source: five is what a broker remembers of a producer. */
const inFlight = 5

/**
 * Small batches, as many producers make them, are more: each takes a way there and back. No batch is ever sent twice,
 * so the broker need not remember it. Together they have no more bytes than a few of those that are made here.
 */
const inFlightBytes = 1024 * 1024
const mostInFlight = 64

/** How long an attempt that is stopped waits for the batches that are on their way: a pod gets 30 s by default. */
const stopMillis = 10_000

/** The order of appends is interrupted: only the log says what it holds. */
export class Unsure extends Schema.TaggedError<Unsure>()("Unsure", { reason: KafkaReason }) {}

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
export const append = (
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
      const waiting: Array<{ readonly fiber: Fiber.Fiber<void, AppendFailure>; readonly bytes: number }> = []
      let waitingBytes = 0
      // It stays among them until it is answered: whoever is stopped here waits for all of them.
      const oldest = Effect.suspend(() =>
        Effect.tap(Fiber.join(waiting[0]!.fiber), () => Effect.sync(() => (waitingBytes -= waiting.shift()!.bytes)))
      )
      const areMany = (bytes: number) =>
        waiting.length >= inFlight && (waiting.length >= mostInFlight || waitingBytes + bytes > inFlightBytes)
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
            const { batch, lease, records } = step
            const { bytes, firstOffset, isAsStored, lastOffset } = batch
            while (areMany(bytes)) yield* oldest
            yield* tools.pace(records, bytes)
            // The sink would begin anew with this batch, and a broker that has forgotten the producer would take it.
            if (isBroken) yield* all
            const pieces = batch.seal({ ...producer, baseSequence: sequence })
            sequence = (sequence + batch.recordCount) % 0x8000_0000
            waitingBytes += bytes
            const fiber = yield* Effect.forkScoped(
              sink.append({ ...target, topicId, batch: pieces }).pipe(
                Effect.mapError((error) => {
                  const reason = LargeRecords.reasonOf(error, isAsStored)
                  return reason === undefined
                    ? error
                    : new LargeRecords.TooLarge({ reason, firstOffset, lastOffset, bytes, isAsStored })
                }),
                Effect.flatMap((answer) => expect(answer, firstOffset)),
                Effect.tap(() =>
                  Effect.sync(() => {
                    onAcknowledged(lastOffset + 1)
                    tools.onAppended(records, bytes)
                    // The answer is there, so the request was sent as a whole.
                    batch.free()
                  })
                ),
                Effect.onError(() => Effect.sync(() => (isBroken = true))),
                // However it ended: a later batch of this partition may wait for the memory before anybody looks.
                Effect.ensuring(Effect.sync(() => lease?.close()))
              ),
              { startImmediately: true }
            )
            waiting.push({ fiber, bytes })
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
            // Between the two it may become another one, whose log ends before the offset.
            yield* Effect.tapError(sink.deleteRecordsBefore(target, step.start), ({ isRetryable }) =>
              isRetryable ? Effect.void : assertSameTopic(sink, target.topic, topicId)
            )
          }
        }
      })

      const answered = Effect.suspend(() => Fiber.awaitAll(waiting.map(({ fiber }) => fiber)))
      yield* Steps.from(tools.store, place, from, {
        ...making,
        lease: yield* tools.memory.leases(),
        digests
      }).pipe(
        Stream.runForEach(carryOut),
        Effect.andThen(all),
        // Before the log is asked, nothing that was sent may be without an answer.
        Effect.tapError(() => answered),
        // A stop comes between two batches: the next attempt then has less to compare.
        Effect.onInterrupt(() => Effect.timeoutOption(Effect.interruptible(answered), stopMillis))
      )
    })
  )
