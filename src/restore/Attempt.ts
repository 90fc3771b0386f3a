import { createHash } from "node:crypto"
import { Effect, Semaphore } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape, Producer } from "../kafka/KafkaSink.ts"
import { RestoreError, RestoreOvertaken } from "./RestoreError.ts"

/** How often an attempt asks whether another one has begun. */
const askEveryMillis = 5000

/** What the groups of restores begin with: no restore changes the group of another one. */
export const groupPrefix = "kafka-backup-restore-"

/** One name for the group and the transactional id of a restore: the same for all of its attempts. */
export const nameOf = (owner: Owner): string => {
  const key =
    owner.uid ??
    createHash("sha256")
      .update(JSON.stringify([owner.namespace ?? "", owner.name]))
      .digest("hex")
  return `${groupPrefix}${key.slice(0, 40)}`
}

/** The producers of an attempt. */
export interface Begun {
  /**
   * A producer that has written nowhere yet. From its first append in a partition on, the broker refuses what earlier
   * ones, of this attempt or of another one, still had on their way there. Without permission on the transactional id:
   * earlier ones of this attempt alone.
   */
  readonly producer: Effect.Effect<Producer, KafkaError>
  /** Fails as soon as another attempt has begun. */
  readonly untilOvertaken: Effect.Effect<never, RestoreError>
}

const overtaken = Effect.suspend(() => Effect.fail(new RestoreError({ reason: new RestoreOvertaken() })))

/** Told of each producer id before a batch carries it. */
type OnProducerId = (producerId: number) => Effect.Effect<unknown, KafkaError>

/** Producers of one transactional id: each has a later epoch than the one before, or another id once none is left. */
const fenced = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  owner: Owner,
  first: Producer,
  onProducerId: OnProducerId
) {
  const bumping = yield* Semaphore.make(1)
  yield* onProducerId(first.producerId)
  let newest = first
  let told = first.producerId
  let isFirst = true
  const producer = bumping.withPermit(
    Effect.gen(function* () {
      if (isFirst) {
        isFirst = false
        return first
      }
      // A lost answer skips an epoch. Whether another attempt took it, its own look at the newest epoch shows.
      const next = yield* sink.producer(nameOf(owner))
      newest = next
      // Also where it failed for the producer before.
      if (next.producerId !== told) yield* onProducerId(next.producerId)
      told = next.producerId
      return next
    })
  )
  const look = Effect.gen(function* () {
    yield* Effect.sleep(askEveryMillis)
    const found = yield* bumping.withPermit(
      Effect.map(Effect.result(sink.newestEpoch(nameOf(owner))), (result) => ({ result, own: newest }))
    )
    if (found.result._tag === "Failure") return
    const { producerEpoch, producerId } = found.result.success
    if (producerId !== found.own.producerId || producerEpoch !== found.own.producerEpoch) return yield* overtaken
  })
  return { producer, untilOvertaken: Effect.forever(look) } satisfies Begun
})

/** Epochs are 16 bits wide and signed; the last one is left alone, as Kafka's own clients do. */
const lastEpoch = 0x7ffe

/**
 * Producers of a producer id that is nobody else's: without transactional id a client counts the epochs itself
 * (KIP-360), and a broker takes each later one from sequence 0 on.
 */
const anonymous = Effect.fnUntraced(function* (sink: KafkaSinkShape, onProducerId: OnProducerId) {
  const bumping = yield* Semaphore.make(1)
  let newest: Producer | undefined
  const producer = bumping.withPermit(
    Effect.gen(function* () {
      if (newest !== undefined && newest.producerEpoch < lastEpoch) {
        newest = { ...newest, producerEpoch: newest.producerEpoch + 1 }
        return newest
      }
      const next = yield* sink.producer()
      yield* onProducerId(next.producerId)
      newest = next
      return next
    })
  )
  return { producer, untilOvertaken: Effect.never } satisfies Begun
})

/**
 * Begins an attempt. Without permission on the transactional id, nothing tells two attempts apart but the log.
 * `onProducerId`: told of each producer id before a batch carries it.
 */
export const begin = (
  sink: KafkaSinkShape,
  owner: Owner,
  onProducerId: OnProducerId = () => Effect.void
): Effect.Effect<Begun, KafkaError> =>
  sink.producer(nameOf(owner)).pipe(
    Effect.map((first) => fenced(sink, owner, first, onProducerId)),
    Effect.catchReason("KafkaError", "KafkaAuthorizationFailed", () => Effect.succeed(anonymous(sink, onProducerId))),
    // What `onProducerId` is refused is no answer about the transactional id.
    Effect.flatten
  )
