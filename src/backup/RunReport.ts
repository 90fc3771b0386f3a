import { Schema } from "effect"
import { RunIdentity } from "../identity/RunIdentity.ts"

/** What one attempt of a run has to say at its end: beside the set, in the `--report` file, and on the terminal. */
export const RunReport = Schema.Struct({
  version: Schema.Literal(1),
  outcome: Schema.Literals(["success", "failed", "interrupted"]),
  backupId: Schema.optionalKey(Schema.String),
  /** Absent when the manifest could not be read: nobody knows whose run it was. */
  identity: Schema.optionalKey(RunIdentity),
  attempt: Schema.optionalKey(Schema.Int),
  location: Schema.optionalKey(Schema.String),
  startedAt: Schema.String,
  completedAt: Schema.String,
  /** True when an earlier attempt had finished the set already and this one found it proven. */
  alreadyComplete: Schema.optionalKey(Schema.Boolean),
  totals: Schema.optionalKey(
    Schema.Struct({
      topics: Schema.Int,
      partitions: Schema.Int,
      segments: Schema.Int,
      records: Schema.Int,
      payloadBytes: Schema.Int,
      storedBytes: Schema.Int
    })
  ),
  /** What this attempt itself took from Kafka and put into storage; less than `totals` after a resume. */
  added: Schema.optionalKey(
    Schema.Struct({ records: Schema.Int, fetchedBytes: Schema.Int, storedBytes: Schema.Int, segments: Schema.Int })
  ),
  /** Partitions where an open transaction holds the end back: records from `until` on are not in the set. */
  openTransactions: Schema.Array(
    Schema.Struct({ topic: Schema.String, partition: Schema.Int, until: Schema.Int, highWatermark: Schema.Int })
  ),
  /** Offsets that the cluster had lost before they could be read. */
  gaps: Schema.Array(
    Schema.Struct({ topic: Schema.String, partition: Schema.Int, from: Schema.Int, until: Schema.Int })
  ),
  /** Stores and brokers that stopped answering: how often the run paused for them, and how long in all. */
  interruptions: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        target: Schema.String,
        openings: Schema.Int,
        waitedMillis: Schema.Int,
        /** The failure that made it pause last. */
        cause: Schema.String
      })
    )
  ),
  retention: Schema.optionalKey(
    Schema.Struct({ kept: Schema.Array(Schema.String), removed: Schema.Array(Schema.String) })
  ),
  error: Schema.optionalKey(
    Schema.Struct({ reason: Schema.String, message: Schema.String, advice: Schema.String, isRetryable: Schema.Boolean })
  ),
  exitCode: Schema.Int,
  notes: Schema.Array(Schema.String)
})
export type RunReport = typeof RunReport.Type
