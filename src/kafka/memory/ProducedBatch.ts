import { crc32c } from "@node-rs/crc32"
import { BatchAttribute, BatchHeader, readInt64 } from "../batch/BatchHeader.ts"
import { decompressSync } from "../batch/Decompression.ts"
import { headerBytes } from "../batch/RecordBatch.ts"
import type { ProducerCodec } from "../batch/RecordBatchEncoding.ts"
import type { ProducerPosition } from "../batch/SealedBatch.ts"
import { ErrorCode } from "../ErrorCode.ts"
import { decodeRecords, type SectionRecord } from "./RecordSection.ts"

/** Most that a produced batch is inflated to, in bytes. */
const longestInflated = 512 * 1024 * 1024

/** A batch of a Produce request that the broker takes. */
export interface ProducedBatch {
  /** A copy of its own. */
  readonly bytes: Buffer
  readonly codec: ProducerCodec
  readonly records: ReadonlyArray<SectionRecord>
  readonly lastOffsetDelta: number
  readonly maxTimestamp: number
  /** Undefined when it is not idempotent. */
  readonly producer: ProducerPosition | undefined
}

export type CheckedBatch =
  | { readonly _tag: "Sound"; readonly batch: ProducedBatch }
  | { readonly _tag: "Refused"; readonly errorCode: number; readonly detail: string }

const codecs: ReadonlyArray<ProducerCodec> = ["none", "gzip", "snappy-xerial", "lz4", "zstd"]

/** `max.message.bytes`, `message.timestamp.after.max.ms` (1 h) and `.before.max.ms`. Source: Kafka topic configs. */
const defaults = {
  "max.message.bytes": 1_048_588,
  "message.timestamp.after.max.ms": 3_600_000,
  "message.timestamp.before.max.ms": Number.POSITIVE_INFINITY
} as const

/** Timestamp of a record without one. */
const noTimestamp = -1

const refused = (errorCode: number, detail: string): CheckedBatch => ({ _tag: "Refused", errorCode, detail })
const invalid = (detail: string) => refused(ErrorCode.invalidRecord, detail)

/** The checks of Kafka 4.3.1 before an append. Pure; inner offsets are checked only in compressed batches, as there. */
export const checkBatch = (
  pieces: ReadonlyArray<Buffer>,
  configs: Readonly<Record<string, string>>,
  nowMillis: number
): CheckedBatch => {
  const bytes = Buffer.concat(pieces)
  const limit = (name: keyof typeof defaults) => Number(configs[name] ?? defaults[name])
  if (bytes.length < headerBytes) return refused(ErrorCode.corruptMessage, "the batch is shorter than its header")
  if (bytes[BatchHeader.magic] !== 2) return refused(ErrorCode.unsupportedForMessageFormat, "magic is not 2")
  const length = bytes.readInt32BE(BatchHeader.length) + BatchHeader.prefixBytes
  if (length > bytes.length) return refused(ErrorCode.corruptMessage, "the batch is longer than the request")
  if (length < bytes.length) return invalid("the request holds more than one batch")
  if (crc32c(bytes.subarray(BatchHeader.attributes)) !== bytes.readUInt32BE(BatchHeader.crc)) {
    return refused(ErrorCode.corruptMessage, "the checksum is wrong")
  }
  if (bytes.length > limit("max.message.bytes")) {
    return refused(ErrorCode.messageTooLarge, `the batch has ${bytes.length} bytes`)
  }
  const attributes = bytes.readInt16BE(BatchHeader.attributes)
  if ((attributes & BatchAttribute.control) !== 0) return invalid("clients cannot write control batches")
  if (readInt64(bytes, BatchHeader.baseOffset) !== 0) return invalid("the base offset is not 0")
  const count = bytes.readInt32BE(BatchHeader.recordCount)
  const lastOffsetDelta = bytes.readInt32BE(BatchHeader.lastOffsetDelta)
  if (count < 1 || count !== lastOffsetDelta + 1) {
    return invalid(`inconsistent batch offset range [0, ${lastOffsetDelta}] and count of records ${count}`)
  }
  const codec = attributes & BatchAttribute.codecMask
  const records = decoded(codec, bytes)
  if (typeof records === "string") return invalid(records)
  if (records.length !== count) return invalid("premature EOF reached")
  if (codec !== 0 && records.some(({ offsetDelta }, i) => offsetDelta !== i)) {
    return refused(ErrorCode.unknownServerError, "the server experienced an unexpected error")
  }
  if ((configs["cleanup.policy"] ?? "").includes("compact") && records.some(({ key }) => key === null)) {
    return invalid("Compacted topic cannot accept message without key")
  }
  if (configs["message.timestamp.type"] !== "LogAppendTime") {
    const latest = nowMillis + limit("message.timestamp.after.max.ms")
    const earliest = nowMillis - limit("message.timestamp.before.max.ms")
    const outside = records.find(({ timestamp: at }) => at !== noTimestamp && (at > latest || at < earliest))
    if (outside !== undefined) {
      return refused(ErrorCode.invalidTimestamp, `Timestamp ${outside.timestamp} of message is out of range`)
    }
  }
  const producerId = readInt64(bytes, BatchHeader.producerId)
  const producer =
    producerId < 0
      ? undefined
      : {
          producerId,
          producerEpoch: bytes.readInt16BE(BatchHeader.producerEpoch),
          baseSequence: bytes.readInt32BE(BatchHeader.baseSequence)
        }
  const maxTimestamp = readInt64(bytes, BatchHeader.maxTimestamp)
  const batch = { bytes, codec: codecs[codec]!, records, lastOffsetDelta, maxTimestamp, producer }
  return { _tag: "Sound", batch }
}

/** The records, or why they cannot be decoded. */
const decoded = (codec: number, bytes: Buffer): ReadonlyArray<SectionRecord> | string => {
  try {
    const section = decompressSync(codec, bytes.subarray(headerBytes), longestInflated)
    return decodeRecords(section, readInt64(bytes, BatchHeader.baseTimestamp))
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause)
  }
}

/** The bytes as the log stores them: with their offset, the epoch of the leader and, where asked for, its time. */
export const placed = (
  { bytes }: ProducedBatch,
  baseOffset: number,
  leaderEpoch: number,
  logAppendTime: number | undefined
): Buffer => {
  bytes.writeBigInt64BE(BigInt(baseOffset), BatchHeader.baseOffset)
  bytes.writeInt32BE(leaderEpoch, BatchHeader.leaderEpoch)
  // A producer's flag for the broker's time means nothing.
  const attributes = bytes.readInt16BE(BatchHeader.attributes) & ~BatchAttribute.logAppendTime
  const stamp = logAppendTime === undefined ? 0 : BatchAttribute.logAppendTime
  bytes.writeInt16BE(attributes | stamp, BatchHeader.attributes)
  if (logAppendTime !== undefined) bytes.writeBigInt64BE(BigInt(logAppendTime), BatchHeader.maxTimestamp)
  bytes.writeUInt32BE(crc32c(bytes.subarray(BatchHeader.attributes)), BatchHeader.crc)
  return bytes
}
