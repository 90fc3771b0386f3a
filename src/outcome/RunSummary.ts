import { Schema } from "effect"

/** One proven set of this resource, as little of it as history needs. */
export const SetSummary = Schema.Struct({
  backupId: Schema.String,
  startedMillis: Schema.Int,
  completedMillis: Schema.Int,
  /** Stored bytes of all objects that the set names. */
  size: Schema.Int,
  records: Schema.Int
})
export type SetSummary = typeof SetSummary.Type

/** What storage holds of one resource. */
export const CatalogueSummary = Schema.Struct({
  /** Proven sets of this resource in storage; `sets` may be fewer. */
  total: Schema.Int,
  /** The newest of them, newest first. */
  sets: Schema.Array(SetSummary)
})
export type CatalogueSummary = typeof CatalogueSummary.Type

/**
 * What a Job's container leaves behind for the operator, which has no storage credentials: the end of one command in at most 4096
 * bytes, the bound of a container's termination message.
 */
export const RunSummary = Schema.Struct({
  version: Schema.Literal(1),
  command: Schema.Literals(["run", "prune", "list"]),
  outcome: Schema.Literals(["success", "failed", "interrupted"]),
  exitCode: Schema.Int,
  startedAt: Schema.String,
  completedAt: Schema.String,
  backupId: Schema.optionalKey(Schema.String),
  size: Schema.optionalKey(Schema.Int),
  records: Schema.optionalKey(Schema.Int),
  addedBytes: Schema.optionalKey(Schema.Int),
  addedRecords: Schema.optionalKey(Schema.Int),
  /** True when an earlier attempt had finished the set already. */
  alreadyComplete: Schema.optionalKey(Schema.Boolean),
  /** Of a failure: its reason in one word, what happened, what to do. */
  reason: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  advice: Schema.optionalKey(Schema.String),
  /** What is worth knowing of a success: partitions held back by open transactions, gaps, topics that are no longer visible. */
  notes: Schema.Array(Schema.String),
  /** Sets that retention removed. */
  removed: Schema.optionalKey(Schema.Int),
  catalogue: Schema.optionalKey(CatalogueSummary)
})
export type RunSummary = typeof RunSummary.Type
