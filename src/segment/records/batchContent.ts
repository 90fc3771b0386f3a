import { BatchHeader } from "../../kafka/batch/BatchHeader.ts"
import { headerBytes, type RecordBatch } from "../../kafka/batch/RecordBatch.ts"

/** Length of what `contentHeader` writes. */
export const contentHeaderBytes = 32

/**
 * Writes everything in the header that says something of the records, with `baseOffset` for the offset of the first.
 * Two batches whose content headers and records sections are equal hold the same records at the same offsets. Left out
 * is what belongs to the log and to the producer that wrote there: leader epoch, producer, transaction, delete horizon;
 * and the largest timestamp, which follows from the records. For batches without `logAppendTime`, where it does not.
 */
export const contentHeader = (batch: RecordBatch, baseOffset: number, target: Buffer): void => {
  const { bytes, codec, end, recordsStart, start } = batch
  target.writeInt32BE(Math.floor(baseOffset / 0x1_0000_0000), 0)
  target.writeInt32BE(baseOffset | 0, 4)
  target.writeUInt32BE(end - recordsStart, 8)
  target.writeInt32BE(codec, 12)
  // The offset of the last record and the timestamp that records count theirs from.
  bytes.copy(target, 16, start + BatchHeader.lastOffsetDelta, start + BatchHeader.maxTimestamp)
  bytes.copy(target, 28, start + BatchHeader.recordCount, start + headerBytes)
}
