import type { SetFacts } from "../manifest/SetFacts.ts"
import * as TopicSelection from "./TopicSelection.ts"

/**
 * What a newer backup lacks of an older one. Every loss names its topic; `records` are those that the older backup
 * holds and the newer one does not stand for.
 */
export type Loss =
  /**
   * The topic is not in the newer backup, although the spec still selects it: deleted, or hidden by a missing right.
   */
  | { readonly _tag: "TopicGone"; readonly topic: string; readonly records: number }
  /** A topic of this name was deleted and created again: another topic. */
  | { readonly _tag: "TopicRecreated"; readonly topic: string; readonly records: number }
  | { readonly _tag: "OtherCluster"; readonly topic: string; readonly records: number }
  | { readonly _tag: "FewerPartitions"; readonly topic: string; readonly records: number; readonly partitions: number }
  /** Fewer than a tenth of the records are left. */
  | { readonly _tag: "RecordsCollapsed"; readonly topic: string; readonly records: number; readonly left: number }
  /** The log ends below where the older backup ends: truncated, or restored from elsewhere. */
  | { readonly _tag: "EndWentBack"; readonly topic: string; readonly records: number; readonly partition: number }

export type Topic = SetFacts["topics"][number]

/** Facts of a backup, its topics by name. */
export interface Lineage {
  readonly clusterId: string | undefined
  readonly topics: ReadonlyMap<string, Topic>
  /** True where the spec that the backup was made for selects a topic of this name. */
  readonly isSelected: (topic: string) => boolean
}

export const of = ({ clusterId, selection, topics }: SetFacts): Lineage => ({
  clusterId,
  topics: new Map(topics.map((topic) => [topic.name, topic])),
  // Backups of before the selection was kept: a topic that is missing counts as lost.
  isSelected: (topic) => selection === undefined || TopicSelection.isSelected(selection, topic)
})

/** Less than this part of the records left means that they collapsed. */
const leastPart = 0.1

const recordsOf = (topic: Topic): number => topic.partitions.reduce((sum, { records }) => sum + records, 0)

const differs = (a: string | undefined, b: string | undefined): boolean => a !== undefined && b !== undefined && a !== b

/** What happened to a topic that holds records in `before`, whether or not the spec still selects it. */
const difference = (before: Lineage, topic: Topic, after: Lineage, records: number): Loss | undefined => {
  const lost = { topic: topic.name, records }
  if (differs(before.clusterId, after.clusterId)) return { _tag: "OtherCluster", ...lost }
  const now = after.topics.get(topic.name)
  if (now === undefined) return { _tag: "TopicGone", ...lost }
  if (differs(topic.topicId, now.topicId)) return { _tag: "TopicRecreated", ...lost }
  if (now.partitions.length < topic.partitions.length) {
    return { _tag: "FewerPartitions", ...lost, partitions: now.partitions.length }
  }
  const ends = new Map(now.partitions.map(({ partition, until }) => [partition, until]))
  const shorter = topic.partitions.find(({ partition, until }) => (ends.get(partition) ?? until) < until)
  if (shorter !== undefined) return { _tag: "EndWentBack", ...lost, partition: shorter.partition }
  const left = recordsOf(now)
  return left < records * leastPart ? { _tag: "RecordsCollapsed", ...lost, left } : undefined
}

/**
 * What `after` lacks of one topic of `before`. Undefined if it stands for all of it, if there was nothing to lose, or
 * if the spec no longer selects the topic.
 */
export const lossOf = (before: Lineage, topic: Topic, after: Lineage): Loss | undefined => {
  const records = recordsOf(topic)
  const loss = records === 0 ? undefined : difference(before, topic, after, records)
  // Asked last: patterns by the thousand take time.
  return loss !== undefined && after.isSelected(topic.name) ? loss : undefined
}

/** Everything that `after` lacks of `before`, topic by topic. */
export const losses = (before: Lineage, after: Lineage): ReadonlyArray<Loss> =>
  [...before.topics.values()].flatMap((topic) => lossOf(before, topic, after) ?? [])

/** Offsets that no backup ever held: the log lost them after the older backup and before the newer one. */
export interface Gap {
  readonly topic: string
  readonly partition: number
  readonly from: number
  /** Not in it. */
  readonly until: number
}

/** The gaps between two backups of the same topics. */
export const gaps = (before: Lineage, after: Lineage): ReadonlyArray<Gap> => {
  if (differs(before.clusterId, after.clusterId)) return []
  return [...before.topics.values()].flatMap((topic) => {
    const now = after.topics.get(topic.name)
    if (now === undefined || differs(topic.topicId, now.topicId)) return []
    const starts = new Map(now.partitions.map(({ from, partition }) => [partition, from]))
    return topic.partitions.flatMap(({ partition, until }) => {
      const from = starts.get(partition)
      return from !== undefined && from > until ? [{ topic: topic.name, partition, from: until, until: from }] : []
    })
  })
}

const count = (n: number, one: string) => `${n.toLocaleString("en-US")} ${one}${n === 1 ? "" : "s"}`

/** The loss as a sentence without a full stop; `backupId` is the older backup, which holds what was lost. */
export const sentence = (loss: Loss, backupId: string): string => {
  const held = `${backupId} holds ${count(loss.records, "record")} of it`
  switch (loss._tag) {
    case "OtherCluster":
      return `topic ${loss.topic} comes from another Kafka cluster than before; ${held}`
    case "TopicGone":
      return `topic ${loss.topic} is no longer in the cluster, or the principal may no longer describe it; ${held}`
    case "TopicRecreated":
      return `topic ${loss.topic} was deleted and created again; ${held}, from before`
    case "FewerPartitions":
      return `topic ${loss.topic} has only ${count(loss.partitions, "partition")} now; ${held}`
    case "RecordsCollapsed":
      return `topic ${loss.topic} has ${loss.left === 0 ? "no records" : `only ${count(loss.left, "record")}`} left; ${held}`
    case "EndWentBack":
      return `topic ${loss.topic} partition ${loss.partition} ends at a lower offset than before; ${held}`
  }
}

/** The gap as a sentence without a full stop. */
export const gapSentence = ({ from, partition, topic, until }: Gap): string =>
  `topic ${topic} partition ${partition}: Kafka deleted offsets ${from} to ${until - 1} before any backup read them; back up more often than the topic's retention`
