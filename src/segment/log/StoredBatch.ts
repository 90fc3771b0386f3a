import { crc32c } from "@node-rs/crc32"
import { BatchAttribute, BatchHeader } from "../../kafka/batch/BatchHeader.ts"
import { batchAt, headerBytes, type RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import { Corruption, OtherMagic } from "./Log.ts"

/** Bytes that must be there before the length of a batch is known. */
export const lengthKnownBytes = BatchHeader.length + 4

/** Largest batch that is believed in, in bytes; as where batches are fetched. */
const maxBytes = 256 * 1024 * 1024

const placeOf = (after: number): string => (after < 0 ? "has a first batch" : `has a batch after offset ${after}`)

/** Where the batch that begins at `start` ends. Throws `Corruption` for a length that none has. */
export const endOf = (bytes: Buffer, start: number, after: number): number => {
  const length = bytes.readInt32BE(start + BatchHeader.length)
  if (length < headerBytes - BatchHeader.prefixBytes || length > maxBytes) {
    throw new Corruption(`${placeOf(after)} that claims a length of ${length} bytes`)
  }
  return start + BatchHeader.prefixBytes + length
}

/**
 * The batch between `start` and `end`, checked: format, CRC-32C, attributes, and that its offsets lie behind `after`
 * and hold its records. Its records section is not opened. Throws `Corruption` and `OtherMagic`.
 */
export const at = (bytes: Buffer, start: number, end: number, after: number): RecordBatch => {
  const wrong = (what: string, isBefore = false) => new Corruption(`${placeOf(after)} ${what}`, isBefore)
  if (crc32c(bytes.subarray(start + BatchHeader.attributes, end)) !== bytes.readUInt32BE(start + BatchHeader.crc)) {
    throw wrong("whose checksum (CRC-32C) does not match its bytes")
  }
  const magic = bytes[start + BatchHeader.magic]!
  if (magic !== 2) throw new OtherMagic(magic)
  const attributes = bytes.readInt16BE(start + BatchHeader.attributes)
  const batch = batchAt(bytes, start, end)
  const { baseOffset, codec, lastOffset, recordCount } = batch
  const offsets = lastOffset - baseOffset + 1
  if (baseOffset <= after || offsets < 1 || !Number.isSafeInteger(lastOffset)) {
    throw wrong(`with the offsets ${baseOffset} to ${lastOffset}`, true)
  }
  if (recordCount < 1 || recordCount > offsets) {
    throw wrong(`with ${recordCount} records at ${offsets} offsets`)
  }
  if ((attributes & BatchAttribute.control) !== 0) throw wrong("that ends a transaction: none was stored")
  if (codec > 4) throw wrong(`with the unknown compression codec ${codec}`)
  return batch
}
