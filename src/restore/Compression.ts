import { Effect } from "effect"
import * as Lz4Frame from "../compression/Lz4Frame.ts"
import zlib from "node:zlib"
import { promisify } from "node:util"
import { freeMemory } from "../compression/freeMemory.ts"
import { headerBytes } from "../kafka/batch/RecordBatch.ts"
import { plainSection, type UnsealedBatch } from "../kafka/batch/SealedBatch.ts"

/** How batches are compressed. */
export type Codec = "none" | "gzip" | "lz4" | "zstd"

/** A compressed records section, and the codec's number in a batch's attributes. */
export interface Section {
  readonly codec: number
  readonly bytes: Buffer
}

/**
 * zstd's fastest level: the broker keeps a batch as it is, and reading costs the same at every level. The room for the
 * output is enough for all of it: else it comes in pieces of 16 KiB, each a hop to the thread pool.
 */
const zstdOptions = (bytes: number) => ({
  chunkSize: Math.max(64, bytes + (bytes >>> 8) + 1024),
  pledgedSrcSize: bytes,
  params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 }
})

const gzip = promisify(zlib.gzip)
const zstdInto = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdCompress)

/** In memory of its own length: batches wait for their answers, and most of the room is not used. */
const zstd = async (section: Buffer): Promise<Buffer> => {
  const roomy = await zstdInto(section, zstdOptions(section.length))
  const bytes = Buffer.allocUnsafeSlow(roomy.length)
  roomy.copy(bytes)
  freeMemory(roomy)
  return bytes
}

/** Room for the header of a batch whose records lie elsewhere. */
const headerOnly = () => Buffer.allocUnsafe(headerBytes)

/**
 * The batch with its records compressed, or as they are where that would make them longer: the limit of the topic may
 * have room for no more. What it takes no longer is given back at once: megabytes behind a small heap
 * make V8 collect garbage either far too late or far too often.
 */
export const compressBatch = (
  codec: Codec,
  batch: UnsealedBatch
): Effect.Effect<{ readonly batch: UnsealedBatch; readonly section: Section }> =>
  Effect.map(compress(codec, plainSection(batch)), (section) => {
    if (section.codec === 0) return { batch, section }
    const plain = plainSection(batch)
    if (section.bytes.length >= plain.length) {
      freeMemory(section.bytes)
      return { batch, section: { codec: 0, bytes: plain } }
    }
    freeMemory(batch.bytes)
    return { batch: { ...batch, bytes: headerOnly() }, section }
  })

/** Compresses on the thread pool. Uninterruptible: the pool reads the section until it is done. */
export const compress = (codec: Codec, section: Buffer): Effect.Effect<Section> => {
  const pooled = (number: number, act: () => Promise<Buffer>) =>
    Effect.uninterruptible(Effect.map(Effect.promise(act), (bytes) => ({ codec: number, bytes })))
  switch (codec) {
    case "none":
      return Effect.succeed({ codec: 0, bytes: section })
    case "gzip":
      return pooled(1, () => gzip(section))
    case "lz4":
      return pooled(3, () => Lz4Frame.compress(section))
    case "zstd":
      return pooled(4, () => zstd(section))
  }
}

/** The codec for a topic whose `compression.type` is `configured`: its own, or else lz4, which costs least. */
export const codecOf = (configured: string | undefined): Codec => {
  switch (configured) {
    case "gzip":
    case "zstd":
      return configured
    case "uncompressed":
      return "none"
    default:
      return "lz4"
  }
}
