import { uncompress } from "lz4-napi"
import { Readable, pipeline } from "node:stream"
import zlib from "node:zlib"
import { Damage } from "./Damage.ts"
import * as Kbak from "./Kbak.ts"
import { ZstdFrameWalker } from "./ZstdFrameWalker.ts"

/** Pieces in which zstd gives its output, in bytes. */
const inflatedPieceBytes = 256 * 1024

/**
 * The record stream of a body, in pieces. zstd: memory is a piece of output and the decoder's window (at most 128 MiB,
 * zstd's own limit; 4 MiB for our chunks). lz4: the whole body and the whole stream.
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
      if (!(await more())) throw new Damage("ends in the middle of a zstd frame")
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
      throw new Damage(`has a damaged zstd frame, number ${number}: ${cause.message}`, cause)
    }
  }
}

const isZlibError = (cause: unknown): cause is Error =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" && /^(Z_|ZSTD_|ERR_ZLIB)/.test(cause.code)

/** Most that LZ4 can make of a byte. Source: a length byte of the block format stands for at most 255 bytes. */
const lz4MaxRatio = 255

/** The body has passed its checksum before anything is inflated. */
async function* lz4Block(body: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const parts: Array<Buffer> = []
  let length = 0
  for await (const piece of body) {
    parts.push(piece)
    length += piece.length
    if (length > Kbak.maxLz4Bytes) throw new Damage(`has an lz4 block of more than ${Kbak.maxLz4Bytes} bytes`)
  }
  const whole = Buffer.concat(parts)
  parts.length = 0
  if (whole.length < 5) throw new Damage(`has an lz4 body of ${whole.length} bytes, too short to be one`)
  const size = whole.readUInt32LE(0)
  if (size > Kbak.maxLz4Bytes || size > (whole.length - 4) * lz4MaxRatio)
    throw new Damage(`says that ${whole.length - 4} bytes of lz4 inflate to ${size}, which cannot be`)
  const output = await uncompress(whole).catch((cause: unknown) => {
    throw new Damage(`has a damaged lz4 block: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  })
  if (output.length !== size) throw new Damage(`has an lz4 block of ${output.length} bytes that should be ${size}`)
  yield output
}
