import { createHash } from "node:crypto"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as LargestRecord from "../manifest/LargestRecord.ts"
import type { ManifestTopic } from "../manifest/Manifest.ts"
import { didYouMean } from "../resource/Near.ts"
import * as TopicGlob from "../resource/TopicGlob.ts"
import * as Cut from "./Cut.ts"
import * as CutPartition from "./CutPartition.ts"
import * as CutReport from "./CutReport.ts"
import * as HoleCost from "./HoleCost.ts"
import type { Means } from "./HoleMeans.ts"
import * as LogStart from "./LogStart.ts"
import * as OpenTransactions from "./OpenTransactions.ts"
import * as OriginalHeaders from "./OriginalHeaders.ts"
import type { Objection } from "./Objection.ts"
import type { PlannedPartition } from "./PlannedPartition.ts"
import * as Repartition from "./Repartition.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import * as SourcePartitions from "./SourcePartitions.ts"
import * as TopicMapping from "./TopicMapping.ts"
import * as WantedConfigs from "./WantedConfigs.ts"

export type { Objection } from "./Objection.ts"
export type { PlannedPartition } from "./PlannedPartition.ts"

/** Why the records of a topic get new offsets. */
export type Renumbering =
  | { readonly reason: "asked" }
  | { readonly reason: "appended" }
  | { readonly reason: "tooManyFillers"; readonly fillers: number }
  /** There are few enough for a principal with Alter on the cluster. */
  /** `wasDenied`: only when the restore began; it is granted by now. */
  | { readonly reason: "markersDenied"; readonly fillers: number; readonly wasDenied?: true }

export interface PlannedTopic {
  readonly source: string
  readonly target: string
  /** All partitions, empty ones included, ascending. */
  readonly partitions: ReadonlyArray<PlannedPartition>
  /** Present where the topic gets another number of partitions: whence they get their records. */
  readonly sources?: ReadonlyArray<Repartition.Source>
  readonly replicationFactor: number
  /** Of the source, as the backup has them; absent where it could not read them. */
  readonly configs: Readonly<Record<string, string>> | undefined
  /** Present: the records get consecutive offsets from 0 on. */
  readonly renumbered: Renumbering | undefined
  /** Length of the largest record that the backup says it has, in bytes; see LargestRecord.ts. */
  readonly largestRecordBytes?: number
}

export interface RestorePlan {
  readonly backupId: string
  readonly topics: ReadonlyArray<PlannedTopic>
  /** Present: records outside of it are not restored. */
  readonly cut?: Cut.Cut
  /** Header keys that the backup appended to every record: they are not restored. */
  readonly addedHeaders: ReadonlyArray<string>
  /** Present: every record gets headers with the place that it had. */
  readonly originalHeaders?: OriginalHeaders.OriginalHeaders
  /** What a user should know beforehand, in words for a person. */
  readonly notes: ReadonlyArray<string>
  /** Whether the manifest has the smallest and largest timestamp of every segment. */
  readonly hasTimeRanges: boolean
  /**
   * Fingerprint of everything above but the notes and `hasTimeRanges`. An attempt goes on only with what one of the
   * same plan wrote.
   */
  readonly digest: string
}

export type Planned =
  | { readonly _tag: "Plan"; readonly plan: RestorePlan }
  | { readonly _tag: "Refused"; readonly objections: ReadonlyArray<Objection> }

/** Whether the request selects this topic of the backup, and this partition of it. */
export const isSelected = (request: RestoreRequest, topic: string, partition?: number): boolean =>
  request.topics.some((pattern) => TopicGlob.matches(pattern, topic)) &&
  !request.excludeTopics.some((pattern) => TopicGlob.matches(pattern, topic)) &&
  (partition === undefined || SourcePartitions.isChosen(request.sourcePartitions, topic, partition))

/** What was counted of the same backup, for the same request, before it is planned. */
export interface Counted {
  readonly cut: Cut.Counted
  readonly repartitioned: Repartition.Counted
}

