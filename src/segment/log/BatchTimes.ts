import { BatchHeader } from "../../kafka/batch/BatchHeader.ts"
import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import { TimestampRange } from "../records/TimestampRange.ts"

/** What the headers of batches say of the times of their records. */
export interface BatchTimes {
  readonly add: (batch: RecordBatch) => void
  /** Milliseconds since 1970, clamped to safe integers; both are 0 before the first batch. */
  readonly min: number
  readonly max: number
}

/**
 * The largest is that of the records, or of others of the same batches. The smallest is the time of the first record of
 * a batch: records behind it may be earlier, which nobody knows without opening it. Where compaction keeps a deletion
 * for a while, the field of that time says until when (KIP-534); then it is later than the largest, and left out.
 */
export const make = (): BatchTimes => {
  const range = new TimestampRange()
  return {
    add: ({ bytes, logAppendTime, start }) => {
      const [maxHigh, maxLow] = [
        bytes.readInt32BE(start + BatchHeader.maxTimestamp),
        bytes.readInt32BE(start + BatchHeader.maxTimestamp + 4)
      ]
      range.add(maxHigh, maxLow)
      if (logAppendTime) return
      const [high, low] = [
        bytes.readInt32BE(start + BatchHeader.baseTimestamp),
        bytes.readInt32BE(start + BatchHeader.baseTimestamp + 4)
      ]
      if (high < maxHigh || (high === maxHigh && low >>> 0 <= maxLow >>> 0)) range.add(high, low)
    },
    get min() {
      return range.min
    },
    get max() {
      return range.max
    }
  }
}
