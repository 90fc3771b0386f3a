import { Readable, pipeline } from "node:stream"
import { promisify } from "node:util"
import zlib from "node:zlib"
import { DecompressionFailed } from "./DecompressionFailed.ts"
import { freeMemory } from "./freeMemory.ts"
import { inflatedPieceBytes, type PieceInflater } from "./PieceInflater.ts"
import { wholeInflater } from "./WholeInflater.ts"
import { zlibOptions } from "./zlibOptions.ts"
import { longestHeader, zstdContentBytes } from "./zstdWindowBytes.ts"
import { ZstdFrameWalker } from "./ZstdFrameWalker.ts"

const decompress = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress)

const damaged = (detail: string, cause?: unknown) =>
  new DecompressionFailed({ kind: "damaged", codec: "zstd", detail, ...(cause === undefined ? {} : { cause }) })

/** The frames that hold content, in order; those to be skipped are left out. */
export const zstdFrames = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const walker = new ZstdFrameWalker()
  const frames: Array<Buffer> = []
  for (let at = 0; at < bytes.length;) {
    const end = walker.walk(bytes, at)
    if (!walker.between) throw damaged("the frame is cut")
    if (!walker.skippable) frames.push(bytes.subarray(at, end))
    at = end
  }
  if (frames.length === 0) throw damaged("there is no frame")
  return frames
}

/** Frames one behind the other, whole. */
export const zstd = wholeInflater({
  codec: "zstd",
  parts: zstdFrames,
  oneSync: (frame, maxBytes) => zlib.zstdDecompressSync(frame, zlibOptions(frame.length, maxBytes)),
  one: (frame, maxBytes) => decompress(frame, zlibOptions(frame.length, maxBytes))
})

/** Frames that inflate to at most so much do so on the calling thread: a hop to the pool costs more than the work. */
const inlineBytes = 64 * 1024

/** Most that so many bytes are compressed to. Source: ZSTD_COMPRESSBOUND, rounded up. */
const compressBound = (bytes: number): number => bytes + (bytes >>> 8) + 1024

/**
 * Frames one behind the other; no frame is fine, too. Those that say that they inflate to at most `wholeBytes` do so at
 * once, into fresh memory of the receiver's own, without a window and the copy through it; all others in pieces. Each
 * goes through a decoder of its own: none that is given two may be trusted with the second.
 */
const inflater = (wholeBytes: number): PieceInflater =>
  async function* (pieces, mayFree = false) {
    const walker = new ZstdFrameWalker()
    let piece: Buffer = Buffer.alloc(0)
    let at = 0
    const more = async () => {
      while (at === piece.length) {
        const next = await pieces.next()
        if (next.done === true) return false
        piece = next.value
        at = 0
      }
      return true
    }
    /** The next part of the present frame. */
    const part = async () => {
      if (!(await more())) throw damaged("it ends in the middle of a frame")
      const from = at
      at = walker.walk(piece, from)
      return piece.subarray(from, at)
    }
    /** What is left of the present frame. */
    async function* rest(first: ReadonlyArray<Buffer>): AsyncGenerator<Buffer> {
      yield* first
      while (!walker.between) yield await part()
    }
    for (let number = 1; await more(); number++) {
      try {
        const parts = [await part()]
        let bytes = parts[0]!.length
        const add = async () => {
          const next = await part()
          parts.push(next)
          bytes += next.length
        }
        while (wholeBytes > 0 && bytes < longestHeader && !walker.between) await add()
        const contentBytes =
          wholeBytes === 0 ? Infinity : zstdContentBytes(Buffer.concat(parts, Math.min(bytes, longestHeader)))
        const isWhole = contentBytes <= wholeBytes
        while (isWhole && bytes <= compressBound(contentBytes) && !walker.between) await add()
        if (isWhole && walker.between) {
          const frame = parts.length === 1 ? parts[0]! : Buffer.concat(parts, bytes)
          // One byte more than there should be: a decoder that fills its room asks for more of it.
          const options = { chunkSize: Math.max(64, contentBytes + 1), maxOutputLength: Math.max(1, contentBytes) }
          const output =
            contentBytes <= inlineBytes ? zlib.zstdDecompressSync(frame, options) : await decompress(frame, options)
          if (parts.length > 1) freeMemory(frame)
          if (output.length > 0) yield output
          if (mayFree) freeMemory(output)
          continue
        }
        const decoder = zlib.createZstdDecompress({ chunkSize: inflatedPieceBytes })
        pipeline(Readable.from(rest(parts), { objectMode: false }), decoder, () => {})
        for await (const output of decoder as AsyncIterable<Buffer>) {
          yield output
          // Where there is room behind it, the decoder goes on writing there.
          if (mayFree && output.length === output.buffer.byteLength) freeMemory(output)
        }
      } catch (cause) {
        throw isZlibError(cause) ? damaged(`frame number ${number} is damaged: ${cause.message}`, cause) : cause
      }
    }
  }

/**
 * In pieces, whatever the frames say. Memory: a few pieces, and the window that a frame asks for, at most 128 MiB
 * (zstd's own limit).
 */
export const zstdPieces = inflater(0)

/**
 * Frames of up to 4 MiB, as segments have them, at once. Memory: such a frame and what it inflates to, or as
 * `zstdPieces`.
 */
export const zstdFramesAtOnce = inflater(4 * 1024 * 1024)

const isZlibError = (cause: unknown): cause is Error =>
  cause instanceof Error &&
  "code" in cause &&
  typeof cause.code === "string" &&
  /^(Z_|ZSTD_|ERR_ZLIB|ERR_BUFFER_TOO_LARGE)/.test(cause.code)
