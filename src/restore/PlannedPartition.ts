import type { ManifestSegment } from "../manifest/Manifest.ts"
import type { Tally } from "../segment/records/RecordTally.ts"

/** A segment of which records are restored. */
export interface PlannedSegment extends ManifestSegment {
  /** Present: records below this offset are left out. See LogStart.ts. */
  readonly from?: number
  /** Present where some records of it may be left out: what is restored of it. */
  readonly kept?: Tally
}

/** What the target partition will hold: a pure function of the backup, the request, and what was counted for it. */
export interface PlannedPartition {
  readonly partition: number
  /** First and last offset (exclusive) of the log when all is done. */
  readonly start: number
  readonly end: number
  readonly records: number
  /** Present where records are written behind those of others: `start`, which is then not the start of the log. */
  readonly appendedFrom?: number
  /** Ascending. Those without a record to restore are not there. */
  readonly segments: ReadonlyArray<PlannedSegment>
  /** True: its holes are filled with empty records, which the brokers remove again when they compact the log. */
  readonly fillsHoles?: true
  /** Present in a topic that gets another number of partitions: records from each of its sources, in their order. */
  readonly fromSources?: ReadonlyArray<number>
  /** Present in a point-in-time restore. */
  readonly cut?: CutFacts
}

/** What a point-in-time restore does to one partition. */
export interface CutFacts {
  /** Records of the backup that are not restored. */
  readonly leftOut: number
  /** Smallest and largest timestamp that is restored, milliseconds since 1970; absent where no record is. */
  readonly restored?: { readonly first: number; readonly last: number }
  /** Smallest timestamp in the backup, as far as its manifest has it; absent where it holds no record. */
  readonly earliest?: number
}
