import { Effect } from "effect"
import type { KafkaError } from "../../kafka/KafkaError.ts"
import type { KafkaSinkShape, ListedGroup } from "../../kafka/KafkaSink.ts"
import type { PartitionOffset, TopicPartition } from "../../kafka/KafkaSource.ts"
import { defaultParallelism } from "../../resource/OffsetFields.ts"
import {
  type GroupOutcome,
  type GroupReset,
  type GroupSkipped,
  outcomeOf,
  type WantedGroup,
  type WantedOffset
} from "./GroupOutcome.ts"
import * as GroupLog from "./GroupLog.ts"

/** How groups are set. */
export interface Options {
  /** Groups at work at the same time; 4 by default. */
  readonly concurrency?: number
  /**
   * Also a failure that waiting may cure leaves only its own group as it is. Whoever repeats the whole would set groups
   * again that have read on meanwhile.
   */
  readonly isolatesFailures?: boolean
  /** Learns of each group as it is set. */
  readonly log?: GroupLog.GroupLog
}

/** The broker writes the offsets of one commit as one batch, of at most 1 MiB by default (message.max.bytes). */
const commitBytes = 512 * 1024

const key = ({ partition, topic }: TopicPartition) => `${topic}/${partition}`

/** Why offsets of a group cannot be set now; undefined if they can, or if only the commit can tell. */
const obstacle = (listed: ListedGroup | undefined): Omit<GroupSkipped, "group"> | undefined => {
  if (listed === undefined) return undefined
  if (listed.type === "share") return { reason: "it is a share group, which has no committed offsets" }
  // A broker that does not report states refuses the commit instead.
  const state = listed.state?.toLowerCase()
  return state === undefined || state === "empty" || state === "dead"
    ? undefined
    : { reason: `it has active members (state ${listed.state})`, active: true }
}

/** The offsets that a group must have in the end, without those that lie outside of their logs. */
export const clamped = <A extends PartitionOffset>(
  offsets: ReadonlyArray<A>,
  starts: ReadonlyMap<string, number>,
  ends: ReadonlyMap<string, number>
): ReadonlyArray<A> =>
  offsets.map((each) => {
    const start = starts.get(key(each)) ?? 0
    const end = ends.get(key(each)) ?? each.offset
    return { ...each, offset: Math.max(start, Math.min(end, each.offset)) }
  })

/** The first and the last possible offset of partitions in the cluster. */
export const bounds = Effect.fnUntraced(function* (sink: KafkaSinkShape, partitions: ReadonlyArray<TopicPartition>) {
  const unique = [...new Map(partitions.map((each) => [key(each), each])).values()]
  const by = (found: ReadonlyArray<PartitionOffset>) => new Map(found.map((each) => [key(each), each.offset]))
  const starts = by(yield* sink.offsets(unique, "logStart"))
  const ends = by(yield* sink.offsets(unique, "highWatermark"))
  return { starts, ends }
})

/** The offsets in lists of which each is one commit. Beside its names, an offset takes some 100 bytes in the log. */
const commits = ({ groupId, offsets }: WantedGroup): ReadonlyArray<ReadonlyArray<WantedOffset>> => {
  const lists: Array<Array<WantedOffset>> = []
  let bytes = commitBytes
  for (const each of offsets) {
    const more = 100 + Buffer.byteLength(groupId + each.topic + (each.metadata ?? ""))
    if (bytes + more > commitBytes) {
      lists.push([])
      bytes = 0
    }
    lists.at(-1)!.push(each)
    bytes += more
  }
  return lists
}

/** Commits and reads back. The group may have got members since it was listed: then the broker refuses the commit. */
const setOne = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  wanted: WantedGroup
): Effect.fn.Return<GroupReset | GroupSkipped, KafkaError> {
  const { forget = [], groupId: group, offsets } = wanted
  yield* Effect.forEach(commits(wanted), (some) => sink.commitOffsets(group, some), { discard: true })
  yield* sink.deleteOffsets(group, forget)
  const found = new Map((yield* sink.committedOffsets(group)).map((each) => [key(each), each]))
  const wrong = [...offsets, ...forget.map((each) => ({ ...each, offset: undefined }))].find(
    (each) => found.get(key(each))?.offset !== each.offset
  )
  if (wrong === undefined) {
    return {
      group,
      offsets: offsets.map(({ offset, partition, topic }) => ({ topic, partition, offset })),
      ...(forget.length === 0 ? {} : { forgotten: forget })
    }
  }
  const is = found.get(key(wrong))?.offset ?? "none"
  return {
    group,
    reason: `its offset of ${wrong.topic}[${wrong.partition}] is ${is} instead of ${wrong.offset ?? "none"}: another client commits for it`
  }
})

/** A failure that waiting does not cure concerns this group alone: the others are set nevertheless. */
const orSkipped = (
  group: string,
  effect: Effect.Effect<GroupReset | GroupSkipped, KafkaError>,
  isolates: boolean
): Effect.Effect<GroupReset | GroupSkipped, KafkaError> =>
  Effect.catchTag(effect, "KafkaError", (error) => {
    if (error.isRetryable && !isolates) return Effect.fail(error)
    return Effect.succeed<GroupSkipped>(
      error.reason._tag === "GroupActive"
        ? { group, reason: "it has active members", active: true }
        : { group, reason: error.reason.message }
    )
  })

/** The groups whose offsets cannot be set now, as far as it can be known without trying. */
export const obstacles = (sink: KafkaSinkShape, groups: ReadonlyArray<Pick<WantedGroup, "groupId" | "left">>) =>
  Effect.map(sink.groups, (all) => {
    const listed = new Map(all.map((each) => [each.groupId, each]))
    return groups.flatMap(({ groupId: group, left }): ReadonlyArray<GroupSkipped> => {
      const found = left === undefined ? obstacle(listed.get(group)) : { reason: left }
      return found === undefined ? [] : [{ group, ...found }]
    })
  })

/**
 * Sets offsets of groups that have no members, with their metadata, and reads each back. Groups with members, and
 * groups that refuse it, are left as they are. Offsets are kept within `[start, end]` of their logs.
 */
export const setOffsets = Effect.fn("SetOffsets.setOffsets")(function* (
  sink: KafkaSinkShape,
  wanted: ReadonlyArray<WantedGroup>,
  /** Of a group without any offset to set. */
  nothing: string,
  { concurrency = defaultParallelism, isolatesFailures = false, log = GroupLog.make() }: Options = {}
) {
  if (wanted.length === 0) return outcomeOf([])
  const listed = new Map((yield* sink.groups).map((each) => [each.groupId, each]))
  const { ends, starts } = yield* bounds(
    sink,
    wanted.flatMap(({ offsets }) => offsets)
  )
  const done = (group: WantedGroup): Effect.Effect<GroupReset | GroupSkipped, KafkaError> => {
    const { forget = [], groupId, left, offsets } = group
    if (left !== undefined) return Effect.succeed({ group: groupId, reason: left })
    const skipped = offsets.length + forget.length === 0 ? { reason: nothing } : obstacle(listed.get(groupId))
    if (skipped !== undefined) return Effect.succeed({ group: groupId, ...skipped })
    log.begun.add(groupId)
    return orSkipped(groupId, setOne(sink, { ...group, offsets: clamped(offsets, starts, ends) }), isolatesFailures)
  }
  const all = yield* Effect.forEach(
    wanted,
    (group) => Effect.tap(done(group), (one) => Effect.sync(() => log.ended.set(group.groupId, one))),
    { concurrency }
  )
  return outcomeOf(all) satisfies GroupOutcome
})
