import { Schema } from "effect"

/** What a run read again of the stored backups of its resource. */
export const VerificationSummary = Schema.Struct({
  /** `spec.verification.percentPerRun` of the run. */
  percent: Schema.Int,
  /** Objects and stored bytes that this run has read again. */
  objects: Schema.Int,
  bytes: Schema.Int,
  /** Stored bytes of all objects that the kept backups of the resource name, as far as they are known. */
  totalBytes: Schema.Int,
  /** When the object that was not read for longest was last read, or written; absent without an object. */
  oldestMillis: Schema.optionalKey(Schema.Int),
  /** After how many more runs everything that is stored now has been read again; absent if nobody knows yet. */
  remainingRuns: Schema.optionalKey(Schema.Int),
  /** Since when is recorded what was read: what runs promise counts from then. Absent if nobody knows. */
  beganMillis: Schema.optionalKey(Schema.Int),
  /** True if the run read less than its share: it was told to stop, or the storage failed. */
  isCutShort: Schema.optionalKey(Schema.Boolean)
})
export type VerificationSummary = typeof VerificationSummary.Type

/** Backups of the resource that are known to be damaged; `sets` is 0 where somebody looked and knows of none. */
export const DamageSummary = Schema.Struct({
  sets: Schema.Int,
  /** The first of them, its object and offsets, and how many more; at most 300 characters. */
  text: Schema.String,
  /** Of the resource's backups, the newest one that is known to be damaged. */
  newest: Schema.optionalKey(Schema.String),
  /** The newest one that is not; absent where there is none. */
  newestWhole: Schema.optionalKey(Schema.String)
})
export type DamageSummary = typeof DamageSummary.Type
