import { crc32c } from "@node-rs/crc32"
import * as lz4 from "lz4-napi"
import snappy from "snappy"
import zlib from "node:zlib"
import { xerialStream } from "../../compression/Snappy.ts"
import { BatchAttribute, BatchHeader, ControlType } from "./BatchHeader.ts"
import { headerBytes } from "./RecordBatch.ts"

/**
 * How a producer compresses. Two kinds of snappy exist: Java's stream framing (xerial) and one raw block (librdkafka,
 * Go).
 */
export type ProducerCodec = "none" | "gzip" | "snappy-xerial" | "snappy-raw" | "lz4" | "zstd"

/** One record as a producer gives it. Absent and empty are different: a null value is a tombstone. */
export interface NewRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** In order; keys may repeat and need not be text. */
  readonly headers: ReadonlyArray<readonly [key: Buffer, value: Buffer | null]>
  /** Milliseconds since 1970, may be negative. */
  readonly timestamp: number
}

export interface NewBatch {
  readonly baseOffset: number
  /**
   * Ascending by offset; `offset` may leave holes. May be empty when `lastOffset` is given: a batch emptied by
   * compaction.
   */
  readonly records: ReadonlyArray<NewRecord & { readonly offset: number }>
  /** Inclusive. Default: that of the last record. */
  readonly lastOffset?: number
  readonly codec?: ProducerCodec
  /** Default -1: not idempotent. */
  readonly producerId?: number
  readonly transactional?: boolean
  /** Present: the broker stamped the whole batch with this time (milliseconds). */
  readonly logAppendTime?: number
  readonly leaderEpoch?: number
}

const codecId = { none: 0, gzip: 1, "snappy-xerial": 2, "snappy-raw": 2, lz4: 3, zstd: 4 } as const

/** One record batch of message format v2, as a producer and broker would leave it in the log. */
export const encodeBatch = (batch: NewBatch): Buffer => {
  const timestamps = batch.records.map(({ timestamp }) => timestamp)
  const baseTimestamp = timestamps[0] ?? batch.logAppendTime ?? 0
  const maxTimestamp = batch.logAppendTime ?? timestamps.reduce((a, b) => Math.max(a, b), baseTimestamp)
  const codec = batch.codec ?? "none"
  const section = compressed(codec, encodeRecords(batch.records, batch.baseOffset, baseTimestamp))
  const attributes =
    codecId[codec] |
    (batch.logAppendTime === undefined ? 0 : BatchAttribute.logAppendTime) |
    (batch.transactional === true ? BatchAttribute.transactional : 0)
  const lastOffset = batch.lastOffset ?? batch.records.at(-1)?.offset ?? batch.baseOffset
  return framed(batch, attributes, lastOffset, baseTimestamp, maxTimestamp, batch.records.length, section)
}

/** The marker that ends a producer's transaction. */
export const encodeMarker = (marker: {
  readonly baseOffset: number
  readonly producerId: number
  readonly type: "abort" | "commit"
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly leaderEpoch?: number
}): Buffer => {
  const { baseOffset, timestamp, type } = marker
  const key = Buffer.from([0, 0, 0, ControlType[type]])
  const value = Buffer.alloc(6)
  const section = encodeRecords([{ offset: baseOffset, key, value, headers: [], timestamp }], baseOffset, timestamp)
  const attributes = BatchAttribute.control | BatchAttribute.transactional
  return framed(marker, attributes, baseOffset, timestamp, timestamp, 1, section)
}

const framed = (
  batch: { readonly baseOffset: number; readonly producerId?: number; readonly leaderEpoch?: number },
  attributes: number,
  lastOffset: number,
  baseTimestamp: number,
  maxTimestamp: number,
  recordCount: number,
  section: Buffer
): Buffer => {
  const producerId = batch.producerId ?? -1
  const bytes = Buffer.alloc(headerBytes + section.length)
  bytes.writeBigInt64BE(BigInt(batch.baseOffset), BatchHeader.baseOffset)
  bytes.writeInt32BE(bytes.length - BatchHeader.prefixBytes, BatchHeader.length)
  bytes.writeInt32BE(batch.leaderEpoch ?? 0, BatchHeader.leaderEpoch)
  bytes[BatchHeader.magic] = 2
  bytes.writeInt16BE(attributes, BatchHeader.attributes)
  bytes.writeInt32BE(lastOffset - batch.baseOffset, BatchHeader.lastOffsetDelta)
  bytes.writeBigInt64BE(BigInt(baseTimestamp), BatchHeader.baseTimestamp)
  bytes.writeBigInt64BE(BigInt(maxTimestamp), BatchHeader.maxTimestamp)
  bytes.writeBigInt64BE(BigInt(producerId), BatchHeader.producerId)
  bytes.writeInt16BE(producerId < 0 ? -1 : 0, BatchHeader.producerEpoch)
  bytes.writeInt32BE(-1, BatchHeader.baseSequence)
  bytes.writeInt32BE(recordCount, BatchHeader.recordCount)
  section.copy(bytes, headerBytes)
  bytes.writeUInt32BE(crc32c(bytes.subarray(BatchHeader.attributes)), BatchHeader.crc)
  return bytes
}

const encodeRecords = (
  records: ReadonlyArray<NewRecord & { readonly offset: number }>,
  baseOffset: number,
  baseTimestamp: number
): Buffer => {
  const parts: Array<Buffer> = []
  for (const record of records) {
    const body: Array<Buffer> = [
      Buffer.of(0),
      varint(record.timestamp - baseTimestamp),
      varint(record.offset - baseOffset)
    ]
    pushBytes(body, record.key)
    pushBytes(body, record.value)
    body.push(varint(record.headers.length))
    for (const [key, value] of record.headers) {
      pushBytes(body, key)
      pushBytes(body, value)
    }
    parts.push(varint(body.reduce((total, part) => total + part.length, 0)), ...body)
  }
  return Buffer.concat(parts)
}

const pushBytes = (parts: Array<Buffer>, bytes: Buffer | null) => {
  if (bytes === null) parts.push(varint(-1))
  else parts.push(varint(bytes.length), bytes)
}

/** Zigzag variable-length integer of up to 64 bits. */
const varint = (value: number): Buffer => {
  if (value >= -64 && value < 64) return Buffer.of(value < 0 ? -2 * value - 1 : 2 * value)
  let rest = value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value)
  const bytes: Array<number> = []
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

const compressed = (codec: ProducerCodec, section: Buffer): Buffer => {
  switch (codec) {
    case "none":
      return section
    case "gzip":
      return zlib.gzipSync(section)
    case "snappy-raw":
      return snappy.compressSync(section)
    case "snappy-xerial":
      return xerialStream(section)
    case "lz4":
      return lz4.compressFrameSync(section)
    case "zstd":
      return zlib.zstdCompressSync(section)
  }
}
