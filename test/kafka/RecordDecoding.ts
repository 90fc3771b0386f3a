import { Effect } from "effect"
import { decompress } from "../../src/kafka/batch/Decompression.ts"
import type { RecordBatch } from "../../src/kafka/batch/RecordBatch.ts"

/** A record as a consumer would see it; the slow way, an object per record. */
export interface DecodedRecord {
  readonly offset: number
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReadonlyArray<readonly [Buffer, Buffer | null]>
}

/** All records of a batch, copied. Dies when the section is not consumed exactly or holds another number of records. */
export const recordsOf = (batch: RecordBatch): Effect.Effect<ReadonlyArray<DecodedRecord>> =>
  Effect.suspend(() => {
    const inflated = decompress(batch)
    const section = inflated instanceof Promise ? Effect.promise(() => inflated) : Effect.succeed(inflated)
    return Effect.map(section, (bytes) => parse(batch, bytes))
  })

const parse = (batch: RecordBatch, section: Buffer): ReadonlyArray<DecodedRecord> => {
  const baseTimestamp = Number(batch.bytes.readBigInt64BE(batch.start + 27))
  const maxTimestamp = Number(batch.bytes.readBigInt64BE(batch.start + 35))
  let at = 0
  const varint = (): number => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = section.readUInt8(at++)
      value |= BigInt(byte & 127) << shift
      if (byte < 128) break
    }
    return Number((value >> 1n) ^ -(value & 1n))
  }
  const bytes = (): Buffer | null => {
    const length = varint()
    if (length < 0) return null
    if (at + length > section.length) throw new Error("a field is cut")
    at += length
    return Buffer.from(section.subarray(at - length, at))
  }
  const records: Array<DecodedRecord> = []
  while (at < section.length) {
    const length = varint()
    const end = at + length
    at += 1
    const timestamp = baseTimestamp + varint()
    const offset = batch.baseOffset + varint()
    const key = bytes()
    const value = bytes()
    const headers = Array.from({ length: varint() }, () => [bytes()!, bytes()] as const)
    if (at !== end) throw new Error(`a record of ${length} bytes ends at ${at}, not ${end}`)
    records.push({ offset, timestamp: batch.logAppendTime ? maxTimestamp : timestamp, key, value, headers })
  }
  if (records.length !== batch.recordCount) throw new Error(`${records.length} records, not ${batch.recordCount}`)
  return records
}
