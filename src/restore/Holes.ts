import { Effect } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import type { Appended, EmptyTransactions, KafkaSinkShape, Producer } from "../kafka/KafkaSink.ts"
import type { TopicPartition } from "../kafka/KafkaSource.ts"
import * as Attempt from "./Attempt.ts"
import type { Means } from "./HoleMeans.ts"
import type { PlannedTopic } from "./RestorePlan.ts"

/* Writing what takes the offsets of a log that no record has. */

/** Offsets of the topic that control markers take in the place of records. */
export const count = ({ partitions, renumbered }: PlannedTopic): number =>
  renumbered === undefined
    ? partitions.reduce((sum, { end, fillsHoles, records, start }) => sum + (fillsHoles ? 0 : end - start - records), 0)
    : 0

/** Whether markers are written to the topic: into its holes, or at its end so that it is compacted. */
export const needsMarkers = (topic: PlannedTopic): boolean =>
  count(topic) > 0 || topic.partitions.some(({ fillsHoles }) => fillsHoles)

/** Transactions that are open at the same time. */
const atOnce = 32

/** All attempts of a restore have the same: each ends what the one before has begun. */
export const transactionalIds = (owner: Owner): ReadonlyArray<string> =>
  Array.from({ length: atOnce }, (_, number) => `${Attempt.nameOf(owner)}-hole-${number}`)

/** What the principal may do about the holes of these topics. Changes nothing. */
export const means = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  owner: Owner,
  topics: ReadonlyArray<PlannedTopic>
): Effect.fn.Return<Means, KafkaError> {
  const first = topics.find(needsMarkers)
  if (first === undefined) return "markers"
  const missing = yield* sink.missingRights({
    topics: [{ name: first.target, deletes: false }],
    markers: true,
    transactionalId: transactionalIds(owner)[0]!,
    groupId: Attempt.nameOf(owner)
  })
  const isMissing = (prefix: string) => missing.some(({ resource }) => resource.startsWith(prefix))
  if (!isMissing("cluster")) return "markers"
  return isMissing("transactional id") ? "none" : "transactions"
})

/** Takes offsets at the end of a log. */
export interface HoleWriter {
  /** Most offsets at once. */
  readonly most: number
  readonly take: (
    place: TopicPartition,
    producer: Producer,
    from: number,
    until: number
  ) => Effect.Effect<Appended, KafkaError>
}

/** More in one request gain nothing, and a request stays short. */
const markersPerRequest = 1000

export const byMarkers = (sink: KafkaSinkShape): HoleWriter => ({
  most: markersPerRequest,
  take: (place, producer, from, until) => sink.markers(place, producer, until - from)
})

export const byTransactions = (take: EmptyTransactions): HoleWriter => ({
  most: markersPerRequest,
  take: (place, _, from, until) => take(place, from, until)
})

/**
 * The writer for these means. What an earlier attempt has begun is over then; `hasBegun`: there may be one, of these
 * topics and other means.
 */
export const writer = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  owner: Owner,
  allowed: Means,
  topics: ReadonlyArray<PlannedTopic>,
  hasBegun: boolean
): Effect.fn.Return<HoleWriter, KafkaError> {
  if (!topics.some(needsMarkers)) return byMarkers(sink)
  const transactions = sink.emptyTransactions(transactionalIds(owner))
  if (allowed === "transactions") return byTransactions(yield* transactions)
  // The coordinators would end its open transactions later, among the records. Without permission there were none.
  if (hasBegun) yield* Effect.catchReason(transactions, "KafkaError", "KafkaAuthorizationFailed", () => Effect.void)
  return byMarkers(sink)
})
