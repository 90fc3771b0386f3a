import type { StoredRecord } from "../StoredRecord.ts"

/** The records in `bytes`, which are whole and have been scanned. */
export const decodedRecords = (bytes: Buffer): Array<StoredRecord> => {
  const records: Array<StoredRecord> = []
  let at = 0
  const taken = (length: number): Buffer | null => {
    if (length < 0) return null
    at += length
    return bytes.subarray(at - length, at)
  }
  const nullable = (): Buffer | null => {
    at += 4
    return taken(bytes.readInt32LE(at - 4))
  }
  while (at < bytes.length) {
    const timestamp = bytes.readBigInt64LE(at + 4)
    const offset = bytes.readUInt32LE(at + 12) + bytes.readInt32LE(at + 16) * 0x1_0000_0000
    at += 20
    const key = nullable()
    const value = nullable()
    const headers: Array<StoredRecord["headers"][number]> = []
    const count = bytes.readUInt16LE(at)
    at += 2
    for (let i = 0; i < count; i++) {
      at += 2
      const headerKey = taken(bytes.readUInt16LE(at - 2))!
      headers.push({ key: headerKey, value: nullable() })
    }
    records.push({ offset, timestamp, key, value, headers })
  }
  return records
}
