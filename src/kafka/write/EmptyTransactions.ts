import { Clock, Effect, Queue, Semaphore } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import { KafkaError, type KafkaReason, ProducerFenced, ProtocolFailure } from "../KafkaError.ts"
import type { Appended, EmptyTransactions, Producer } from "../KafkaSink.ts"
import type { PartitionOffset, TopicPartition } from "../KafkaSource.ts"
import type { KafkaWriteWire } from "../KafkaWriteWire.ts"
import { type Asked, isPassing, reasonOf } from "./Refusal.ts"

/** How long the coordinator may take to write the marker of the transaction before: some 10 ms with Kafka 4.3.1. */
const busyMillis = 30_000
/** Pauses while it does. */
const pauseMillis = 5

/** A transactional id, with the coordinator and the producer that it has now; undefined: to be asked for. */
interface Slot {
  readonly transactionalId: string
  writer: { readonly node: number; readonly producer: Producer } | undefined
  /** One use at a time. */
  readonly use: Semaphore.Semaphore
}

/** What is needed of the sink itself. */
interface Parts {
  readonly wire: KafkaWriteWire
  readonly retried: <A>(request: Effect.Effect<A, KafkaError>) => Effect.Effect<A, KafkaError>
  readonly producer: (transactionalId: string) => Effect.Effect<Producer, KafkaError>
  readonly endOf: (place: TopicPartition) => Effect.Effect<PartitionOffset | undefined, KafkaError>
}

/** `KafkaSink.emptyTransactions` on a wire. */
export const openEmptyTransactions = Effect.fnUntraced(function* (
  { endOf, producer, retried, wire }: Parts,
  transactionalIds: ReadonlyArray<string>
): Effect.fn.Return<EmptyTransactions, KafkaError> {
  const free = yield* Queue.unbounded<Slot>()

  const failed = (reason: KafkaReason) => new KafkaError({ operation: "produce", reason })

  /** Ends what the id has begun: its markers are in their logs when the next producer of the id is there. */
  const begin = Effect.fnUntraced(function* (slot: Slot) {
    const { transactionalId } = slot
    const asked: Asked = { doing: `asking for the coordinator of transactional id ${transactionalId}` }
    const own = yield* producer(transactionalId)
    const node = yield* retried(
      Effect.flatMap(wire.coordinator("transaction", transactionalId), (found) =>
        found.errorCode === ErrorCode.none
          ? Effect.succeed(found.node)
          : Effect.fail(failed(reasonOf(found.errorCode, asked)))
      )
    )
    slot.writer = { node, producer: own }
    return slot.writer
  })

  /** Repeats a request while the coordinator still ends the transaction before. */
  const whenFree = (request: Effect.Effect<number, KafkaError>): Effect.Effect<number, KafkaError> =>
    Effect.gen(function* () {
      const startedMillis = yield* Clock.currentTimeMillis
      for (;;) {
        const code = yield* request
        const isOver = (yield* Clock.currentTimeMillis) - startedMillis > busyMillis
        if (code !== ErrorCode.concurrentTransactions || isOver) return code
        yield* Effect.sleep(pauseMillis)
      }
    })

  /** One transaction without records: its marker takes one offset. */
  const one = (place: TopicPartition, slot: Slot) =>
    Effect.gen(function* () {
      const { transactionalId } = slot
      const asked: Asked = {
        doing: `writing an empty transaction to ${place.topic}[${place.partition}]`,
        topic: { resource: `topic ${place.topic}`, operation: "Write" },
        transactionalId: { resource: `transactional id ${transactionalId}`, operation: "Write" }
      }
      const { node, producer: own } = slot.writer ?? (yield* begin(slot))
      const assertDone = (code: number) => {
        if (code === ErrorCode.none) return Effect.void
        if (code === ErrorCode.invalidProducerEpoch || code === ErrorCode.producerFenced) {
          return Effect.fail(failed(new ProducerFenced(place)))
        }
        // A broker that has no such partition yet, or no more: the next look at the log finds out.
        const isMoving = code === ErrorCode.unknownTopicOrPartition || isPassing(code)
        const reason = reasonOf(code, asked)
        return Effect.fail(
          failed(isMoving ? new ProtocolFailure({ detail: reason.message, code, transient: true }) : reason)
        )
      }
      yield* Effect.flatMap(whenFree(wire.addToTransaction(node, transactionalId, own, place)), assertDone)
      yield* Effect.flatMap(whenFree(wire.commitTransaction(node, transactionalId, own)), assertDone)
      // Nothing is known of an id whose request failed or was interrupted, but that a new producer ends all of it.
    }).pipe(Effect.onError(() => Effect.sync(() => void (slot.writer = undefined))))

  const slots = transactionalIds.map((transactionalId): Slot => ({
    transactionalId,
    writer: undefined,
    use: Semaphore.makeUnsafe(1)
  }))
  yield* Effect.forEach(slots, begin, { concurrency: 8, discard: true })
  yield* Queue.offerAll(free, slots)

  /** Ends what may be open of ids whose last request failed: the coordinator would write those markers at any time. */
  const endFailed = Effect.forEach(
    slots,
    (slot) =>
      slot.writer === undefined
        ? slot.use.withPermit(Effect.suspend(() => (slot.writer === undefined ? begin(slot) : Effect.void)))
        : Effect.void,
    { concurrency: 8, discard: true }
  )

  /** Waits until the markers are there that the coordinators still have to write. */
  const awaitEnd = Effect.fnUntraced(function* (place: TopicPartition, until: number) {
    const startedMillis = yield* Clock.currentTimeMillis
    for (;;) {
      const end = (yield* endOf(place))?.offset ?? 0
      if (end >= until || (yield* Clock.currentTimeMillis) - startedMillis > busyMillis) return end
      yield* Effect.sleep(pauseMillis)
    }
  })

  return (place, from, until) =>
    Effect.gen(function* () {
      const unclear = (end: number): Appended => ({
        _tag: "Unclear",
        reason: new ProtocolFailure({
          detail: `the log of ${place.topic}[${place.partition}] ends at ${end} instead of ${until} after empty transactions`,
          transient: true
        })
      })
      const ended = yield* Effect.result(endFailed)
      if (ended._tag === "Failure") {
        const { failure: error } = ended
        return error.isRetryable ? { _tag: "Unclear", reason: error.reason } : yield* Effect.fail(error)
      }
      const before = (yield* endOf(place))?.offset ?? 0
      if (before !== from) return unclear(before)
      let failure: KafkaError | undefined
      // None is interrupted by the failure of another one: of each it is known when it is over.
      const each = Effect.suspend(() => (failure === undefined ? Queue.take(free) : Effect.succeed(undefined))).pipe(
        Effect.flatMap((slot) =>
          slot === undefined
            ? Effect.void
            : one(place, slot).pipe(
                Effect.catch((error) => {
                  failure ??= error
                  return error.isRetryable ? Effect.ignore(begin(slot)) : Effect.void
                }),
                (use) => slot.use.withPermit(use),
                Effect.ensuring(Queue.offer(free, slot))
              )
        )
      )
      yield* Effect.forEach(Array.from({ length: until - from }), () => each, {
        concurrency: slots.length,
        discard: true
      })
      if (failure !== undefined) {
        return failure.isRetryable
          ? ({ _tag: "Unclear", reason: failure.reason } satisfies Appended)
          : yield* Effect.fail(failure)
      }
      const end = yield* awaitEnd(place, until)
      return end === until ? ({ _tag: "Appended", baseOffset: from } satisfies Appended) : unclear(end)
    })
})