export const nothingCounted: Counted = { cut: Cut.nothingCounted, repartitioned: Repartition.nothingCounted }

/**
 * Everything that is to be written, or everything that stands against it. `means`: what the principal may do about
 * holes in logs.
 */
export const make = (
  set: BackupSet,
  request: RestoreRequest,
  counted: Counted = nothingCounted,
  means: Means = "markers"
): Planned => {
  const available = set.manifest.topics
  const objections: Array<Objection> = []
  const isWanted = (name: string) => isSelected(request, name)
  const starts = LogStart.of(set)
  const names = new Set(available.map(({ name }) => name))
  for (const pattern of request.topics) {
    if (TopicGlob.isWildcard(pattern) || names.has(pattern)) continue
    objections.push({
      reason: "NotInBackup",
      message: `backup ${set.backupId} has no topic ${pattern}${didYouMean([pattern], [...names])}`,
      advice: `choose topics of the backup: ${listed([...names])}; a topic that was lost before this backup is in an earlier one, which backupId names`
    })
  }
  objections.push(...TopicMapping.unused(request.topicMapping, [...names].filter(isWanted)))
  const topics = available
    .filter(({ name }) => isWanted(name))
    .map((topic) => plannedTopic(set, topic, request, counted, means, starts))
  if (available.length > 0 && topics.length === 0) {
    objections.push({
      reason: "NotInBackup",
      message: `no topic of backup ${set.backupId} is selected`,
      advice: `choose topics of the backup: ${listed([...names])}; a topic that was lost before this backup is in an earlier one, which backupId names`
    })
  }
  const byTarget = Map.groupBy(topics, ({ planned }) => planned.target)
  for (const [target, sources] of byTarget) {
    if (sources.length === 1) continue
    objections.push({
      reason: "TargetsCollide",
      message: `${listed(sources.map(({ planned }) => planned.source))} would all be restored to ${target}`,
      advice: "give each of them a name of its own in topicMapping"
    })
  }
  const counts = new Map(topics.map(({ planned, sourceCount }) => [planned.source, sourceCount]))
  objections.push(...SourcePartitions.objections(request.sourcePartitions, counts))
  objections.push(...Repartition.objections(request, [...counts.keys()]))
  objections.push(...topics.flatMap((topic) => topic.objections))
  if (request.cut !== undefined) {
    objections.push(
      ...CutPartition.notCovered(
        set,
        request.cut,
        topics.flatMap(({ planned }) => planned.partitions)
      )
    )
  }
  if (objections.length > 0) return { _tag: "Refused", objections }
  const addedHeaders = set.facts?.addedHeaders ?? []
  const content = {
    backupId: set.backupId,
    addedHeaders,
    ...(request.cut === undefined ? {} : { cut: request.cut }),
    ...(request.includesOriginalOffset ? { originalHeaders: OriginalHeaders.of(set) } : {}),
    topics: topics.map(({ planned }) => planned)
  }
  const notes = [
    ...(request.notes ?? []),
    ...CutReport.notes(request.cut, content.topics),
    ...OpenTransactions.notes(set, (topic, partition) => isSelected(request, topic, partition), request.cut)
  ]
  const digest = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 32)
  return { _tag: "Plan", plan: { ...content, notes, hasTimeRanges: Cut.hasTimeRanges(set), digest } }
}

