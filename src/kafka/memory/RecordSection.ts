import type { NewRecord } from "../batch/RecordBatchEncoding.ts"

/** A record of a section, with its offset as the distance from the batch's first. */
export interface SectionRecord extends NewRecord {
  readonly offsetDelta: number
}

/**
 * The records of an inflated section, copied. Throws `RangeError` when the section ends in the middle of a record, or a
 * record is not as long as it says.
 */
export const decodeRecords = (section: Buffer, baseTimestamp: number): ReadonlyArray<SectionRecord> => {
  let at = 0

  /** Zigzag variable-length integer. */
  const varint = (): number => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = section.readUInt8(at++)
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return Number((value >> 1n) ^ -(value & 1n))
    }
    throw new RangeError("a variable-length integer is longer than 64 bits")
  }

  const bytes = (): Buffer | null => {
    const length = varint()
    if (length < 0) return null
    if (at + length > section.length) throw new RangeError("premature EOF reached")
    at += length
    return Buffer.from(section.subarray(at - length, at))
  }

  const records: Array<SectionRecord> = []
  while (at < section.length) {
    const length = varint()
    const end = at + length
    at++
    const timestamp = baseTimestamp + varint()
    const offsetDelta = varint()
    const key = bytes()
    const value = bytes()
    const headers: Array<readonly [Buffer, Buffer | null]> = []
    for (let left = varint(); left > 0; left--) {
      const name = bytes()
      if (name === null) throw new RangeError("a header has no key")
      headers.push([name, bytes()])
    }
    if (at !== end) throw new RangeError(`a record of ${length} bytes ends ${at - end} bytes later than it says`)
    records.push({ offsetDelta, timestamp, key, value, headers })
  }
  return records
}
