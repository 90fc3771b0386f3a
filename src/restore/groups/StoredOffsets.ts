import { Effect } from "effect"
import type { KafkaSinkShape } from "../../kafka/KafkaSink.ts"
import type { TopicPartition } from "../../kafka/KafkaSource.ts"
import type { OffsetSnapshot } from "../../manifest/OffsetSnapshot.ts"
import type { PlannedGroup } from "../../manifest/RunPlan.ts"
import * as TopicGlob from "../../resource/TopicGlob.ts"
import * as ClusterGroups from "./ClusterGroups.ts"
import type { WantedGroup } from "./GroupOutcome.ts"
import * as Rollback from "./Rollback.ts"

const key = ({ partition, topic }: TopicPartition) => `${topic}/${partition}`

/** A part of a snapshot. */
export interface Stored {
  readonly topics: ReadonlySet<string>
  readonly groups: ReadonlyArray<PlannedGroup>
}

/**
 * The groups and topics of a snapshot that patterns name; absent: all. `unknown`: names that the snapshot does not
 * have.
 */
export const select = (
  snapshot: OffsetSnapshot,
  groups: ReadonlyArray<string> = ["*"],
  topics: ReadonlyArray<string> = ["*"]
): Stored & { readonly unknown: ReadonlyArray<string> } => {
  const known = snapshot.groups.map(({ groupId }) => groupId)
  const chosen = new Set(ClusterGroups.named(groups, known))
  const isChosen = (topic: string) => topics.some((pattern) => TopicGlob.matches(pattern, topic))
  return {
    topics: new Set(snapshot.topics.filter(isChosen)),
    groups: snapshot.groups
      .filter(({ groupId }) => chosen.has(groupId))
      .map((group) => ({ ...group, offsets: group.offsets.filter(({ topic }) => isChosen(topic)) })),
    unknown: [...chosen].filter((groupId) => !known.includes(groupId))
  }
}

/**
 * What brings the stored offsets back: the groups get them, and forget what they have committed since then in the other
 * partitions of the topics of the snapshot. Topics and partitions that do not exist any more are left out.
 */
export const wanted = Effect.fn("StoredOffsets.wanted")(function* (sink: KafkaSinkShape, { groups, topics }: Stored) {
  const { missing, partitions } = yield* ClusterGroups.existing(sink, [...topics])
  const exists = new Set([...partitions.values()].flat().map(key))
  const all = yield* Effect.forEach(
    groups,
    ({ groupId, offsets }) =>
      Effect.map(Rollback.offsetsIn(sink, groupId, topics), (present): WantedGroup => {
        const stored = new Set(offsets.map(key))
        const forget = present
          .filter((each) => !stored.has(key(each)))
          .map(({ partition, topic }) => ({ topic, partition }))
        return {
          groupId,
          offsets: offsets.filter((each) => exists.has(key(each))),
          ...(forget.length === 0 ? {} : { forget })
        }
      }),
    { concurrency: 8 }
  )
  return { groups: all, missing }
})

/** A partition in which a group has another offset than the snapshot. */
export interface Difference extends TopicPartition {
  readonly group: string
  /** Null: none. */
  readonly stored: number | null
  readonly present: number | null
}

/** Every difference between the snapshot and the cluster, in its topics. */
export const differences = Effect.fn("StoredOffsets.differences")(function* (
  sink: KafkaSinkShape,
  { groups, topics }: Stored
) {
  const all = yield* Effect.forEach(
    groups,
    ({ groupId: group, offsets }) =>
      Effect.map(Rollback.offsetsIn(sink, group, topics), (found) => {
        const stored = new Map(offsets.map((each) => [key(each), each.offset]))
        const present = new Map(found.map((each) => [key(each), each.offset]))
        const places = new Map([...offsets, ...found].map((each) => [key(each), each]))
        return [...places].flatMap(([place, { partition, topic }]): ReadonlyArray<Difference> => {
          const [before, now] = [stored.get(place) ?? null, present.get(place) ?? null]
          return before === now ? [] : [{ group, topic, partition, stored: before, present: now }]
        })
      }),
    { concurrency: 8 }
  )
  return all.flat()
})
