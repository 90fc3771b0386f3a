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
   * ones, of this attempt or of another one, still had on their way there.
   */
  readonly producer: Effect.Effect<Producer, KafkaError>
  /** Fails as soon as another attempt has begun. */
  readonly untilOvertaken: Effect.Effect<never, RestoreError>
  /** What all batches of this restore carry, its earlier attempts' included; absent where each attempt has another. */
  readonly producerId: number | undefined
}

const overtaken = Effect.suspend(() => Effect.fail(new RestoreError({ reason: new RestoreOvertaken() })))

/** Producers of one transactional id: each has a later epoch than the one before. */
const fenced = Effect.fnUntraced(function* (sink: KafkaSinkShape, owner: Owner, first: Producer) {
  const bumping = yield* Semaphore.make(1)
  let newest = first
  let isFirst = true
  const producer = bumping.withPermit(
    Effect.gen(function* () {
      if (isFirst) {
        isFirst = false
        return first
      }
      // A lost answer skips an epoch. Whether another attempt took it, its own look at the newest epoch shows.
      newest = yield* sink.producer(nameOf(owner))
      return newest
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
  return { producer, untilOvertaken: Effect.forever(look), producerId: first.producerId } satisfies Begun
})

/** Begins an attempt. Without permission on the transactional id, nothing tells two attempts apart but the log. */
export const begin = (sink: KafkaSinkShape, owner: Owner): Effect.Effect<Begun, KafkaError> =>
  sink.producer(nameOf(owner)).pipe(
    Effect.flatMap((first) => fenced(sink, owner, first)),
    Effect.catchReason("KafkaError", "KafkaAuthorizationFailed", () =>
      Effect.succeed({ producer: sink.producer(), untilOvertaken: Effect.never, producerId: undefined } satisfies Begun)
    )
  )
