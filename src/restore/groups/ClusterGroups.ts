import { Effect } from "effect"
import type { KafkaSinkShape } from "../../kafka/KafkaSink.ts"
import type { PartitionOffset, TopicPartition } from "../../kafka/KafkaSource.ts"
import * as TopicGlob from "../../resource/TopicGlob.ts"
import { groupPrefix } from "../Attempt.ts"
import type { WantedGroup } from "./GroupOutcome.ts"
import type { Strategy } from "./GroupsRequest.ts"
import * as SetOffsets from "./SetOffsets.ts"
import { byStrategy } from "./WantedOffsets.ts"

/** Names, and the names of `known` that patterns match, without the groups of restores; in alphabetical order. */
export const named = (patterns: ReadonlyArray<string>, known: ReadonlyArray<string>): ReadonlyArray<string> =>
  [
    ...new Set(
      patterns.flatMap((pattern) =>
        TopicGlob.isWildcard(pattern)
          ? known.filter((name) => TopicGlob.matches(pattern, name) && !name.startsWith(groupPrefix))
          : [pattern]
      )
    )
  ].toSorted()

/** The groups of the cluster that patterns name; a name is taken whether the group exists or not. */
export const select = (sink: KafkaSinkShape, patterns: ReadonlyArray<string>) =>
  Effect.map(sink.groups, (groups) =>
    named(
      patterns,
      groups.map(({ groupId }) => groupId)
    )
  )

/** The topics that exist of these names, with all of their partitions, and the names of the others. */
export const existing = Effect.fnUntraced(function* (sink: KafkaSinkShape, names: ReadonlyArray<string>) {
  const found = yield* sink.lookup(names)
  return {
    partitions: new Map(
      found.flatMap((one) =>
        one._tag === "Found"
          ? [[one.topic.name, one.topic.partitions.map(({ partition }) => ({ topic: one.topic.name, partition }))]]
          : []
      )
    ) as ReadonlyMap<string, ReadonlyArray<TopicPartition>>,
    missing: found.flatMap((one) => (one._tag === "Found" ? [] : [one.name]))
  }
})

/** What one group has, and is going to have. */
export interface ChangedGroup extends WantedGroup {
  readonly before: ReadonlyArray<PartitionOffset>
}

/**
 * The offsets that a strategy gives to groups, in all partitions of the topics that are named, or that the group has
 * offsets in. `missing`: topics that are named and that do not exist.
 */
export const wanted = Effect.fn("ClusterGroups.wanted")(function* (
  sink: KafkaSinkShape,
  groupIds: ReadonlyArray<string>,
  topics: ReadonlyArray<string> | undefined,
  strategy: Exclude<Strategy, { readonly _tag: "Exact" }>
) {
  const before = yield* Effect.forEach(groupIds, sink.committedOffsets, { concurrency: 8 })
  const topicsOf = before.map((offsets) => {
    const own = [...new Set(offsets.map(({ topic }) => topic))]
    return topics === undefined ? own.toSorted() : named(topics, own)
  })
  const { missing, partitions } = yield* existing(sink, [...new Set(topicsOf.flat())])
  const places = [...partitions.values()].flat()
  const offsets = yield* byStrategy(sink, strategy, places)
  const { ends, starts } = yield* SetOffsets.bounds(sink, places)
  const byTopic = Map.groupBy(SetOffsets.clamped(offsets, starts, ends), ({ topic }) => topic)
  const groups = groupIds.map((groupId, i): ChangedGroup => ({
    groupId,
    offsets: topicsOf[i]!.flatMap((topic) => byTopic.get(topic) ?? []),
    before: before[i]!
  }))
  const literal = new Set(topics?.filter((pattern) => !TopicGlob.isWildcard(pattern)))
  return { groups, missing: missing.filter((topic) => literal.has(topic)) }
})
