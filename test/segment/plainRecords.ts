import { crc32c } from "@node-rs/crc32"
import * as lz4 from "lz4-napi"
import zlib from "node:zlib"
import { zstdFrames } from "../../src/compression/Zstd.ts"
import type { RecordBatch } from "../../src/kafka/batch/RecordBatch.ts"

/**
 * A second, slow implementation of both formats, written with BigInts and one buffer per field: what the codec under
 * test is compared with.
 */
export interface PlainRecord {
  readonly offset: bigint
  readonly timestamp: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReadonlyArray<readonly [key: Buffer, value: Buffer | null]>
}

export const codecs = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const

const compressions: Record<keyof typeof codecs, (bytes: Buffer) => Buffer> = {
  none: (bytes) => bytes,
  gzip: (bytes) => zlib.gzipSync(bytes),
  snappy: () => {
    throw new Error("covered by the tests of decompression")
  },
  lz4: (bytes) => lz4.compressFrameSync(bytes),
  zstd: (bytes) => zlib.zstdCompressSync(bytes)
}

export const varint = (value: bigint | number): Buffer => {
  const signed = BigInt(value)
  let zigzag = BigInt.asUintN(64, (signed << 1n) ^ (signed >> 63n))
  const bytes: Array<number> = []
  while (zigzag > 127n) {
    bytes.push(Number(zigzag & 127n) | 128)
    zigzag >>= 7n
  }
  bytes.push(Number(zigzag))
  return Buffer.from(bytes)
}

const sized = (bytes: Buffer | null): Buffer =>
  bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes])

/** One record as Kafka has it inside a batch. */
export const kafkaRecord = (record: PlainRecord, baseOffset: bigint, baseTimestamp: bigint): Buffer => {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(BigInt.asIntN(64, record.timestamp - baseTimestamp)),
    varint(record.offset - baseOffset),
    sized(record.key),
    sized(record.value),
    varint(record.headers.length),
    ...record.headers.flatMap(([key, value]) => [sized(key), sized(value)])
  ])
  return Buffer.concat([varint(body.length), body])
}

export interface BatchShape {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly baseTimestamp: bigint
  readonly maxTimestamp?: bigint
  readonly logAppendTime?: boolean
  readonly codec?: keyof typeof codecs
  readonly recordCount?: number
}

/**
 * A batch around a records section that may be wrong on purpose; it lies in the middle of a larger buffer, as fetched
 * ones do.
 */
export const batchAround = (section: Buffer, shape: BatchShape): RecordBatch => {
  const { baseOffset, baseTimestamp, codec = "none", lastOffset, logAppendTime = false, maxTimestamp = 0n } = shape
  const records = compressions[codec](section)
  const head = Buffer.alloc(61)
  head.writeBigInt64BE(baseOffset, 0)
  head.writeInt32BE(49 + records.length, 8)
  head[16] = 2
  head.writeInt16BE(codecs[codec] | (logAppendTime ? 8 : 0), 21)
  head.writeInt32BE(Number(lastOffset - baseOffset), 23)
  head.writeBigInt64BE(baseTimestamp, 27)
  head.writeBigInt64BE(maxTimestamp, 35)
  head.writeInt32BE(shape.recordCount ?? 0, 57)
  head.writeUInt32BE(crc32c(Buffer.concat([head.subarray(21), records])), 17)
  const before = Buffer.alloc(13, 0xee)
  const bytes = Buffer.concat([before, head, records, Buffer.alloc(7, 0xee)])
  return {
    bytes,
    start: 13,
    recordsStart: 13 + 61,
    end: 13 + 61 + records.length,
    codec: codecs[codec],
    baseOffset: Number(baseOffset),
    lastOffset: Number(lastOffset),
    recordCount: shape.recordCount ?? 0,
    logAppendTime
  }
}

/** The batch that a broker would have made of these records. */
export const batchOf = (records: ReadonlyArray<PlainRecord>, shape: Partial<BatchShape> = {}): RecordBatch => {
  const baseOffset = shape.baseOffset ?? records[0]!.offset
  const baseTimestamp = shape.baseTimestamp ?? records[0]!.timestamp
  const section = Buffer.concat(records.map((record) => kafkaRecord(record, baseOffset, baseTimestamp)))
  return batchAround(section, {
    ...shape,
    baseOffset,
    lastOffset: shape.lastOffset ?? records.at(-1)!.offset,
    baseTimestamp,
    recordCount: shape.recordCount ?? records.length
  })
}

/** The record stream of a segment. */
export const stream = (records: ReadonlyArray<PlainRecord>): Buffer =>
  Buffer.concat(
    records.flatMap((record) => {
      const parts: Array<Buffer> = []
      const int = (size: 2 | 4, value: number) => {
        const bytes = Buffer.alloc(size)
        if (size === 2) bytes.writeUInt16LE(value)
        else bytes.writeInt32LE(value)
        parts.push(bytes)
      }
      const long = (value: bigint) => {
        const bytes = Buffer.alloc(8)
        bytes.writeBigInt64LE(value)
        parts.push(bytes)
      }
      const nullable = (bytes: Buffer | null) => {
        int(4, bytes === null ? -1 : bytes.length)
        if (bytes !== null) parts.push(bytes)
      }
      long(record.timestamp)
      long(record.offset)
      nullable(record.key)
      nullable(record.value)
      int(2, record.headers.length)
      for (const [key, value] of record.headers) {
        int(2, key.length)
        parts.push(key)
        nullable(value)
      }
      const body = Buffer.concat(parts)
      const length = Buffer.alloc(4)
      length.writeUInt32LE(body.length)
      return [length, body]
    })
  )

/** The record stream inside a stored file. */
export const streamOf = (file: Buffer): Buffer => {
  const body = file.subarray(32, -8)
  switch (file[5]) {
    case 0:
      return body
    case 1:
      return Buffer.concat(zstdFrames(body).map((frame) => zlib.zstdDecompressSync(frame)))
    default:
      return lz4.uncompressSync(body)
  }
}

/** Bitwise CRC-32, so that not even the table is shared. */
export const slowCrc = (bytes: Buffer): number => {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}
