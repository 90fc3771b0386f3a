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
