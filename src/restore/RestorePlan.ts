import { createHash } from "node:crypto"
import type { BackupSet } from "../manifest/Catalogue.ts"
import type { ManifestSegment, ManifestTopic } from "../manifest/Manifest.ts"
import * as TopicGlob from "../resource/TopicGlob.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"

/** Why the records of a topic get new offsets. */
export type Renumbering = { readonly reason: "asked" } | { readonly reason: "tooManyFillers"; readonly fillers: number }

/** What the target partition will hold: a pure function of the backup and the request. */
export interface PlannedPartition {
  readonly partition: number
  /** First and last offset (exclusive) of the log when all is done. */
  readonly start: number
  readonly end: number
  readonly records: number
  /** Ascending. */
  readonly segments: ReadonlyArray<ManifestSegment>
}

export interface PlannedTopic {
  readonly source: string
  readonly target: string
  /** All partitions, empty ones included, ascending. */
  readonly partitions: ReadonlyArray<PlannedPartition>
  readonly replicationFactor: number
  /** Of the source, as the backup has them; absent where it could not read them. */
  readonly configs: Readonly<Record<string, string>> | undefined
  /** Present: the records get consecutive offsets from 0 on. */
  readonly renumbered: Renumbering | undefined
}

export interface RestorePlan {
  readonly backupId: string
  readonly topics: ReadonlyArray<PlannedTopic>
  /** Header keys that the backup appended to every record: they are not restored. */
  readonly addedHeaders: ReadonlyArray<string>
  /** Fingerprint of everything above: an attempt goes on only with what an attempt of the same plan wrote. */
  readonly digest: string
}

/** A reason not to begin, in words for a person. */
export interface Objection {
  readonly reason:
    | "NotInBackup"
    | "GapsNotAccepted"
    | "TooManyFillers"
    | "TargetsCollide"
    | "MappingUnused"
    | "BackupDamaged"
    | "TargetDenied"
    | "TargetTopicMissing"
    | "TargetInternal"
    | "PartitionsDiffer"
    | "TargetNotEmpty"
    | "TargetRefused"
    | "GroupsNotInBackup"
    | "OtherSourceCluster"
    | "GroupDenied"
    | "SnapshotTaken"
    | "SnapshotDenied"
  readonly message: string
  readonly advice: string
}

export type Planned =
  | { readonly _tag: "Plan"; readonly plan: RestorePlan }
  | { readonly _tag: "Refused"; readonly objections: ReadonlyArray<Objection> }

/** Markers stand for single offsets inside of a log, at some 45 µs each. */
const maxMarkers = 10_000_000

/** Everything that is to be written, or everything that stands against it. */
export const make = (set: BackupSet, request: RestoreRequest): Planned => {
  const available = set.manifest.topics
  const objections: Array<Objection> = []
  const isWanted = (name: string) =>
    request.topics.some((pattern) => TopicGlob.matches(pattern, name)) &&
    !request.excludeTopics.some((pattern) => TopicGlob.matches(pattern, name))
  const names = new Set(available.map(({ name }) => name))
  for (const pattern of request.topics) {
    if (TopicGlob.isWildcard(pattern) || names.has(pattern)) continue
    objections.push({
      reason: "NotInBackup",
      message: `backup ${set.backupId} has no topic ${pattern}`,
      advice: `choose topics of the backup: ${listed([...names])}`
    })
  }
  for (const source of request.topicMapping.keys()) {
    if (names.has(source) && isWanted(source)) continue
    objections.push({
      reason: "MappingUnused",
      message: `topicMapping names ${source}, which is not restored`,
      advice: `remove ${source} from topicMapping, or add it to topics`
    })
  }
  const topics = available.filter(({ name }) => isWanted(name)).map((topic) => plannedTopic(set, topic, request))
  if (available.length > 0 && topics.length === 0) {
    objections.push({
      reason: "NotInBackup",
      message: `no topic of backup ${set.backupId} is selected`,
      advice: `choose topics of the backup: ${listed([...names])}`
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
  objections.push(...topics.flatMap((topic) => topic.objections))
  if (objections.length > 0) return { _tag: "Refused", objections }
  const addedHeaders = set.facts?.addedHeaders ?? []
  const content = { backupId: set.backupId, addedHeaders, topics: topics.map(({ planned }) => planned) }
  const digest = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 32)
  return { _tag: "Plan", plan: { ...content, digest } }
}

const plannedTopic = (set: BackupSet, topic: ManifestTopic, request: RestoreRequest) => {
  const facts = set.facts?.topics.find(({ name }) => name === topic.name)
  const held = new Map(topic.partitions.map((partition) => [partition.partition_id, partition]))
  const count = Math.max(
    topic.original_partition_count ?? 0,
    facts?.partitions.length ?? 0,
    ...topic.partitions.map(({ partition_id }) => partition_id + 1)
  )
  const exact = Array.from({ length: count }, (_, partition): PlannedPartition => {
    const segments = held.get(partition)?.segments ?? []
    const known = facts?.partitions.find((candidate) => candidate.partition === partition)
    const records = segments.reduce((sum, { record_count }) => sum + record_count, 0)
    const end = known?.until ?? (segments.at(-1)?.end_offset ?? -1) + 1
    return { partition, start: known?.from ?? segments[0]?.start_offset ?? 0, end, records, segments }
  })
  const target = request.topicMapping.get(topic.name) ?? topic.name
  const objections: Array<Objection> = []
  const gaps = topic.partitions.flatMap(({ gaps = [], partition_id }) =>
    gaps.map((gap) => `${topic.name}[${partition_id}] ${gap.start_offset} to ${gap.end_offset - 1}`)
  )
  if (gaps.length > 0 && !request.acceptsGaps) {
    objections.push({
      reason: "GapsNotAccepted",
      message: `backup ${set.backupId} could not read offsets ${listed(gaps)}`,
      advice: "choose another backup, or set gaps: Accept to restore without these offsets"
    })
  }
  const costly = exact
    .map((partition) => costOf(partition, request.maxFillerOffsets))
    .find((cost) => cost !== undefined)
  if (costly !== undefined && request.offsets === "exact") {
    objections.push({
      reason: "TooManyFillers",
      message: `${target} needs ${costly} offsets without a record in one partition to keep the old offsets`,
      advice: "set offsets: Auto or New"
    })
  }
  const renumbered: Renumbering | undefined =
    request.offsets === "new"
      ? { reason: "asked" }
      : costly !== undefined
        ? { reason: "tooManyFillers", fillers: costly }
        : undefined
  const planned: PlannedTopic = {
    source: topic.name,
    target,
    partitions:
      renumbered === undefined ? exact : exact.map((partition) => ({ ...partition, start: 0, end: partition.records })),
    replicationFactor: request.replicationFactor ?? topic.source_replication_factor ?? -1,
    configs: topic.configurations,
    renumbered
  }
  return { planned, objections }
}

/** Offsets to fill, if they are more than may be filled. */
const costOf = ({ end, records, start }: PlannedPartition, maxFillers: number): number | undefined => {
  const holes = end - start - records
  if (start > maxFillers) return start
  return holes > Math.min(maxMarkers, maxFillers) ? holes : undefined
}

/** Records of the plan. */
export const records = (plan: RestorePlan): number =>
  plan.topics.reduce((sum, topic) => sum + topic.partitions.reduce((n, { records }) => n + records, 0), 0)

const listed = (items: ReadonlyArray<string>) =>
  items.length <= 10 ? items.join(", ") : `${items.slice(0, 10).join(", ")} and ${items.length - 10} more`
