import { Schema } from "effect"
import { FullReason } from "./FullReason.ts"
import { ManifestSegment } from "./Manifest.ts"

/** A durable segment, with the store's answer to its put. */
export const DurableSegment = Schema.Struct({
  ...ManifestSegment.fields,
  uncompressed_size: Schema.Int,
  compressed_size: Schema.Int,
  sha256: Schema.String,
  uploaded_at: Schema.Int,
  /** Bytes of keys and values. */
  payloadBytes: Schema.Int,
  /** Length of the largest record in the record stream. Absent: an earlier version stored the segment. */
  largestRecordBytes: Schema.optionalKey(Schema.Int),
  /** The fingerprint that the store returned for the put; compared again before the manifest is written. */
  fingerprint: Schema.optionalKey(Schema.String)
})
export type DurableSegment = typeof DurableSegment.Type

export const FoundGap = Schema.Struct({ from: Schema.Int, until: Schema.Int, detectedMillis: Schema.Int })
export type FoundGap = typeof FoundGap.Type

/** Everything that became durable in one partition since the attempt's previous checkpoint. */
export const PartitionAdvance = Schema.Struct({
  topic: Schema.String,
  partition: Schema.Int,
  /** Everything below is durable, or known not to exist. */
  position: Schema.Int,
  segments: Schema.Array(DurableSegment),
  gaps: Schema.Array(FoundGap),
  /** Epoch of the leader that wrote the last batch that was read below `position`. Absent where it is not known. */
  leaderEpoch: Schema.optionalKey(Schema.Int),
  /** When everything below `position` had been read, in ms. Absent: an earlier version wrote the checkpoint. */
  readMillis: Schema.optionalKey(Schema.Int),
  /** Present: earlier checkpoints of this partition are void, because the store has lost part of it. */
  restart: Schema.optionalKey(Schema.Literal(true)),
  /** Present, on a restart: nothing is taken over from the base any more, and why. */
  full: Schema.optionalKey(FullReason),
  /** Segments of the base that were found damaged after the plan, by their first offsets: they are to be read again. */
  damaged: Schema.optionalKey(Schema.Array(Schema.Int)),
  /**
   * First offset of a damaged segment of the base: `segments` and `gaps` are what Kafka has of it, and stand in its
   * place. The position stays where it was.
   */
  healed: Schema.optionalKey(Schema.Int)
})
export type PartitionAdvance = typeof PartitionAdvance.Type

/** One link of the chain: created only if absent, with nothing but what is new since the last checkpoint. */
export const Checkpoint = Schema.Struct({
  version: Schema.Literal(1),
  attempt: Schema.Int,
  sequence: Schema.Int,
  advances: Schema.Array(PartitionAdvance)
})
export type Checkpoint = typeof Checkpoint.Type

/** One attempt of a run, and the checkpoints of its predecessors that it builds on: the chain has no forks. */
export const Attempt = Schema.Struct({
  version: Schema.Literal(1),
  attempt: Schema.Int,
  startedMillis: Schema.Int,
  /** The machine that it ran on, for people. */
  host: Schema.String,
  /** Predecessors in order, each with its last valid checkpoint (0 for none). */
  builtOn: Schema.Array(Schema.Struct({ attempt: Schema.Int, sequence: Schema.Int }))
})
export type Attempt = typeof Attempt.Type
