import { Effect } from "effect"
import type { KafkaSinkShape } from "../../kafka/KafkaSink.ts"
import type { PartitionOffset, TopicPartition } from "../../kafka/KafkaSource.ts"
import type { ObjectStoreShape } from "../../storage/ObjectStore.ts"
import type { PlannedTopic, RestorePlan } from "../RestorePlan.ts"
import type { WantedGroup, WantedOffset } from "./GroupOutcome.ts"
import type { Strategy } from "./GroupsRequest.ts"
import * as FirstSince from "./FirstSince.ts"
import * as Renumbering from "./Renumbering.ts"
import type { SelectedGroup } from "./Selection.ts"

const key = ({ partition, topic }: TopicPartition) => `${topic}/${partition}`

/** An offset of the backup, and where it belongs in the target. */
interface Kept {
  readonly groupId: string
  readonly topic: PlannedTopic
  readonly partition: number
  readonly offset: number
  readonly metadata: string | undefined
}

const keptOf = (plan: RestorePlan, { groupId, inBackup }: SelectedGroup): ReadonlyArray<Kept> => {
  const topics = new Map(plan.topics.map((topic) => [topic.source, topic]))
  return (inBackup?.offsets ?? []).flatMap(({ metadata, offset, partition, topic: source }) => {
    const topic = topics.get(source)
    // A partition beyond the plan was added while the backup was planned.
    return topic === undefined || topic.partitions[partition] === undefined
      ? []
      : [{ groupId, topic, partition, offset, metadata }]
  })
}

/** Offsets of records that got new ones: that of the first restored record at or after the old one, never a later. */
const renumbered = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  { cut }: RestorePlan,
  kept: ReadonlyArray<Kept>
) {
  const places = Map.groupBy(kept, ({ partition, topic }) => key({ topic: topic.target, partition }))
  const found = new Map<string, ReadonlyMap<number, number>>()
  for (const [place, all] of places) {
    const { partition, topic } = all[0]!
    const offsets = [...new Set(all.map(({ offset }) => offset))].toSorted((a, b) => a - b)
    found.set(place, yield* Renumbering.recordsBelow(store, topic.partitions[partition]!, offsets, cut))
  }
  return found
})

/** What each group had in the backup, in the names and offsets of the target. */
const exact = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  plan: RestorePlan,
  groups: ReadonlyArray<SelectedGroup>
) {
  const kept = groups.map((group) => keptOf(plan, group))
  const translated = yield* renumbered(
    store,
    plan,
    kept.flat().filter(({ topic }) => topic.renumbered !== undefined)
  )
  return groups.map(({ groupId }, i): WantedGroup => ({
    groupId,
    offsets: kept[i]!.map(({ metadata, offset, partition, topic }): WantedOffset => {
      const place = { topic: topic.target, partition }
      const start = topic.partitions[partition]!.start
      const target = topic.renumbered === undefined ? offset : start + (translated.get(key(place))?.get(offset) ?? 0)
      return { ...place, offset: target, ...(metadata === undefined ? {} : { metadata }) }
    })
  }))
})

/** The offset of a strategy that asks the cluster, for each partition in the same order. */
export const byStrategy = (
  sink: KafkaSinkShape,
  strategy: Exclude<Strategy, { readonly _tag: "Exact" }>,
  partitions: ReadonlyArray<TopicPartition>
) => {
  switch (strategy._tag) {
    case "Earliest":
      return sink.offsets(partitions, "logStart")
    case "Latest":
      return sink.offsets(partitions, "highWatermark")
    case "Time":
      return sink.offsetsAtTime(partitions, strategy.timestampMillis)
    case "Offset":
      return Effect.succeed(
        partitions.map(({ partition, topic }): PartitionOffset => ({ topic, partition, offset: strategy.offset }))
      )
  }
}

/**
 * Offsets by time, without those of control markers: where there may be some, the first record is looked for in the
 * backup. Where it has none, a group goes on behind it, or at the answer of the broker if that is still later: others
 * may write there by now.
 */
const behindMarkers = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  plan: RestorePlan,
  timestampMillis: number,
  answers: ReadonlyArray<PartitionOffset>
) {
  const topics = new Map(plan.topics.map((topic) => [topic.target, topic]))
  return yield* Effect.forEach(
    answers,
    (answer) => {
      const topic = topics.get(answer.topic)!
      const partition = topic.partitions[answer.partition]!
      const isRecord =
        topic.renumbered !== undefined || answer.offset >= partition.end || !FirstSince.hasMarkers(partition)
      return isRecord
        ? Effect.succeed(answer)
        : Effect.map(
            FirstSince.offsetOfFirst(store, plan, partition, timestampMillis),
            (offset = partition.end): PartitionOffset => ({ ...answer, offset })
          )
    },
    { concurrency: 4 }
  )
})

/** A group of the backup gets offsets in the topics that it had some in; another one in every restored topic. */
const topicsOf = (plan: RestorePlan, { inBackup }: SelectedGroup) => {
  if (inBackup === undefined) return plan.topics
  const names = new Set(inBackup.offsets.map(({ topic }) => topic))
  return plan.topics.filter(({ source }) => names.has(source))
}

/** What each selected group is to have in the topics that were restored. */
export const of = Effect.fn("WantedOffsets.of")(function* (
  { sink, store }: { readonly sink: KafkaSinkShape; readonly store: ObjectStoreShape },
  plan: RestorePlan,
  groups: ReadonlyArray<SelectedGroup>,
  strategy: Strategy
) {
  if (strategy._tag === "Exact") return yield* exact(store, plan, groups)
  const places = plan.topics.flatMap(({ partitions, target }) =>
    partitions.map(({ partition }) => ({ topic: target, partition }))
  )
  const answers = yield* byStrategy(sink, strategy, places)
  const found =
    strategy._tag === "Time" ? yield* behindMarkers(store, plan, strategy.timestampMillis, answers) : answers
  const offsets = Map.groupBy(found, ({ topic }) => topic)
  return groups.map((group): WantedGroup => ({
    groupId: group.groupId,
    offsets: topicsOf(plan, group).flatMap(({ target }) => offsets.get(target) ?? [])
  }))
})
