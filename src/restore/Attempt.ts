import { createHash } from "node:crypto"
import { Clock, Effect } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import { type KafkaError, KafkaError as Failed } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape, Producer } from "../kafka/KafkaSink.ts"
import type { RestorePlan } from "./RestorePlan.ts"
import { RestoreError, RestoreOvertaken } from "./RestoreError.ts"

/** What attempts of one restore leave for each other, in the target cluster: nothing is written to the store. */

/** How often an attempt asks whether another one has begun. */
const askEveryMillis = 5000

/** One name for the group and the transactional id of a restore: the same for all of its attempts. */
export const nameOf = (owner: Owner): string => {
  const key =
    owner.uid ??
    createHash("sha256")
      .update(JSON.stringify([owner.namespace ?? "", owner.name]))
      .digest("hex")
  return `kafka-backup-restore-${key.slice(0, 40)}`
}

/**
 * Target topics that an attempt of this plan has begun to write to. An attempt of another plan, such as after an edit
 * of the resource, counts for nothing. Without permission on the group: none.
 */
export const begunTopics = Effect.fnUntraced(function* (sink: KafkaSinkShape, owner: Owner, plan: RestorePlan) {
  const committed = yield* permitted(sink.committedOffsets(nameOf(owner)), [])
  return new Set(committed.filter(({ metadata }) => metadata === plan.digest).map(({ topic }) => topic))
})

/** How long the coordinator may not know the topics, which are visible already on another broker. */
const unknownMillis = 30_000

/** Remembers that this plan is going to be written: offset 0 of every partition, with the plan's digest beside it. */
export const remember = Effect.fnUntraced(function* (sink: KafkaSinkShape, owner: Owner, plan: RestorePlan) {
  const offsets = plan.topics.flatMap(({ partitions, target }) =>
    partitions.map(({ partition }) => ({ topic: target, partition, offset: 0, metadata: plan.digest }))
  )
  const untilMillis = (yield* Clock.currentTimeMillis) + unknownMillis
  const commit: Effect.Effect<void, KafkaError> = sink.commitOffsets(nameOf(owner), offsets).pipe(
    Effect.catchReason("KafkaError", "TopicVanished", (reason) =>
      Effect.gen(function* () {
        if ((yield* Clock.currentTimeMillis) >= untilMillis) {
          return yield* new Failed({ operation: "groups", reason })
        }
        yield* Effect.sleep(500)
        return yield* commit
      })
    )
  )
  yield* permitted(commit, undefined)
})

/** The producer of an attempt. */
export interface Begun {
  readonly producer: Producer
  /** False without permission on the transactional id: then nothing tells two attempts apart but the log. */
  readonly isFenced: boolean
}

/** Begins an attempt: from its first append on, a broker refuses those of earlier attempts. */
export const begin = (sink: KafkaSinkShape, owner: Owner): Effect.Effect<Begun, KafkaError> =>
  Effect.map(sink.producer(nameOf(owner)), (producer): Begun => ({ producer, isFenced: true })).pipe(
    Effect.catchReason("KafkaError", "KafkaAuthorizationFailed", () =>
      Effect.map(sink.producer(), (producer): Begun => ({ producer, isFenced: false }))
    )
  )

/** Fails as soon as a later attempt has begun. Where nobody can tell, it never ends: the log is compared anyway. */
export const untilOvertaken = (sink: KafkaSinkShape, owner: Owner, { isFenced, producer }: Begun) =>
  !isFenced
    ? Effect.never
    : Effect.forever(
        Effect.gen(function* () {
          yield* Effect.sleep(askEveryMillis)
          const newest = yield* Effect.result(sink.newestEpoch(nameOf(owner)))
          if (newest._tag === "Failure") return
          const { producerEpoch, producerId } = newest.success
          if (producerId !== producer.producerId || producerEpoch !== producer.producerEpoch) {
            return yield* new RestoreError({ reason: new RestoreOvertaken() })
          }
        })
      )

/** Without permission, the answer is `otherwise`: a resume then finds topics that hold records, and says so. */
const permitted = <A, B>(effect: Effect.Effect<A, KafkaError>, otherwise: B): Effect.Effect<A | B, KafkaError> =>
  Effect.catchReason(effect, "KafkaError", "KafkaAuthorizationFailed", () =>
    Effect.as(
      Effect.logWarning("the restore cannot remember what it wrote: permission denied on its consumer group"),
      otherwise
    )
  )
