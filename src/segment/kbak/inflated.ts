import { Readable, pipeline } from "node:stream"
import zlib from "node:zlib"
import { SegmentCorruption } from "../SegmentCorruption.ts"
import type * as Kbak from "./Kbak.ts"
import { Lz4Inflater } from "../../compression/Lz4Inflater.ts"
import { ZstdFrameWalker } from "../../compression/ZstdFrameWalker.ts"

/** Pieces in which zstd gives its output, in bytes. */
const inflatedPieceBytes = 256 * 1024

/**
 * The record stream of a body, in pieces of at most 256 KiB. Memory: a few of them, and for zstd the decoder's window (at
 * most 128 MiB, zstd's own limit; 4 MiB for our chunks).
 */
export const inflated = (compression: Kbak.Compression, body: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> => {
  switch (compression) {
    case "none":
      return body
    case "zstd":
      return zstdFrames(body)
    case "lz4":
      return lz4Block(body)
  }
}

/** Each frame through a decoder of its own: none that is given two may be trusted with the second. */
async function* zstdFrames(body: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const walker = new ZstdFrameWalker()
  let piece: Buffer = Buffer.alloc(0)
  let at = 0
  const more = async () => {
    if (at < piece.length) return true
    const next = await body.next()
    if (next.done === true) return false
    piece = next.value
    at = 0
    return true
  }
  /** What is left of the present frame. */
  async function* frame(): AsyncGenerator<Buffer> {
    do {
      if (!(await more())) throw new SegmentCorruption("ends in the middle of a zstd frame")
      const from = at
      at = walker.walk(piece, from)
      yield piece.subarray(from, at)
    } while (!walker.between)
  }
  for (let number = 1; await more(); number++) {
    const decoder = zlib.createZstdDecompress({ chunkSize: inflatedPieceBytes })
    try {
      const input = frame()
      pipeline(Readable.from(input, { objectMode: false }), decoder, () => {})
      for await (const output of decoder) yield output as Buffer
    } catch (cause) {
      if (!isZlibError(cause)) throw cause
      throw new SegmentCorruption(`has a damaged zstd frame, number ${number}: ${cause.message}`, cause)
    }
  }
}

const isZlibError = (cause: unknown): cause is Error =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" && /^(Z_|ZSTD_|ERR_ZLIB)/.test(cause.code)

/** The length of the record stream (u32, little-endian) and one LZ4 block. */
async function* lz4Block(body: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const inflater = new Lz4Inflater()
  let size: Buffer = Buffer.alloc(0)
  for await (const piece of body) {
    let at = Math.min(piece.length, 4 - size.length)
    if (at > 0) size = Buffer.concat([size, piece.subarray(0, at)])
    for (;;) {
      at = inflater.push(piece, at)
      if (size.length === 4 && inflater.inflatedBytes > size.readUInt32LE(0))
        throw new SegmentCorruption(`has an lz4 block of more than the ${size.readUInt32LE(0)} bytes it says it has`)
      if (!inflater.full) break
      yield inflater.take()
    }
  }
  if (!inflater.complete) throw new SegmentCorruption("ends in the middle of an lz4 block")
  const rest = inflater.take()
  if (rest.length > 0) yield rest
  if (inflater.inflatedBytes !== size.readUInt32LE(0))
    throw new SegmentCorruption(
      `has an lz4 block of ${inflater.inflatedBytes} bytes and says it has ${size.readUInt32LE(0)}`
    )
}
