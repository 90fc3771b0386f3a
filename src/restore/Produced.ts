import { freeMemory } from "../compression/freeMemory.ts"
import type { RecordBatch } from "../kafka/batch/RecordBatch.ts"
import { batchBytes, resealBatch } from "../kafka/batch/ResealedBatch.ts"
import { headerBytes } from "../kafka/batch/RecordBatch.ts"
import { type ProducerPosition, sealBatch, type UnsealedBatch } from "../kafka/batch/SealedBatch.ts"
import type { Section } from "./Compression.ts"

/** A batch of the backup with the offsets that its records get in the target. */
export interface StoredBatch {
  /** In memory of its own. */
  readonly batch: RecordBatch
  readonly firstOffset: number
  /** Inclusive. */
  readonly lastOffset: number
}

/** A batch that lacks only its place in the sequence of a producer. */
export interface Produced {
  readonly recordCount: number
  /** Offsets that its records are to get. Inclusive. */
  readonly firstOffset: number
  readonly lastOffset: number
  /** Of the whole batch. */
  readonly bytes: number
  /** Whether a broker compressed and stored it so. */
  readonly isAsStored: boolean
  /** The pieces of a Produce request. */
  readonly seal: (producer: ProducerPosition) => ReadonlyArray<Buffer>
  /** Gives its memory back, once it is answered. */
  readonly free: () => void
}

/** Records of the backup, compressed here. */
export const ofRecords = (batch: UnsealedBatch, section: Section): Produced => ({
  ...ofFillers(batch, section),
  free: () => freeMemory(section.bytes)
})

/** Its section is used again. */
export const ofFillers = (batch: UnsealedBatch, section: Section): Produced => ({
  recordCount: batch.recordCount,
  firstOffset: batch.firstOffset,
  lastOffset: batch.lastOffset,
  bytes: headerBytes + section.bytes.length,
  isAsStored: false,
  seal: (producer) => sealBatch(batch, section.codec, section.bytes, producer),
  free: () => {}
})

export const ofStored = ({ batch, firstOffset, lastOffset }: StoredBatch): Produced => ({
  recordCount: batch.recordCount,
  firstOffset,
  lastOffset,
  bytes: batchBytes(batch),
  isAsStored: true,
  seal: (producer) => resealBatch(batch, producer),
  free: () => freeMemory(batch.bytes)
})
