import { Schema } from "effect"

/**
 * `manifest.json` of the open KBAK v1 format: the index of one set. Field names are the format's. Unknown fields are
 * ignored on reading; fields that older writers leave out have defaults.
 */
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export const ManifestSegment = Schema.Struct({
  /** Full key from the storage root; may be in the folder of an older set. */
  key: Schema.String,
  /** Both inclusive. */
  start_offset: Schema.Int,
  end_offset: Schema.Int,
  /** Smallest and largest timestamp, so that point-in-time filters never skip a record that is out of order. */
  start_timestamp: Schema.Int,
  end_timestamp: Schema.Int,
  record_count: Count,
  /** Record stream before compression. */
  uncompressed_size: Schema.optionalKey(Count),
  /** Whole file, header and footer included. */
  compressed_size: Schema.optionalKey(Count),
  /** SHA-256 of the stored bytes, hex. */
  sha256: Schema.optionalKey(Schema.String),
  uploaded_at: Schema.optionalKey(Schema.Int)
})
export type ManifestSegment = typeof ManifestSegment.Type

export const ManifestGap = Schema.Struct({
  start_offset: Schema.Int,
  /** Exclusive. */
  end_offset: Schema.Int,
  /** The format defines `offset_out_of_range` only; other tools cannot read a manifest with another reason. */
  reason: Schema.String,
  detected_at: Schema.Int
})
export type ManifestGap = typeof ManifestGap.Type

export const ManifestPartition = Schema.Struct({
  partition_id: Schema.Int,
  /** Ascending by start_offset, never overlapping. */
  segments: Schema.Array(ManifestSegment),
  gaps: Schema.optionalKey(Schema.Array(ManifestGap))
})
export type ManifestPartition = typeof ManifestPartition.Type

export const ManifestTopic = Schema.Struct({
  name: Schema.String,
  original_partition_count: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  source_replication_factor: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  configurations: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  /** Partitions with neither segments nor gaps are left out. */
  partitions: Schema.Array(ManifestPartition)
})
export type ManifestTopic = typeof ManifestTopic.Type

export const Manifest = Schema.Struct({
  backup_id: Schema.String,
  created_at: Schema.Int,
  source_cluster_id: Schema.optionalKey(Schema.NullOr(Schema.String)),
  source_brokers: Schema.optionalKey(Schema.Array(Schema.String)),
  compression: Schema.optionalKey(Schema.String),
  topics: Schema.Array(ManifestTopic),
  /** Ours, not the format's: what the segments are, if not KBAK: see `SetFacts.settings.format`. */
  kb_format: Schema.optionalKey(Schema.String),
  /** Ours, not the format's: the other documents in the backup's folder, by name, with their SHA-256. See Seal.ts. */
  kb_documents: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
})
export type Manifest = typeof Manifest.Type

/** Folders of other sets whose objects the manifest of this set names. */
export const references = ({ topics }: Manifest, backupId: string): ReadonlyArray<string> => {
  const own = `${backupId}/`
  const found = new Set<string>()
  for (const { partitions } of topics) {
    for (const { segments } of partitions) {
      for (const { key } of segments) if (!key.startsWith(own)) found.add(key.split("/", 1)[0]!)
    }
  }
  return [...found]
}

/** Counts over a whole manifest. */
export interface ManifestTotals {
  readonly topics: number
  readonly segments: number
  readonly records: number
  readonly storedBytes: number
  readonly gaps: number
}

export const totals = (manifest: Manifest): ManifestTotals => {
  const sum = { topics: manifest.topics.length, segments: 0, records: 0, storedBytes: 0, gaps: 0 }
  for (const topic of manifest.topics) {
    for (const partition of topic.partitions) {
      sum.gaps += partition.gaps?.length ?? 0
      for (const segment of partition.segments) {
        sum.segments++
        sum.records += segment.record_count
        sum.storedBytes += segment.compressed_size ?? 0
      }
    }
  }
  return sum
}
