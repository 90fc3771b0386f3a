import { Schema } from "effect"
import { CheckSummary } from "./CheckSummary.ts"
import { DrillSummary } from "./DrillSummary.ts"
import { RestoreSummary } from "./RestoreSummary.ts"
import { DamageSummary, VerificationSummary } from "./VerificationSummary.ts"

/** One proven set of this resource, with the fields that the history needs. */
export const SetSummary = Schema.Struct({
  backupId: Schema.String,
  startedMillis: Schema.Int,
  completedMillis: Schema.Int,
  /** Stored bytes of all objects that the set names. */
  size: Schema.Int,
  records: Schema.Int
})
export type SetSummary = typeof SetSummary.Type

/** The sets of one resource in storage. */
export const CatalogueSummary = Schema.Struct({
  /** Number of proven sets of this resource in storage; `sets` may hold fewer. */
  total: Schema.Int,
  /** The newest of them, newest first. */
  sets: Schema.Array(SetSummary),
  /** How many of `total` earlier resources of the same name made; absent for none. */
  adopted: Schema.optionalKey(Schema.Int),
  /** How many of `total` are pinned; absent for none. */
  pinned: Schema.optionalKey(Schema.Int)
})
export type CatalogueSummary = typeof CatalogueSummary.Type

/** Sets that retention would remove if the store did not lock them. */
export const LockedSummary = Schema.Struct({
  /** At least 1. */
  sets: Schema.Int,
  /** When the first and the last of their locks end, in milliseconds since 1970; absent where only holds keep them. */
  firstMillis: Schema.optionalKey(Schema.Int),
  lastMillis: Schema.optionalKey(Schema.Int),
  /** How many of them somebody holds, so that nobody knows their end; absent for none. */
  held: Schema.optionalKey(Schema.Int)
})
export type LockedSummary = typeof LockedSummary.Type

/** The part of a run that one of several pods has read. */
export const ShardSummary = Schema.Struct({
  index: Schema.Int,
  of: Schema.Int,
  partitions: Schema.Int,
  offsets: Schema.Int
})
export type ShardSummary = typeof ShardSummary.Type

/**
 * The result of one command, which a Job's container leaves for the operator, since the operator has no storage
 * credentials. Takes at most 4096 bytes, the limit of a container's termination message.
 */
export const RunSummary = Schema.Struct({
  version: Schema.Literal(1),
  command: Schema.Literals(["run", "prune", "list", "restore", "drill", "offsets", "check"]),
  /** `shardEnded`: a shard of a run is read; the pod whose shard is the last one reports the success of the run. */
  outcome: Schema.Literals(["success", "shardEnded", "failed", "interrupted"]),
  exitCode: Schema.Int,
  startedAt: Schema.String,
  completedAt: Schema.String,
  backupId: Schema.optionalKey(Schema.String),
  size: Schema.optionalKey(Schema.Int),
  records: Schema.optionalKey(Schema.Int),
  /** How many topics and partitions the set has. */
  topics: Schema.optionalKey(Schema.Int),
  partitions: Schema.optionalKey(Schema.Int),
  addedBytes: Schema.optionalKey(Schema.Int),
  addedRecords: Schema.optionalKey(Schema.Int),
  /** True if an earlier attempt had completed the set. */
  alreadyComplete: Schema.optionalKey(Schema.Boolean),
  /** When that was, by the facts of the set. */
  made: Schema.optionalKey(Schema.Struct({ startedMillis: Schema.Int, completedMillis: Schema.Int })),
  /** Of a failure: its reason in one word, what happened, what to do. */
  reason: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  advice: Schema.optionalKey(Schema.String),
  /** Of an interruption: the store, broker or Secret that the run was waiting for. */
  waitedFor: Schema.optionalKey(Schema.String),
  /** Notes on a success: partitions that end at an open transaction, gaps, patterns without a match. */
  notes: Schema.Array(Schema.String),
  /** Of the pod of a shard, from 0: which part of the run it read. */
  shard: Schema.optionalKey(ShardSummary),
  /** Sets that retention removed. */
  removed: Schema.optionalKey(Schema.Int),
  /** The rules that retention applied, where there are others than a number of backups. */
  retention: Schema.optionalKey(Schema.String),
  /** Sets that retention would remove if newer ones had not lost what they hold, and what that is. */
  heldBack: Schema.optionalKey(Schema.String),
  /** Sets that retention would remove if the store did not lock them; absent for none. */
  locked: Schema.optionalKey(LockedSummary),
  /** Of the command run: what it read again of stored backups. */
  verification: Schema.optionalKey(VerificationSummary),
  /** Of the command run: damaged objects of earlier backups whose records it read from Kafka again; absent for none. */
  healedObjects: Schema.optionalKey(Schema.Int),
  /** Backups that are known to be damaged. A run with a catalogue and without this knows of none. */
  damaged: Schema.optionalKey(DamageSummary),
  catalogue: Schema.optionalKey(CatalogueSummary),
  /** Of the commands restore and offsets. */
  restore: Schema.optionalKey(RestoreSummary),
  /** Of the command drill. */
  drill: Schema.optionalKey(DrillSummary),
  /** Of the command check, once it got that far. */
  check: Schema.optionalKey(CheckSummary)
})
export type RunSummary = typeof RunSummary.Type
