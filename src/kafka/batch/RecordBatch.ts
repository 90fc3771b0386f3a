import { BatchAttribute, BatchHeader, readInt64 } from "./BatchHeader.ts"

/**
 * One validated record batch (message format v2, KIP-98), still compressed as the broker sent it: its CRC32C was
 * checked, it is no control batch, and its transaction (if any) was committed. The bytes live in `bytes` and are only
 * valid until the element of the stream that carried it is released.
 */
export interface RecordBatch {
  readonly bytes: Buffer
  /** Where the batch's 61-byte header begins in `bytes`. */
  readonly start: number
  /** Where the records section begins (start + 61) and ends (exclusive); compressed unless `codec` is 0. */
  readonly recordsStart: number
  readonly end: number
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly codec: number
  readonly baseOffset: number
  /** Inclusive; from the header's lastOffsetDelta, so it counts records that compaction removed. */
  readonly lastOffset: number
  /** Records in the records section; 0 for a batch that compaction emptied. */
  readonly recordCount: number
  /** True when consumers see `maxTimestamp` for every record (message.timestamp.type=LogAppendTime). */
  readonly logAppendTime: boolean
}

/** Length of the fixed header of a v2 batch in bytes. Source: Kafka protocol guide, "Record Batch". */
export const headerBytes = 61

/** The batch between `start` and `end` as its header says. Checks neither length, format, checksum nor order. */
export const batchAt = (bytes: Buffer, start: number, end: number): RecordBatch => {
  const attributes = bytes.readInt16BE(start + BatchHeader.attributes)
  const baseOffset = readInt64(bytes, start + BatchHeader.baseOffset)
  return {
    bytes,
    start,
    recordsStart: start + headerBytes,
    end,
    codec: attributes & BatchAttribute.codecMask,
    baseOffset,
    lastOffset: baseOffset + bytes.readInt32BE(start + BatchHeader.lastOffsetDelta),
    recordCount: bytes.readInt32BE(start + BatchHeader.recordCount),
    logAppendTime: (attributes & BatchAttribute.logAppendTime) !== 0
  }
}
