import { Readable, pipeline } from "node:stream"
import { promisify } from "node:util"
import zlib from "node:zlib"
import { DecompressionFailed } from "./DecompressionFailed.ts"
import { inflatedPieceBytes, type PieceInflater } from "./PieceInflater.ts"
import { wholeInflater } from "./WholeInflater.ts"
import { zlibOptions } from "./zlibOptions.ts"
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

/**
 * Frames one behind the other, in pieces; no frame is fine, too. Each goes through a decoder of its own: none that is
 * given two may be trusted with the second. Memory: a few pieces, and the window that a frame asks for, at most 128 MiB
 * (zstd's own limit).
 */
export const zstdPieces: PieceInflater = async function* (pieces) {
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
  /** What is left of the present frame. */
  async function* frame(): AsyncGenerator<Buffer> {
    do {
      if (!(await more())) throw damaged("it ends in the middle of a frame")
      const from = at
      at = walker.walk(piece, from)
      yield piece.subarray(from, at)
    } while (!walker.between)
  }
  for (let number = 1; await more(); number++) {
    const decoder = zlib.createZstdDecompress({ chunkSize: inflatedPieceBytes })
    try {
      pipeline(Readable.from(frame(), { objectMode: false }), decoder, () => {})
      for await (const output of decoder) yield output as Buffer
    } catch (cause) {
      throw isZlibError(cause) ? damaged(`frame number ${number} is damaged: ${cause.message}`, cause) : cause
    }
  }
}

const isZlibError = (cause: unknown): cause is Error =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" && /^(Z_|ZSTD_|ERR_ZLIB)/.test(cause.code)
