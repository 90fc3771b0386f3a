import type { BackupSet } from "../manifest/Catalogue.ts"
import * as LargestRecord from "../manifest/LargestRecord.ts"
import type { ManifestGap, ManifestTopic } from "../manifest/Manifest.ts"
import type * as Cut from "../restore/Cut.ts"
import * as CutPartition from "../restore/CutPartition.ts"
import * as HoleMeans from "../restore/HoleMeans.ts"
import * as LogStart from "../restore/LogStart.ts"
import type { PlannedPartition, PlannedTopic, RestorePlan } from "../restore/RestorePlan.ts"
import type { Choice, Run } from "./DrillChoice.ts"
import * as Estimate from "./Estimate.ts"

/*
 * What the scratch topics of a drill will hold. Each run of segments gets a partition of its own, whose log begins and
 * ends where the run does: offsets between two runs need no fillers then. Pure.
 */

/** One run of segments, and where it goes. */
export interface Piece {
  readonly source: string
  /** Of the source. */
  readonly partition: number
  readonly target: string
  readonly targetPartition: number
  /** Offsets of the source that the run stands for; `until` is exclusive. */
  readonly from: number
  readonly until: number
  /** Offsets in that range that the backup could not read. */
  readonly gaps: ReadonlyArray<ManifestGap>
  /** The run with its own offsets, also where the scratch topic has new ones. */
  readonly exact: PlannedPartition
}

export interface DrillPlan {
  readonly restore: RestorePlan
  readonly pieces: ReadonlyArray<Piece>
  /** Stored bytes of what is restored. */
  readonly bytes: number
  readonly records: number
  /** How long brokers are going to fill up offsets without a record, in milliseconds. */
  readonly fillingMillis: number
}

/**
 * Most time that brokers spend on offsets without a record, in milliseconds: half a billion fillers, some 0.3 GB. A
 * topic that needs more of it is restored with new offsets.
 */
const maxFillingMillis = 60_000

/** What the facts say of a partition of the source. */
const factsOf = ({ facts }: BackupSet, topic: string, partition: number) =>
  facts?.topics.find(({ name }) => name === topic)?.partitions.find((candidate) => candidate.partition === partition)

const pieceOf = (
  set: BackupSet,
  topic: ManifestTopic,
  { from: first, partition, until: behind }: Run,
  target: string,
  targetPartition: number,
  counted: Cut.Counted
): Piece => {
  const held = topic.partitions.find(({ partition_id }) => partition_id === partition)
  const all = held?.segments ?? []
  const known = factsOf(set, topic.name, partition)
  const logStart = first === 0 ? known?.logStart : undefined
  const segments = LogStart.clipped(all.slice(first, behind), logStart)
  const from = logStart ?? (first === 0 ? known?.from : undefined) ?? segments[0]!.start_offset
  const until = (behind === all.length ? known?.until : undefined) ?? segments.at(-1)!.end_offset + 1
  const whole: PlannedPartition = {
    partition: targetPartition,
    start: from,
    end: until,
    records: segments.reduce((sum, { record_count }) => sum + record_count, 0),
    segments
  }
  return {
    source: topic.name,
    partition,
    target,
    targetPartition,
    from,
    until,
    gaps: (held?.gaps ?? []).filter((gap) => gap.start_offset < until && gap.end_offset > from),
    exact: CutPartition.fromLogStart(set, whole, counted)
  }
}

/** Infinite where the principal may not fill that many offsets at all. */
const fillingOf = (pieces: ReadonlyArray<Piece>, means: HoleMeans.Means): number =>
  pieces.some(({ exact }) => Estimate.holesOf(exact) > HoleMeans.most[means])
    ? Infinity
    : pieces.reduce((sum, { exact }) => sum + Estimate.fillingMillis(exact, means), 0)

export interface Settings {
  readonly replicationFactor: number
  /** Names the attempt. */
  readonly token: string
  /** What the principal may do about holes in logs. */
  readonly means: HoleMeans.Means
  /** What was counted of segments that begin below the start of their log. */
  readonly counted: Cut.Counted
}

/** The plan for what was chosen. `names` has the scratch topic of each chosen topic. */
export const make = (
  set: BackupSet,
  choice: Choice,
  names: ReadonlyMap<string, string>,
  { counted, means, replicationFactor, token }: Settings
): DrillPlan => {
  const planned = choice.topics.map(({ name, runs }) => {
    const topic = set.manifest.topics.find((each) => each.name === name)!
    const pieces = runs.map((run, n) => pieceOf(set, topic, run, names.get(name)!, n, counted))
    return { topic, pieces, filling: fillingOf(pieces, means) }
  })
  // Those that need least come first: most topics keep their offsets.
  let fillingMillis = 0
  const exact = new Set<string>()
  for (const { filling, topic } of planned.toSorted((a, b) => a.filling - b.filling)) {
    if (fillingMillis + filling > maxFillingMillis) break
    fillingMillis += filling
    exact.add(topic.name)
  }
  const topics = planned.map(({ pieces, topic }): PlannedTopic => {
    const isExact = exact.has(topic.name)
    const fillers = Math.max(...pieces.map((piece) => Math.max(piece.from, Estimate.holesOf(piece.exact))))
    return {
      source: topic.name,
      target: names.get(topic.name)!,
      partitions: pieces.map(({ exact: whole }) => (isExact ? whole : { ...whole, start: 0, end: whole.records })),
      replicationFactor,
      configs: topic.configurations,
      ...LargestRecord.of(pieces.map(({ partition }) => factsOf(set, topic.name, partition) ?? {})),
      renumbered: isExact ? undefined : { reason: "tooManyFillers", fillers }
    }
  })
  const pieces = planned.flatMap((each) => each.pieces)
  return {
    restore: {
      backupId: set.backupId,
      topics,
      addedHeaders: set.facts?.addedHeaders ?? [],
      notes: [],
      hasTimeRanges: true,
      digest: token
    },
    pieces,
    bytes: choice.bytes,
    records: pieces.reduce((sum, piece) => sum + piece.exact.records, 0),
    fillingMillis
  }
}
