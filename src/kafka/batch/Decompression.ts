import { DecompressionFailed } from "../../compression/DecompressionFailed.ts"
import { gzip } from "../../compression/Gzip.ts"
import { lz4 } from "../../compression/Lz4.ts"
import { snappy } from "../../compression/Snappy.ts"
import type { WholeInflater } from "../../compression/WholeInflater.ts"
import { zstd } from "../../compression/Zstd.ts"
import type { RecordBatch } from "./RecordBatch.ts"

/** Largest records section that we inflate, in bytes. Kafka's largest possible batch is far smaller; a bomb is not. */
export const maxInflatedBytes = 512 * 1024 * 1024

/**
 * Compressed sections up to this many bytes inflate on the calling thread, longer ones on the thread pool: below it the
 * hop costs more than the work (16 KiB of zstd: 36 µs here, 130 µs there).
 */
export const asyncAboveBytes = 128 * 1024

/** By the codec number of a batch's attributes. */
const inflaters: ReadonlyArray<WholeInflater | undefined> = [undefined, gzip, snappy, lz4, zstd]

/** The batch's records section, a view: compressed unless `codec` is 0. */
export const recordsSection = (batch: RecordBatch): Buffer => batch.bytes.subarray(batch.recordsStart, batch.end)

/**
 * The batch's records, inflated. A view into the batch's bytes when `codec` is 0, else fresh memory. Throws (or rejects
 * with) `DecompressionFailed` and nothing else: when the section is damaged, when bytes are left over behind the
 * compressed data (zero padding behind gzip excepted), or when it would inflate beyond `maxBytes`.
 */
export const decompress = (batch: RecordBatch, maxBytes: number = maxInflatedBytes): Buffer | Promise<Buffer> => {
  const section = recordsSection(batch)
  if (batch.codec === 0) return section
  const inflater = inflaterOf(batch.codec)
  return section.length <= asyncAboveBytes
    ? inflater.inflateSync(section, maxBytes)
    : inflater.inflate(section, maxBytes)
}

/** A records section, inflated on the calling thread whatever its length. Throws as `decompress` does. */
export const decompressSync = (codec: number, section: Buffer): Buffer =>
  codec === 0 ? section : inflaterOf(codec).inflateSync(section, maxInflatedBytes)

const inflaterOf = (codec: number): WholeInflater => {
  const inflater = inflaters[codec]
  if (inflater === undefined)
    throw new DecompressionFailed({ kind: "unsupported", codec: `codec ${codec}`, detail: "is not known" })
  return inflater
}
