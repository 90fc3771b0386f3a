import type { TopicCleanup } from "../kafka/TopicCleanup.ts"
import type { ManifestSegment } from "../manifest/Manifest.ts"
import type { FullReason } from "../manifest/FullReason.ts"
import { type ContentSettings, formatOf } from "../manifest/RunPlan.ts"

/*
 * What a backup may take over from an earlier one, its base, instead of reading it again. Pure: each decision is the
 * first reason that speaks against it, or none. What cannot be proven is read from Kafka.
 */

/** What the user asks for. */
export interface Policy {
  /** This backup is to be read in full. */
  readonly isFullAsked: boolean
  /** Every so many backups one is read in full; absent: none for its number. */
  readonly fullEvery?: number | undefined
}

/** What is compared of two backups as a whole. */
export interface Whole {
  readonly clusterId?: string | undefined
  readonly settings: ContentSettings
}

/** The headers that are added to each record; compression may differ, since each segment says its own. */
const headers = ({ includeOffsetHeaders, sourceClusterId }: ContentSettings) =>
  includeOffsetHeaders ? `with ${sourceClusterId ?? ""}` : "without"

/** Why nothing of the base can be taken over, or undefined. `sinceFull`: how many backups lie behind its full one. */
export const ofSet = (
  policy: Policy,
  base: (Whole & { readonly sinceFull: number }) | undefined,
  now: Whole
): FullReason | undefined => {
  if (policy.isFullAsked) return "FullAsked"
  if (base === undefined) return "NoEarlierBackup"
  if (policy.fullEvery !== undefined && base.sinceFull + 1 >= policy.fullEvery) return "FullDue"
  if (base.clusterId !== undefined && now.clusterId !== undefined && base.clusterId !== now.clusterId) {
    return "OtherCluster"
  }
  if (formatOf(base.settings) !== formatOf(now.settings)) return "OtherFormat"
  return headers(base.settings) === headers(now.settings) ? undefined : "OtherHeaders"
}

/** One partition as the base holds it. */
export interface Held {
  readonly topicId: string | undefined
  readonly from: number
  readonly until: number
  /** Ascending. */
  readonly segments: ReadonlyArray<Pick<ManifestSegment, "end_offset" | "start_offset">>
  /** Why damage forbids to take it over; absent where segments are sound, or can be read again one by one. */
  readonly spoilt?: FullReason | undefined
  /** Whether its topic was compacted when the base was made, as far as the base says. */
  readonly wasCompacted: boolean
  /** Every record that the base lacks is younger; undefined where nobody knows: see HeldBack.ts. */
  readonly lackingSinceMillis: number | undefined
}

/** The same partition in Kafka, now. */
export interface Living {
  readonly topicId: string | undefined
  readonly logStart: number
  readonly lastStable: number
  /** Absent where the configuration cannot be read. */
  readonly cleanup: TopicCleanup | undefined
  readonly nowMillis: number
  /** An earlier backup claims to be of a later time: `nowMillis` says nothing of how old the base is. */
  readonly isClockBehind?: boolean
}

/** The tenth part of `delete.retention.ms`, at most ten minutes: clocks differ, and a batch takes time to arrive. */
const marginMillis = (deleteRetentionMillis: number) => Math.min(600_000, deleteRetentionMillis / 10)

/**
 * Until when everything that the base lacks of a compacted topic must have been read: later compaction may have dropped
 * a deletion that the base does not know of, and its key would come back. Undefined without compaction.
 */
export const readByMillis = (held: Held, cleanup: TopicCleanup): number | undefined =>
  cleanup.isCompacted || held.wasCompacted
    ? (held.lackingSinceMillis ?? -Infinity) +
      cleanup.deleteRetentionMillis -
      marginMillis(cleanup.deleteRetentionMillis)
    : undefined

/**
 * The segments that are taken over: all with an offset that Kafka still has, so the first may begin below its start.
 */
export const kept = <S extends Held["segments"][number]>(segments: ReadonlyArray<S>, logStart: number) =>
  segments.filter(({ end_offset }) => end_offset >= logStart)

/** First offset of the new backup, where it takes over these segments. */
export const firstOffset = (segments: Held["segments"], logStart: number): number =>
  Math.min(logStart, kept(segments, logStart)[0]?.start_offset ?? logStart)

/**
 * Whether the log was empty when the base was made and has only grown since: all of it is new, nothing is read again.
 */
export const isAllNew = ({ from, topicId, until }: Held, living: Living): boolean =>
  from === until && until === living.logStart && topicId === living.topicId

/** Why a partition cannot be taken over, as far as that can be told without a proof that the log is still the same. */
export const ofPartition = (
  held: Held | undefined,
  living: Living,
  hasTopic: boolean = held !== undefined
): FullReason | undefined => {
  if (!hasTopic) return "TopicNew"
  if (held === undefined) return "PartitionNew"
  if (held.topicId === undefined || living.topicId === undefined) return "TopicIdUnknown"
  if (held.topicId !== living.topicId) return "TopicRecreated"
  if (held.until <= living.logStart) return "NothingLeft"
  if (held.until > living.lastStable) return "EndWentBack"
  if (living.cleanup === undefined) return "CleanupUnknown"
  const readBy = readByMillis(held, living.cleanup)
  if (readBy !== undefined && living.isClockBehind === true) return "ClockBehind"
  if (readBy === -Infinity) return "TransactionWasOpen"
  if (readBy !== undefined && living.nowMillis >= readBy) return "DeletionsMayBeGone"
  return held.spoilt
}

/** The answer for the epoch of the base's last batch: see `KafkaSource.lineage`. */
export interface LineageAnswer {
  readonly leaderEpoch?: number
  readonly endOffset: number
}

/**
 * Why the log is not, or not provably, the one of the base: a leader that was elected uncleanly lost records and gave
 * their offsets to others. An epoch has one leader, which writes each offset once; so a log that holds the epoch of the
 * base's last batch up to the base's end holds the same records below it.
 */
export const ofLineage = (
  held: Pick<Held, "until">,
  leaderEpoch: number,
  { endOffset, leaderEpoch: found }: LineageAnswer
): FullReason | undefined => (found === leaderEpoch && endOffset >= held.until ? undefined : "LogReplaced")
