import zlib from "node:zlib"
import { headerBytes } from "../kafka/batch/RecordBatch.ts"
import { lengthOf, offsetOf } from "../segment/records/recordFields.ts"
import type { UnsealedBatch } from "../kafka/batch/SealedBatch.ts"
import type { Section } from "./Compression.ts"

/**
 * Records of one filler batch: large enough that a batch costs little for each, small enough that a broker, which
 * inflates it to check it, needs about a megabyte for it.
 */
export const recordsPerBatch = 100_000

/**
 * A filler record without its offset delta: attributes, timestamp delta, and after it a null key, a null value, no
 * headers.
 */
const afterDelta = Buffer.of(1, 1, 0)

/** Records without key and value, one after the other: what stands for offsets that had no record. */
const section = (count: number): Buffer => {
  const bytes = Buffer.allocUnsafe(count * 12)
  let at = 0
  for (let delta = 0; delta < count; delta++) {
    const lengthAt = at++
    bytes[at++] = 0
    bytes[at++] = 0
    let rest = delta * 2
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 128
      rest >>>= 7
    }
    bytes[at++] = rest
    at += afterDelta.copy(bytes, at)
    // At most 8 bytes: their zigzag length takes one.
    bytes[lengthAt] = (at - lengthAt - 1) * 2
  }
  return bytes.subarray(0, at)
}

const compressedBySize = new Map<number, Section>()

const compressed = (count: number): Section => {
  const known = compressedBySize.get(count)
  if (known !== undefined) return known
  const made = { codec: 4, bytes: zlib.zstdCompressSync(section(count)) }
  // The last batch of each partition has a size of its own: only the common one is kept.
  if (count === recordsPerBatch) compressedBySize.set(count, made)
  return made
}

const unset = { high: -1, low: -1 }

/** A batch of `count` fillers from `firstOffset` on, with timestamps of -1, and its compressed records. */
export const batch = (
  firstOffset: number,
  count: number
): { readonly batch: UnsealedBatch; readonly section: Section } => ({
  batch: {
    bytes: Buffer.allocUnsafe(headerBytes),
    recordCount: count,
    firstOffset,
    lastOffset: firstOffset + count - 1,
    baseTimestamp: unset,
    maxTimestamp: unset
  },
  section: compressed(count)
})

/** Bytes of a filler in the record stream, without its length field. */
const storedBytes = 26

const isFillerAt = (run: Buffer, at: number): boolean =>
  run.readUInt32LE(at) === storedBytes &&
  run.readInt32LE(at + 4) === -1 &&
  run.readInt32LE(at + 8) === -1 &&
  run.readInt32LE(at + 20) === -1 &&
  run.readInt32LE(at + 24) === -1

/** How many records of a run of whole records are fillers. */
export const countIn = (run: Buffer): number => {
  let count = 0
  for (let at = 0; at < run.length; at += lengthOf(run, at)) if (isFillerAt(run, at)) count++
  return count
}

/** The offset of the first filler of a run. */
export const firstIn = (run: Buffer): number | undefined => {
  for (let at = 0; at < run.length; at += lengthOf(run, at)) if (isFillerAt(run, at)) return offsetOf(run, at)
  return undefined
}

/** The other records of a run; the run itself where it has no filler. */
export const without = (run: Buffer): Buffer => {
  if (firstIn(run) === undefined) return run
  const rest = Buffer.allocUnsafe(run.length)
  let out = 0
  for (let at = 0; at < run.length; at += lengthOf(run, at)) {
    if (!isFillerAt(run, at)) out += run.copy(rest, out, at, at + lengthOf(run, at))
  }
  return rest.subarray(0, out)
}
