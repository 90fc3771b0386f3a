import { Effect, Option } from "effect"
import type { KafkaError } from "../kafka/KafkaError.ts"
import type { EpochEnd, KafkaSourceShape } from "../kafka/KafkaSource.ts"
import type { TopicCleanup } from "../kafka/TopicCleanup.ts"
import type { FullReason } from "../manifest/FullReason.ts"
import type { ManifestPartition } from "../manifest/Manifest.ts"
import type { PlannedPartition, PlannedTopic } from "../manifest/RunPlan.ts"
import type { SetFacts } from "../manifest/SetFacts.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type * as Base from "./Base.ts"
import * as Reuse from "./Reuse.ts"
import * as TailProof from "./TailProof.ts"

/*
 * Whether the logs of partitions are still those that the base was read from: by the epochs of their leaders, or, for
 * backups of before those were kept, by their last records.
 */

/** One partition of the plan and of the base. */
export interface Pair {
  readonly topic: PlannedTopic
  readonly partition: PlannedPartition
  readonly hasTopic: boolean
  readonly facts: SetFacts["topics"][number]["partitions"][number] | undefined
  readonly held: HeldSegments | undefined
}

export interface HeldSegments extends Reuse.Held {
  readonly segments: ManifestPartition["segments"]
  /** Those of its segments that would be read again, by their first offsets. */
  readonly damaged: ReadonlyArray<number>
}

/** A pair where nothing but the proof is missing. */
export interface Sure extends Pair {
  readonly held: HeldSegments
}

/**
 * What was decided of a pair: why it is read in full, or what is known of the log's last leader below the base's end.
 */
export type Verdict =
  | { readonly _tag: "Full"; readonly reason: FullReason }
  | { readonly _tag: "Reused"; readonly leaderEpoch?: number }

export const full = (reason: FullReason): Verdict => ({ _tag: "Full", reason })

/** Asks for what may be refused; undefined, and a note, if it is. What waiting may cure still fails. */
export const ifAnswered = <A>(notes: Array<string>, what: string, effect: Effect.Effect<A, KafkaError>) =>
  effect.pipe(
    Effect.map(Option.some),
    Effect.catchIf(
      ({ isRetryable }) => !isRetryable,
      ({ message }) =>
        Effect.sync(() => {
          notes.push(`${what}: ${message}`)
          return Option.none<A>()
        })
    ),
    Effect.map(Option.getOrUndefined)
  )

/** Partitions whose ends are compared at the same time. */
const comparedAtOnce = 4

/** Proves, or not, that the logs of these partitions are still those of the base. */
export const prove = Effect.fn("LogProof.prove")(function* (
  kafka: KafkaSourceShape,
  store: ObjectStoreShape,
  base: Base.Base,
  candidates: ReadonlyArray<Sure>,
  cleanup: ReadonlyMap<string, TopicCleanup>,
  notes: Array<string>
) {
  const verdicts = new Map<Pair, Verdict>()
  const byEpoch = candidates.flatMap((pair) =>
    pair.facts?.leaderEpoch === undefined ? [] : [{ pair, leaderEpoch: pair.facts.leaderEpoch }]
  )
  const places = byEpoch.map(({ leaderEpoch, pair: { partition, topic } }) => ({
    topic: topic.name,
    partition: partition.partition,
    leaderEpoch
  }))
  const ends: ReadonlyArray<EpochEnd> | undefined =
    places.length === 0
      ? []
      : yield* ifAnswered(notes, "the brokers do not say whether logs are still the same", kafka.lineage(places))
  byEpoch.forEach(({ leaderEpoch, pair }, i) => {
    const end = ends?.[i]
    const reason = end === undefined ? "LineageUnknown" : Reuse.ofLineage(pair.held, leaderEpoch, end)
    verdicts.set(pair, reason === undefined ? { _tag: "Reused", leaderEpoch } : full(reason))
  })
  yield* Effect.forEach(
    candidates.filter((pair) => pair.facts?.leaderEpoch === undefined),
    (pair) =>
      Effect.gen(function* () {
        const { held, partition, topic } = pair
        const segment = held.segments.at(-1)
        if (segment === undefined || segment.end_offset < partition.from || topic.topicId === undefined) {
          return void verdicts.set(pair, full("LineageUnknown"))
        }
        // There is nothing to compare with.
        if (held.damaged.includes(segment.start_offset)) return void verdicts.set(pair, full("ObjectsMissing"))
        const { isEqual, ...epoch } = yield* TailProof.compare(
          kafka,
          store,
          {
            topic: topic.name,
            topicId: topic.topicId,
            partition: partition.partition,
            segment,
            logStart: partition.from,
            until: held.until,
            addedHeaders: base.facts.addedHeaders
          },
          cleanup.get(topic.name)?.isCompacted ?? false
        )
        verdicts.set(pair, isEqual ? { _tag: "Reused", ...epoch } : full("EndDiffers"))
      }).pipe(
        Effect.catchTag("SegmentError", ({ message }) =>
          Effect.sync(() => {
            notes.push(`the earlier backup ${base.named.backupId} is damaged: ${message}`)
            verdicts.set(pair, full("ObjectsMissing"))
          })
        )
      ),
    { concurrency: comparedAtOnce, discard: true }
  )
  return verdicts
})
