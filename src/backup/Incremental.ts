import { Effect } from "effect"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import type { TopicCleanup } from "../kafka/TopicCleanup.ts"
import { ownerOf, type Resource } from "../manifest/Adoption.ts"
import * as Damage from "../manifest/Damage.ts"
import * as Ledger from "../manifest/Ledger.ts"
import * as ObjectsThere from "../manifest/ObjectsThere.ts"
import type { PlannedPartition, RunPlan } from "../manifest/RunPlan.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Base from "./Base.ts"
import * as Healing from "./Healing.ts"
import * as HeldBack from "./HeldBack.ts"
import * as LogProof from "./LogProof.ts"
import * as Reuse from "./Reuse.ts"
import * as SegmentLimit from "./SegmentLimit.ts"

/*
 * Turns the plan of a run that would read everything into one that takes over what an earlier backup holds, where that
 * is proven to be the same. The decisions are in Reuse.ts; this is what they must know, and what becomes of them.
 */

/** What the request says about incremental backups. */
export interface Incremental {
  /** See `Reuse.Policy`. */
  readonly fullEvery?: number | undefined
  /** See `SegmentLimit.within`, the default. */
  readonly mostSegments?: number | undefined
}

/** How large things may become. */
export interface Room {
  /** Size of a full segment, in bytes of its record stream. */
  readonly segmentBytes: number
  /** See `ManifestMemory.mostSegments`; as many as can be without it. */
  readonly mostSegments?: (ledgerBytes: number) => number
}

/** How many segments a backup may name that a run builds on: the record of re-reading takes memory, too. */
export const mostOpened = (store: ObjectStoreShape, resource: Resource, { mostSegments }: Pick<Room, "mostSegments">) =>
  mostSegments === undefined
    ? Effect.succeed(Infinity)
    : Effect.map(Ledger.storedBytes(store, ownerOf(resource)), mostSegments)

/** A trigger value that asks for a full backup begins with this. */
const fullPrefix = "full-"

const isFullAsked = ({ identity: { trigger } }: RunPlan): boolean => trigger?.startsWith(fullPrefix) ?? false

const topicsByName = <T extends { readonly name: string }>(topics: ReadonlyArray<T>) =>
  new Map(topics.map((topic) => [topic.name, topic]))

const pairs = (plan: RunPlan, { facts, manifest }: Base.Base): ReadonlyArray<LogProof.Pair> => {
  const inFacts = topicsByName(facts.topics)
  const inManifest = topicsByName(manifest.topics)
  return plan.topics.flatMap((topic) => {
    const known = inFacts.get(topic.name)
    const stored = inManifest.get(topic.name)
    const ranges = new Map(known?.partitions.map((range) => [range.partition, range]))
    const parts = new Map(stored?.partitions.map((part) => [part.partition_id, part.segments]))
    const wasCompacted = stored?.configurations?.["cleanup.policy"]?.includes("compact") ?? false
    return topic.partitions
      .filter(({ from, until }) => from < until)
      .map((partition): LogProof.Pair => {
        const range = ranges.get(partition.partition)
        const held =
          range === undefined
            ? undefined
            : {
                topicId: known?.topicId,
                from: range.from,
                until: range.until,
                segments: parts.get(partition.partition) ?? [],
                damaged: [],
                wasCompacted,
                lackingSinceMillis: HeldBack.lackingSince(range, facts.startedMillis)
              }
        return { topic, partition, hasTopic: known !== undefined, facts: range, held }
      })
  })
}

const planned = (
  partition: PlannedPartition,
  held: LogProof.HeldSegments,
  leaderEpoch: number | undefined,
  cleanup: TopicCleanup | undefined
): PlannedPartition => {
  const readByMillis = cleanup === undefined ? undefined : Reuse.readByMillis(held, cleanup)
  return {
    ...partition,
    from: Reuse.firstOffset(held.segments, partition.from),
    reused: {
      until: held.until,
      logStart: partition.from,
      ...(leaderEpoch === undefined ? {} : { leaderEpoch }),
      ...(readByMillis === undefined ? {} : { readByMillis }),
      ...(held.damaged.length === 0 ? {} : { damaged: held.damaged })
    }
  }
}