const plannedTopic = (
  set: BackupSet,
  topic: ManifestTopic,
  request: RestoreRequest,
  counted: Counted,
  means: Means,
  starts: LogStart.LogStarts
) => {
  const facts = set.facts?.topics.find(({ name }) => name === topic.name)
  const chosen = SourcePartitions.only(request.sourcePartitions, topic)
  const held = new Map(chosen.partitions.map((partition) => [partition.partition_id, partition]))
  const count = Math.max(
    topic.original_partition_count ?? 0,
    facts?.partitions.length ?? 0,
    ...topic.partitions.map(({ partition_id }) => partition_id + 1)
  )
  const exact = Array.from({ length: count }, (_, partition): PlannedPartition => {
    if (!SourcePartitions.isChosen(request.sourcePartitions, topic.name, partition)) {
      return SourcePartitions.empty(partition)
    }
    const logStart = starts(topic.name, partition)
    const segments = LogStart.clipped(held.get(partition)?.segments ?? [], logStart)
    const known = facts?.partitions.find((candidate) => candidate.partition === partition)
    const records = segments.reduce((sum, { record_count }) => sum + record_count, 0)
    const end = known?.until ?? (segments.at(-1)?.end_offset ?? -1) + 1
    const start = logStart ?? known?.from ?? segments[0]?.start_offset ?? 0
    const whole = { partition, start, end, records, segments }
    return request.cut === undefined
      ? CutPartition.fromLogStart(set, whole, counted.cut)
      : CutPartition.of(set, whole, request.cut, counted.cut)
  })
  const mapped = TopicMapping.target(request.topicMapping, topic.name)
  const target = mapped._tag === "Target" ? mapped.target : topic.name
  const objections: Array<Objection> = [...TopicMapping.objections(topic.name, mapped)]
  const gaps = chosen.partitions.flatMap(({ gaps = [], partition_id }) =>
    LogStart.gapsFrom(gaps, starts(topic.name, partition_id)).map(
      (gap) => `${topic.name}[${partition_id}] ${gap.start_offset} to ${gap.end_offset - 1}`
    )
  )
  if (gaps.length > 0 && !request.acceptsGaps) {
    objections.push({
      reason: "GapsNotAccepted",
      message: `backup ${set.backupId} could not read offsets ${listed(gaps)}`,
      advice: "choose another backup, or set gaps: Accept to restore without these offsets"
    })
  }
  const limits: HoleCost.Limits = {
    maxFillers: request.maxFillerOffsets,
    means,
    mostSingly: request.mostSingleHoles,
    isCompacted: WantedConfigs.isCompacted(topic.name, topic.configurations, request.configs)
  }
  const costly = exact.map((partition) => HoleCost.of(partition, limits)).find((cost) => cost !== undefined)
  if (costly !== undefined && request.offsets === "exact") objections.push(HoleCost.objection(target, costly))
  const newCount = request.partitions?.get(topic.name)
  const renumbered: Renumbering | undefined =
    request.offsets === "new" || newCount !== undefined
      ? { reason: "asked" }
      : costly !== undefined
        ? { reason: costly.isDenied ? "markersDenied" : "tooManyFillers", fillers: costly.fillers }
        : undefined
  const planned: PlannedTopic = {
    source: topic.name,
    target,
    ...(newCount === undefined
      ? { partitions: exact.map(renumbered === undefined ? filled(limits) : renumberedFrom0) }
      : Repartition.plan(topic.name, newCount, exact, counted.repartitioned)),
    replicationFactor: request.replicationFactor ?? topic.source_replication_factor ?? -1,
    configs: topic.configurations,
    renumbered,
    ...LargestRecord.of(
      exact
        .filter(({ segments }) => segments.length > 0)
        .map(({ partition }) => facts?.partitions.find((one) => one.partition === partition) ?? {})
    )
  }
  return { planned, objections, sourceCount: count }
}

const renumberedFrom0 = (partition: PlannedPartition): PlannedPartition => ({
  ...partition,
  start: 0,
  end: partition.records
})

const filled =
  (limits: HoleCost.Limits) =>
  (partition: PlannedPartition): PlannedPartition =>
    HoleCost.isFilled(partition, limits) ? { ...partition, fillsHoles: true } : partition

/** Records of the plan. */
export const records = (plan: RestorePlan): number =>
  plan.topics.reduce((sum, topic) => sum + topic.partitions.reduce((n, { records }) => n + records, 0), 0)

const listed = (items: ReadonlyArray<string>) =>
  items.length <= 10 ? items.join(", ") : `${items.slice(0, 10).join(", ")} and ${items.length - 10} more`
