import type { BackupSet } from "../manifest/Catalogue.ts"
import { defaultMaxFillerOffsets } from "../resource/RestoreTuningSpec.ts"
import * as Holes from "./Holes.ts"
import * as RestorePlan from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import * as TopicConfigs from "./TopicConfigs.ts"

/* What a restore of a whole backup would need beside its records, with the defaults of every field. Pure. */

/** One topic of the backup. */
export interface TopicNeeds {
  readonly topic: string
  /** Offsets before the start of the logs, to be filled up first. */
  readonly fillerOffsets: number
  /** Offsets inside of the logs that no record has: left by transactions or compaction. */
  readonly holes: number
  /** Time of a broker for both, in seconds. */
  readonly seconds: number
  /** Bytes that both take on each replica; those of fillers only until the start of the log is moved. */
  readonly bytes: number
  /** Present: the old offsets would need too much, so the records get new ones. */
  readonly renumbered?: RestorePlan.Renumbering
  /** Configurations of the backup that a restored topic never gets. */
  readonly configurationsLeftOut: ReadonlyArray<string>
}

export interface Needs {
  readonly topics: ReadonlyArray<TopicNeeds>
  /** Bytes of the records before compression; absent where the backup does not say. */
  readonly recordBytes?: number
  /** Offsets that the backup could not read: a restore needs gaps: Accept. */
  readonly gaps: number
}

/** What one offset costs. Source: Kafka 4.3.1, batches of 100,000 fillers with zstd, 1,000 markers in a request. */
const filler = { seconds: 128e-9, bytes: 0.6 }
const marker = { seconds: 45e-6, bytes: 78 }

const everything = (backupId: string): RestoreRequest => ({
  owner: { name: backupId },
  backupId,
  topics: ["*"],
  excludeTopics: [],
  topicMapping: new Map(),
  createTopics: true,
  offsets: "auto",
  maxFillerOffsets: defaultMaxFillerOffsets,
  acceptsGaps: true,
  retentionHold: 0,
  deletesCreated: false,
  configs: { fromBackup: true, overrides: new Map() },
  bytesPerSecond: undefined,
  recordsPerSecond: undefined
})

const ofTopic = (topic: RestorePlan.PlannedTopic): TopicNeeds => {
  const { configs, partitions, renumbered, source } = topic
  const fillerOffsets = partitions.reduce(
    (sum, { end, fillsHoles, records, start }) => sum + start + (fillsHoles ? end - start - records : 0),
    0
  )
  const holes = Holes.count(topic)
  return {
    topic: source,
    fillerOffsets,
    holes,
    seconds: fillerOffsets * filler.seconds + holes * marker.seconds,
    bytes: Math.round(fillerOffsets * filler.bytes + holes * marker.bytes),
    ...(renumbered === undefined ? {} : { renumbered }),
    configurationsLeftOut: TopicConfigs.leftOut(configs)
  }
}

/** What the whole backup needs. */
export const of = (set: BackupSet): Needs => {
  const planned = RestorePlan.make(set, everything(set.backupId))
  const partitions = set.manifest.topics.flatMap((topic) => topic.partitions)
  const sizes = partitions.flatMap(({ segments }) => segments.map(({ uncompressed_size: size }) => size))
  const known = sizes.flatMap((size) => size ?? [])
  return {
    // Nothing that is asked for here can be refused.
    topics: planned._tag === "Plan" ? planned.plan.topics.map(ofTopic) : [],
    ...(known.length < sizes.length ? {} : { recordBytes: known.reduce((sum, size) => sum + size, 0) }),
    gaps: partitions.reduce(
      (sum, { gaps = [] }) => sum + gaps.reduce((n, { end_offset, start_offset }) => n + end_offset - start_offset, 0),
      0
    )
  }
}
