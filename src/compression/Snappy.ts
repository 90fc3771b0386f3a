import library from "snappy"
import { DecompressionFailed } from "./DecompressionFailed.ts"
import { inflatedPieceBytes } from "./PieceInflater.ts"
import { rawSnappyPieces } from "./SnappyInflater.ts"
import { wholeInflater } from "./WholeInflater.ts"

/**
 * What snappy-java's stream (xerial framing) puts first: 8 bytes of magic, then its version and the lowest that reads
 * it. Java producers write it; librdkafka and Go write one raw block.
 */
const xerialHeader = Buffer.from("82534e41505059000000000100000001", "hex")
const xerialMagic = xerialHeader.subarray(0, 8)
const xerialMagicHead = xerialMagic.readInt32BE(0)
/** What snappy-java compresses at once, in bytes. */
const xerialBlockBytes = 32 * 1024

const refuse = (kind: "damaged" | "too large", detail: string) =>
  new DecompressionFailed({ kind, codec: "snappy", detail })

/** The raw blocks, in order. Their lengths are checked; the blocks' content is not. */
const blocks = (bytes: Buffer): ReadonlyArray<Buffer> => {
  if (!startsWithMagic(bytes, 0)) return [bytes]
  const found: Array<Buffer> = []
  let at = xerialHeader.length
  if (at > bytes.length) throw refuse("damaged", "the stream header is cut")
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw refuse("damaged", "a block's length is cut")
    const length = bytes.readInt32BE(at)
    if (length === xerialMagicHead && startsWithMagic(bytes, at)) {
      at += xerialHeader.length
      if (at > bytes.length) throw refuse("damaged", "a stream header is cut")
      continue
    }
    if (length < 0 || at + 4 + length > bytes.length) throw refuse("damaged", `a block of ${length} bytes is cut`)
    found.push(bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return found
}

/** Length of a raw block once inflated, as its preamble says; the decoder refuses a block that lies. */
const inflatedLength = (block: Buffer): number => {
  let length = 0
  for (let i = 0; i < 5; i++) {
    if (i >= block.length) break
    const byte = block[i]!
    length += (byte & 127) * 2 ** (7 * i)
    if (byte < 128) return length
  }
  throw refuse("damaged", "a block's preamble is no length")
}

const startsWithMagic = (bytes: Buffer, at: number): boolean =>
  at + xerialMagic.length <= bytes.length && bytes.compare(xerialMagic, 0, 8, at, at + 8) === 0

const asBuffer = (inflated: string | Buffer): Buffer => inflated as Buffer

/** One raw block or xerial streams. What would be too large is refused before anything is inflated. */
export const snappy = wholeInflater({
  codec: "snappy",
  parts: (bytes, maxBytes) => {
    const found = blocks(bytes)
    const total = found.reduce((sum, block) => sum + inflatedLength(block), 0)
    if (total > maxBytes) throw refuse("too large", `inflates to ${total} bytes; the bound is ${maxBytes}`)
    return found
  },
  oneSync: (block) => asBuffer(library.uncompressSync(block, { asBuffer: true })),
  one: async (block) => asBuffer(await library.uncompress(block, { asBuffer: true }))
})

/** The same in pieces. Memory: a few pieces and the history of one raw block. */
export async function* snappyPieces(bytes: Buffer): AsyncGenerator<Buffer, void> {
  let small: Array<Buffer> = []
  let smallBytes = 0
  const joined = () => {
    const piece = Buffer.concat(small)
    small = []
    smallBytes = 0
    return piece
  }
  for (const block of blocks(bytes)) {
    const length = inflatedLength(block)
    if (smallBytes > 0 && smallBytes + length > inflatedPieceBytes) yield joined()
    if (length > inflatedPieceBytes) yield* rawSnappyPieces(block, length)
    else {
      small.push(wholeBlock(block))
      smallBytes += length
    }
  }
  if (smallBytes > 0) yield joined()
}

const wholeBlock = (block: Buffer): Buffer => {
  try {
    return asBuffer(library.uncompressSync(block, { asBuffer: true }))
  } catch (cause) {
    throw refuse("damaged", cause instanceof Error ? cause.message : String(cause))
  }
}

/** The bytes as snappy-java would write them. */
export const xerialStream = (bytes: Buffer): Buffer => {
  const parts: Array<Buffer> = [xerialHeader]
  for (let at = 0; at < bytes.length; at += xerialBlockBytes) {
    const block = library.compressSync(bytes.subarray(at, at + xerialBlockBytes))
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}
