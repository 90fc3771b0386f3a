import { DecompressionFailed } from "../../compression/DecompressionFailed.ts"
import { gzip, gzipPieces } from "../../compression/Gzip.ts"
import { lz4, lz4Pieces } from "../../compression/Lz4.ts"
import { snappy, snappyPieces } from "../../compression/Snappy.ts"
import type { WholeInflater } from "../../compression/WholeInflater.ts"
import { zstd, zstdPieces } from "../../compression/Zstd.ts"
import { zstdWindowBytes } from "../../compression/zstdWindowBytes.ts"
import type { RecordBatch } from "./RecordBatch.ts"

/** Most that a records section is inflated to at once, in bytes; beyond it, it is inflated in pieces. */
export const wholeBytes = 8 * 1024 * 1024

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
export const decompress = (batch: RecordBatch, maxBytes: number = wholeBytes): Buffer | Promise<Buffer> => {
  const section = recordsSection(batch)
  if (batch.codec === 0) return section
  const inflater = inflaterOf(batch.codec)
  return section.length <= asyncAboveBytes
    ? inflater.inflateSync(section, maxBytes)
    : inflater.inflate(section, maxBytes)
}

/** A records section, inflated on the calling thread whatever its length. Throws as `decompress` does. */
export const decompressSync = (codec: number, section: Buffer, maxBytes: number): Buffer =>
  codec === 0 ? section : inflaterOf(codec).inflateSync(section, maxBytes)

const unknownCodec = (codec: number) =>
  new DecompressionFailed({ kind: "unsupported", codec: `codec ${codec}`, detail: "is not known" })

const inflaterOf = (codec: number): WholeInflater => {
  const inflater = inflaters[codec]
  if (inflater === undefined) throw unknownCodec(codec)
  return inflater
}

/**
 * The batch's records in pieces of up to 256 KiB, inflated while they are asked for, however many. Each piece is fresh
 * memory of the receiver's own. Throws as `decompress`, but knows no bound.
 */
export const decompressPieces = (batch: RecordBatch): AsyncGenerator<Buffer, void> => {
  const section = recordsSection(batch)
  switch (batch.codec) {
    case 1:
      return gzipPieces(copies(section))
    case 2:
      return snappyPieces(section)
    case 3:
      return lz4Pieces(section)
    case 4:
      return zstdPieces(copies(section))
    default:
      throw unknownCodec(batch.codec)
  }
}

/** History that the decoder of `decompressPieces` keeps, in bytes; of the other codecs it is part of the pieces. */
export const windowBytes = (batch: RecordBatch): number =>
  batch.codec === 4 ? zstdWindowBytes(recordsSection(batch)) : 0

/** Memory that `decompressPieces` takes beside its window, in bytes: pieces on their way. */
export const pieceMemoryBytes = 2 * 1024 * 1024

const copiedBytes = 64 * 1024

/** Copies, because Node's decoders go on reading on the thread pool after they were told to stop. */
async function* copies(section: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < section.length; at += copiedBytes) yield Buffer.from(section.subarray(at, at + copiedBytes))
}