/** The plan that builds on the base. */
const onBase = Effect.fnUntraced(function* (
  kafka: KafkaSourceShape,
  store: ObjectStoreShape,
  plan: RunPlan,
  base: Base.Base,
  segmentBytes: number,
  mostSegments: number
) {
  const notes: Array<string> = []
  const all = pairs(plan, base)
  const cleanup = yield* LogProof.ifAnswered(
    notes,
    "nobody knows which topics are compacted",
    kafka.cleanup(plan.topics.map(({ name }) => name))
  )
  const living = ({ partition, topic }: LogProof.Pair): Reuse.Living => ({
    topicId: topic.topicId,
    logStart: partition.from,
    lastStable: partition.until,
    cleanup: cleanup?.get(topic.name),
    nowMillis: plan.createdMillis,
    isClockBehind: base.isClockBehind
  })
  const missing = yield* ObjectsThere.missing(
    store,
    all.flatMap(({ held, partition }) => Reuse.kept(held?.segments ?? [], partition.from))
  )
  const recorded = yield* Damage.read(store, base.named.backupId)
  const damaged = new Set([...missing, ...recorded.map(({ key }) => key)])
  const verdicts = new Map<LogProof.Pair, LogProof.Verdict>()
  const candidates: Array<LogProof.Sure> = []
  for (const pair of all) {
    const { held, partition } = pair
    const now = living(pair)
    if (held !== undefined && Reuse.isAllNew(held, now)) continue
    const decision = Healing.decide(
      Reuse.kept(held?.segments ?? [], partition.from),
      ({ key }) => damaged.has(key),
      (now.cleanup?.isCompacted ?? false) || (held?.wasCompacted ?? false)
    )
    const spoilt = decision._tag === "Full" ? decision.reason : undefined
    const reason = Reuse.ofPartition(held && { ...held, spoilt }, now, pair.hasTopic)
    if (reason !== undefined) verdicts.set(pair, LogProof.full(reason))
    else if (held !== undefined) {
      candidates.push({ ...pair, held: { ...held, damaged: decision._tag === "Heal" ? decision.damaged : [] } })
    }
  }
  const proven = yield* LogProof.prove(kafka, store, base, candidates, cleanup ?? new Map(), notes)
  for (const [pair, verdict] of proven) verdicts.set(pair, verdict)
  const reused = candidates
    .filter((pair) => verdicts.get(pair)?._tag === "Reused")
    .map((pair) => ({ pair, segments: Reuse.kept(pair.held.segments, pair.partition.from) }))
  for (const { pair } of SegmentLimit.beyond(reused, segmentBytes, mostSegments)) {
    verdicts.set(pair, LogProof.full("ManySmallSegments"))
  }
  const decided = new Map<PlannedPartition, PlannedPartition>()
  for (const [{ held, partition, topic }, verdict] of verdicts) {
    decided.set(
      partition,
      verdict._tag === "Full" || held === undefined
        ? { ...partition, ...(verdict._tag === "Full" ? { full: verdict.reason } : {}) }
        : planned(partition, held, verdict.leaderEpoch, cleanup?.get(topic.name))
    )
  }
  const topics = plan.topics.map((topic) => ({
    ...topic,
    partitions: topic.partitions.map((partition) => decided.get(partition) ?? partition)
  }))
  const isBuilt = topics.some(({ partitions }) => partitions.some(({ reused }) => reused !== undefined))
  return {
    ...plan,
    ...(isBuilt
      ? {
          version: plan.version === 3 ? (3 as const) : (2 as const),
          base: base.named,
          sinceFull: (base.facts.sinceFull ?? 0) + 1
        }
      : {}),
    topics,
    notes: [...plan.notes, ...notes]
  } satisfies RunPlan as RunPlan
})

/** A plan and, where it builds on one, the base. */
export interface Built {
  readonly plan: RunPlan
  readonly base?: Base.Base
}

/**
 * The plan, built on the newest earlier backup of the resource as far as the log is proven to be the same.
 */
export const plan = Effect.fn("Incremental.plan")(function* (
  kafka: KafkaSourceShape,
  store: ObjectStoreShape,
  resource: Resource,
  { fullEvery, mostSegments }: Incremental,
  room: Room,
  whole: RunPlan
) {
  const policy = { isFullAsked: isFullAsked(whole), fullEvery }
  const most = policy.isFullAsked ? Infinity : yield* mostOpened(store, resource, room)
  const found = policy.isFullAsked
    ? undefined
    : yield* Base.find(store, resource, whole.backupId, whole.createdMillis, most).pipe(
        Effect.catchTag("CatalogueError", ({ message }) => Effect.succeed(message))
      )
  if (typeof found === "string") {
    const notes = [...whole.notes, `everything was read: ${found}`]
    return { plan: { ...whole, full: "EarlierUnreadable", notes } } satisfies Built as Built
  }
  if (found !== undefined && Base.isTooLarge(found)) {
    const note =
      `everything was read: ${found.backupId} names ${found.segments} objects, and the memory limit has room for ` +
      `${most}: raise spec.resources.limits.memory`
    return { plan: { ...whole, full: "TooManyForMemory", notes: [...whole.notes, note] } } satisfies Built as Built
  }
  const compared = found && {
    clusterId: found.facts.clusterId,
    settings: found.facts.settings,
    sinceFull: found.facts.sinceFull ?? 0
  }
  const reason = Reuse.ofSet(policy, compared, whole)
  if (found === undefined) return { plan: { ...whole, full: reason ?? "NoEarlierBackup" } } satisfies Built as Built
  const told = {
    ...whole,
    notes: [
      ...whole.notes,
      ...found.passedOver.map((why) => `this backup is built on ${found.named.backupId}, not on a newer one: ${why}`)
    ]
  }
  const isSameCluster = reason !== "OtherCluster"
  const dated = isSameCluster
    ? { ...told, topics: HeldBack.dated(told.topics, found.facts, found.isClockBehind) }
    : told
  if (reason !== undefined) return { plan: { ...dated, full: reason } } satisfies Built as Built
  const built = yield* onBase(kafka, store, dated, found, room.segmentBytes, mostSegments ?? SegmentLimit.within(most))
  return built.base === undefined ? { plan: built } : { plan: built, base: found }
})
