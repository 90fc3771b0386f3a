import * as lz4 from "lz4-napi"
import { promisify } from "node:util"
import zlib from "node:zlib"
import { DecompressionFailed } from "../../compression/DecompressionFailed.ts"
import { lz4Extent } from "../../compression/Lz4Frame.ts"
import type { RecordBatch } from "./RecordBatch.ts"
import { inflateSnappy, inflateSnappySync } from "../../compression/SnappySection.ts"
import { zstdExtent } from "../../compression/ZstdFrame.ts"

export { DecompressionFailed } from "../../compression/DecompressionFailed.ts"

/** Largest records section that we inflate, in bytes. Kafka's largest possible batch is far smaller; a bomb is not. */
export const maxInflatedBytes = 512 * 1024 * 1024

/**
 * Compressed sections up to this many bytes inflate on the calling thread, longer ones on the thread pool: below it the
 * hop costs more than the work (16 KiB of zstd: 36 µs here, 130 µs there).
 */
export const asyncAboveBytes = 128 * 1024

const gunzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip)
const unzstd = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress)

/** The batch's records section, a view: compressed unless `codec` is 0. */
export const recordsSection = (batch: RecordBatch): Buffer => batch.bytes.subarray(batch.recordsStart, batch.end)

/**
 * The batch's records, inflated. A view into the batch's bytes when `codec` is 0, else fresh memory. Throws (or rejects
 * with) `DecompressionFailed` and nothing else: when the section is damaged, when bytes are left over behind the
 * compressed data (zero padding behind gzip excepted), or when it would inflate beyond `maxBytes`.
 */
export const decompress = (batch: RecordBatch, maxBytes: number = maxInflatedBytes): Buffer | Promise<Buffer> => {
  const section = recordsSection(batch)
  const inline = section.length <= asyncAboveBytes
  switch (batch.codec) {
    case 0:
      return section
    case 1: {
      const options = zlibOptions(section, maxBytes)
      return inline
        ? guarded("gzip", maxBytes, () => zlib.gunzipSync(section, options))
        : late("gzip", maxBytes, gunzip(section, options))
    }
    case 2:
      return inline ? inflateSnappySync(section, maxBytes) : inflateSnappy(section, maxBytes)
    case 3: {
      const frames = lz4Frames(section, maxBytes)
      return inline
        ? guarded("lz4", maxBytes, () => joined(frames.map((frame) => lz4.decompressFrameSync(frame))))
        : late(
            "lz4",
            maxBytes,
            inTurn(frames, (frame) => lz4.decompressFrame(frame))
          )
    }
    case 4: {
      const frames = zstdFrames(section)
      const options = zlibOptions(section, maxBytes)
      if (inline) {
        return guarded("zstd", maxBytes, () =>
          bounded("zstd", maxBytes, joined(frames.map((frame) => zlib.zstdDecompressSync(frame, options))))
        )
      }
      const inflated = inTurn(frames, (frame) => unzstd(frame, options))
      return late(
        "zstd",
        maxBytes,
        inflated.then((bytes) => bounded("zstd", maxBytes, bytes))
      )
    }
    default:
      throw new DecompressionFailed({ kind: "unsupported", codec: `codec ${batch.codec}`, detail: "is not known" })
  }
}

/**
 * Output grows in pieces of `chunkSize`. Few batches shrink more than sixfold, and room that stays unused costs nothing;
 * a second piece costs a hop, a copy of everything, and memory that is not free before the next garbage collection.
 */
const zlibOptions = (section: Buffer, maxBytes: number) => ({
  maxOutputLength: maxBytes,
  chunkSize: Math.min(1024 * 1024, Math.max(16 * 1024, section.length * 6))
})

const lz4Frames = (section: Buffer, maxBytes: number): ReadonlyArray<Buffer> => {
  const walk = (exactLength: boolean) => {
    const frames: Array<Buffer> = []
    let length = 0
    for (let at = 0; at < section.length;) {
      const extent = lz4Extent(section, at, exactLength)
      if (!extent.skippable) frames.push(section.subarray(at, extent.end))
      length += extent.length
      at = extent.end
    }
    return { frames, length }
  }
  const quick = walk(false)
  const { frames, length } = quick.length <= maxBytes ? quick : walk(true)
  if (length > maxBytes) throw tooLarge("lz4", maxBytes)
  if (frames.length === 0) throw new DecompressionFailed({ kind: "damaged", codec: "lz4", detail: "there is no frame" })
  return frames
}

const zstdFrames = (section: Buffer): ReadonlyArray<Buffer> => {
  const frames: Array<Buffer> = []
  for (let at = 0; at < section.length;) {
    const extent = zstdExtent(section, at)
    if (!extent.skippable) frames.push(section.subarray(at, extent.end))
    at = extent.end
  }
  if (frames.length === 0)
    throw new DecompressionFailed({ kind: "damaged", codec: "zstd", detail: "there is no frame" })
  return frames
}

const joined = (parts: ReadonlyArray<Buffer>): Buffer => (parts.length === 1 ? parts[0]! : Buffer.concat(parts))

const inTurn = async (frames: ReadonlyArray<Buffer>, inflate: (frame: Buffer) => Promise<Buffer>): Promise<Buffer> => {
  const parts: Array<Buffer> = []
  for (const frame of frames) parts.push(await inflate(frame))
  return joined(parts)
}

const tooLarge = (codec: string, maxBytes: number) =>
  new DecompressionFailed({ kind: "too large", codec, detail: `inflates beyond the bound of ${maxBytes} bytes` })

const bounded = (codec: string, maxBytes: number, bytes: Buffer): Buffer => {
  if (bytes.length > maxBytes) throw tooLarge(codec, maxBytes)
  return bytes
}

const translated = (codec: string, maxBytes: number, cause: unknown): DecompressionFailed => {
  if (cause instanceof DecompressionFailed) return cause
  if ((cause as { readonly code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") return tooLarge(codec, maxBytes)
  return new DecompressionFailed({
    kind: "damaged",
    codec,
    detail: cause instanceof Error ? cause.message : String(cause),
    cause
  })
}

const guarded = (codec: string, maxBytes: number, inflate: () => Buffer): Buffer => {
  try {
    return inflate()
  } catch (cause) {
    throw translated(codec, maxBytes, cause)
  }
}

const late = (codec: string, maxBytes: number, inflated: Promise<Buffer>): Promise<Buffer> =>
  inflated.catch((cause: unknown) => {
    throw translated(codec, maxBytes, cause)
  })
