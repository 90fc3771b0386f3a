import { Effect, Option } from "effect"
import type { KafkaError } from "../kafka/KafkaError.ts"
import type { EpochEnd, KafkaSourceShape } from "../kafka/KafkaSource.ts"
import type { TopicCleanup } from "../kafka/TopicCleanup.ts"
import type { Resource } from "../manifest/Adoption.ts"
import type { FullReason } from "../manifest/FullReason.ts"
import type { ManifestPartition } from "../manifest/Manifest.ts"
import * as ObjectsThere from "../manifest/ObjectsThere.ts"
import type { PlannedPartition, PlannedTopic, RunPlan } from "../manifest/RunPlan.ts"
import type { SetFacts } from "../manifest/SetFacts.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Base from "./Base.ts"
import * as Reuse from "./Reuse.ts"
import * as SegmentLimit from "./SegmentLimit.ts"
import * as TailProof from "./TailProof.ts"

/*
 * Turns the plan of a run that would read everything into one that takes over what an earlier backup holds, where that
 * is proven to be the same. The decisions are in Reuse.ts; this is what they must know, and what becomes of them.
 */

/** What the request says about incremental backups. */
export interface Incremental {
  /** See `Reuse.Policy`. */
  readonly fullEvery?: number | undefined
  /** See `SegmentLimit.mostTakenOver`, the default. */
  readonly mostSegments?: number | undefined
}

/** A trigger value that asks for a full backup begins with this. */
const fullPrefix = "full-"

const isFullAsked = ({ identity: { trigger } }: RunPlan): boolean => trigger?.startsWith(fullPrefix) ?? false

/** One partition of the plan and of the base. */
interface Pair {
  readonly topic: PlannedTopic
  readonly partition: PlannedPartition
  readonly hasTopic: boolean
  readonly facts: SetFacts["topics"][number]["partitions"][number] | undefined
  readonly held: HeldSegments | undefined
}

interface HeldSegments extends Reuse.Held {
  readonly segments: ManifestPartition["segments"]
}

const topicsByName = <T extends { readonly name: string }>(topics: ReadonlyArray<T>) =>
  new Map(topics.map((topic) => [topic.name, topic]))

const pairs = (plan: RunPlan, { facts, manifest }: Base.Base): ReadonlyArray<Pair> => {
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
      .map((partition): Pair => {
        const range = ranges.get(partition.partition)
        const held =
          range === undefined
            ? undefined
            : {
                topicId: known?.topicId,
                from: range.from,
                until: range.until,
                segments: parts.get(partition.partition) ?? [],
                isThere: true,
                wasCompacted,
                startedMillis: facts.startedMillis
              }
        return { topic, partition, hasTopic: known !== undefined, facts: range, held }
      })
  })
}

interface Sure extends Pair {
  readonly held: HeldSegments
}

/**
 * What was decided of a pair: why it is read in full, or what is known of the log's last leader below the base's end.
 */
type Verdict =
  | { readonly _tag: "Full"; readonly reason: FullReason }
  | { readonly _tag: "Reused"; readonly leaderEpoch?: number }

const full = (reason: FullReason): Verdict => ({ _tag: "Full", reason })

/** Asks for what may be refused; undefined, and a note, if it is. What waiting may cure still fails. */
const ifAnswered = <A>(notes: Array<string>, what: string, effect: Effect.Effect<A, KafkaError>) =>
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
const prove = Effect.fnUntraced(function* (
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

const planned = (
  partition: PlannedPartition,
  held: Sure["held"],
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
      ...(readByMillis === undefined ? {} : { readByMillis })
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
  mostSegments: number | undefined
) {
  const notes: Array<string> = []
  const all = pairs(plan, base)
  const cleanup = yield* ifAnswered(
    notes,
    "nobody knows which topics are compacted",
    kafka.cleanup(plan.topics.map(({ name }) => name))
  )
  const living = ({ partition, topic }: Pair): Reuse.Living => ({
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
  const verdicts = new Map<Pair, Verdict>()
  const candidates: Array<Sure> = []
  for (const pair of all) {
    const { held, partition } = pair
    const isThere = Reuse.kept(held?.segments ?? [], partition.from).every(({ key }) => !missing.has(key))
    const reason = Reuse.ofPartition(held && { ...held, isThere }, living(pair), pair.hasTopic)
    if (reason !== undefined) verdicts.set(pair, full(reason))
    else if (held !== undefined) candidates.push({ ...pair, held })
  }
  const proven = yield* prove(kafka, store, base, candidates, cleanup ?? new Map(), notes)
  for (const [pair, verdict] of proven) verdicts.set(pair, verdict)
  const reused = candidates
    .filter((pair) => verdicts.get(pair)?._tag === "Reused")
    .map((pair) => ({ pair, segments: Reuse.kept(pair.held.segments, pair.partition.from) }))
  for (const { pair } of SegmentLimit.beyond(reused, segmentBytes, mostSegments)) {
    verdicts.set(pair, full("ManySmallSegments"))
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
    ...(isBuilt ? { version: 2 as const, base: base.named, sinceFull: (base.facts.sinceFull ?? 0) + 1 } : {}),
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
 * `segmentBytes` is the size of a full segment, in bytes of its record stream.
 */
export const plan = Effect.fn("Incremental.plan")(function* (
  kafka: KafkaSourceShape,
  store: ObjectStoreShape,
  resource: Resource,
  { fullEvery, mostSegments }: Incremental,
  segmentBytes: number,
  whole: RunPlan
) {
  const policy = { isFullAsked: isFullAsked(whole), fullEvery }
  const found = policy.isFullAsked
    ? undefined
    : yield* Base.find(store, resource, whole.backupId, whole.createdMillis).pipe(
        Effect.catchTag("CatalogueError", ({ message }) => Effect.succeed(message))
      )
  if (typeof found === "string") {
    const notes = [...whole.notes, `everything was read: ${found}`]
    return { plan: { ...whole, full: "EarlierUnreadable", notes } } satisfies Built as Built
  }
  const compared = found && {
    clusterId: found.facts.clusterId,
    settings: found.facts.settings,
    sinceFull: found.facts.sinceFull ?? 0
  }
  const reason = Reuse.ofSet(policy, compared, whole)
  if (reason !== undefined || found === undefined) {
    return { plan: { ...whole, full: reason ?? "NoEarlierBackup" } } satisfies Built as Built
  }
  const built = yield* onBase(kafka, store, whole, found, segmentBytes, mostSegments)
  return built.base === undefined ? { plan: built } : { plan: built, base: found }
})
