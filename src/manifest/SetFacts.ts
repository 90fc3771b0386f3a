import { Schema } from "effect"
import { RunIdentity } from "../identity/RunIdentity.ts"
import { ContentSettings, TopicSelectors } from "./RunPlan.ts"

/**
 * `kb-meta.json`: our own facts of a set, which the open manifest format has no place for and whose other tools may
 * drop unknown fields. Written before the manifest; a set without it is somebody else's.
 */
export const SetFacts = Schema.Struct({
  version: Schema.Literal(1),
  backupId: Schema.String,
  /** The attempt that wrote them. Absent in backups of version 0.1, like the next. */
  attempt: Schema.optionalKey(Schema.Int),
  /** Fingerprint of the manifest that these facts belong to: see Seal.ts. */
  manifestSha256: Schema.optionalKey(Schema.String),
  /** Whose set this is: retention touches no other. */
  identity: RunIdentity,
  settings: ContentSettings,
  /** Header keys that the run itself appended to every record, in order; `export` leaves them out. */
  addedHeaders: Schema.Array(Schema.String),
  clusterId: Schema.optionalKey(Schema.String),
  selection: Schema.optionalKey(TopicSelectors),
  startedMillis: Schema.Int,
  completedMillis: Schema.Int,
  totals: Schema.Struct({
    topics: Schema.Int,
    partitions: Schema.Int,
    segments: Schema.Int,
    records: Schema.Int,
    /** Keys and values alone. */
    payloadBytes: Schema.Int,
    /** Stored bytes of all objects that the manifest names. */
    storedBytes: Schema.Int
  }),
  topics: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      topicId: Schema.optionalKey(Schema.String),
      /** All partitions, empty ones included: exactly the committed records in [from, until) are in the set. */
      partitions: Schema.Array(
        Schema.Struct({
          partition: Schema.Int,
          from: Schema.Int,
          until: Schema.Int,
          highWatermark: Schema.optionalKey(Schema.Int),
          records: Schema.Int
        })
      )
    })
  ),
  gaps: Schema.Array(
    Schema.Struct({
      topic: Schema.String,
      partition: Schema.Int,
      from: Schema.Int,
      until: Schema.Int,
      reason: Schema.Literals(["offset_out_of_range"])
    })
  ),
  notes: Schema.Array(Schema.String)
})
export type SetFacts = typeof SetFacts.Type

/** The headers that `includeOffsetHeaders` appends, in the order in which they stand. */
export const addedHeaders = (settings: ContentSettings): ReadonlyArray<string> =>
  settings.includeOffsetHeaders
    ? [
        "x-original-offset",
        "x-original-timestamp",
        ...(settings.sourceClusterId === undefined ? [] : ["x-source-cluster"])
      ]
    : []
