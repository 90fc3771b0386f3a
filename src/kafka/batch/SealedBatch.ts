import { crc32c } from "@node-rs/crc32"
import { BatchHeader } from "./BatchHeader.ts"
import { headerBytes } from "./RecordBatch.ts"

/** A 64-bit integer as two 32-bit halves, both signed. */
export interface Int64 {
  readonly high: number
  readonly low: number
}

/** Records that are to be produced as one batch, before compression. */
export interface UnsealedBatch {
  /** 61 free bytes for the header, then the records section in Kafka's form, uncompressed. */
  readonly bytes: Buffer
  readonly recordCount: number
  /** Offsets of the first and last record where they come from. */
  readonly firstOffset: number
  readonly lastOffset: number
  /** Milliseconds since 1970. */
  readonly baseTimestamp: Int64
  readonly maxTimestamp: Int64
}

/** What makes a batch part of a producer's sequence (KIP-98). */
export interface ProducerPosition {
  readonly producerId: number
  readonly producerEpoch: number
  /** Of the first record: 0 to 2^31 - 1, then again 0. */
  readonly baseSequence: number
}

const noProducer: ProducerPosition = { producerId: -1, producerEpoch: -1, baseSequence: -1 }

/** The records section before compression, a view. */
export const plainSection = (batch: UnsealedBatch): Buffer => batch.bytes.subarray(headerBytes)

/**
 * The batch as a Produce request carries it, in pieces that follow each other: its header with a base offset of 0, as
 * brokers ask for, and the section. `codec` is the number of the attributes (0 none, 1 gzip, 3 lz4, 4 zstd) that
 * `section` was compressed with. The header is written into `batch.bytes`.
 */
export const sealBatch = (
  batch: UnsealedBatch,
  codec: number,
  section: Buffer,
  producer: ProducerPosition = noProducer
): ReadonlyArray<Buffer> => {
  const header = batch.bytes.subarray(0, headerBytes)
  header.writeInt32BE(0, BatchHeader.baseOffset)
  header.writeInt32BE(0, BatchHeader.baseOffset + 4)
  header.writeInt32BE(headerBytes + section.length - BatchHeader.prefixBytes, BatchHeader.length)
  // The broker writes its own.
  header.writeInt32BE(-1, BatchHeader.leaderEpoch)
  header[BatchHeader.magic] = 2
  header.writeInt16BE(codec, BatchHeader.attributes)
  header.writeInt32BE(batch.recordCount - 1, BatchHeader.lastOffsetDelta)
  writeInt64(header, BatchHeader.baseTimestamp, batch.baseTimestamp)
  writeInt64(header, BatchHeader.maxTimestamp, batch.maxTimestamp)
  header.writeBigInt64BE(BigInt(producer.producerId), BatchHeader.producerId)
  header.writeInt16BE(producer.producerEpoch, BatchHeader.producerEpoch)
  header.writeInt32BE(producer.baseSequence, BatchHeader.baseSequence)
  header.writeInt32BE(batch.recordCount, BatchHeader.recordCount)
  header.writeUInt32BE(crc32c(section, crc32c(header.subarray(BatchHeader.attributes))), BatchHeader.crc)
  return [header, section]
}

const writeInt64 = (bytes: Buffer, at: number, { high, low }: Int64): void => {
  bytes.writeInt32BE(high, at)
  bytes.writeInt32BE(low, at + 4)
}
