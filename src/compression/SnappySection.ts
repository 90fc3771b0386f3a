import snappy from "snappy"
import { DecompressionFailed } from "./DecompressionFailed.ts"

/** What snappy-java's stream puts first (xerial framing): 8 bytes of magic, two versions. Java producers write it; librdkafka and Go write raw snappy. */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const xerialHeaderBytes = 16
const xerialMagicHead = xerialMagic.readInt32BE(0)

const refuse = (kind: "damaged" | "too large", detail: string, cause?: unknown) =>
  new DecompressionFailed({ kind, codec: "snappy", detail, ...(cause === undefined ? {} : { cause }) })

/** The raw blocks of a section, in order. Their lengths are checked; the blocks' content is not. */
export const snappyBlocks = (bytes: Buffer): ReadonlyArray<Buffer> => {
  if (!startsWithMagic(bytes, 0)) return [bytes]
  const blocks: Array<Buffer> = []
  let at = xerialHeaderBytes
  if (at > bytes.length) throw refuse("damaged", "the stream header is cut")
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw refuse("damaged", "a block's length is cut")
    const length = bytes.readInt32BE(at)
    if (length === xerialMagicHead && startsWithMagic(bytes, at)) {
      at += xerialHeaderBytes
      if (at > bytes.length) throw refuse("damaged", "a stream header is cut")
      continue
    }
    if (length < 0 || at + 4 + length > bytes.length) throw refuse("damaged", `a block of ${length} bytes is cut`)
    blocks.push(bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return blocks
}

/** Length of a raw block once inflated, as its preamble says; the decoder refuses a block that lies. */
export const snappyLength = (block: Buffer): number => {
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
  at + 8 <= bytes.length && bytes.compare(xerialMagic, 0, 8, at, at + 8) === 0

const checked = (bytes: Buffer, maxBytes: number): ReadonlyArray<Buffer> => {
  const blocks = snappyBlocks(bytes)
  let total = 0
  for (const block of blocks) total += snappyLength(block)
  if (total > maxBytes) throw refuse("too large", `inflates to ${total} bytes; the bound is ${maxBytes}`)
  return blocks
}

const asBuffer = (inflated: string | Buffer): Buffer => inflated as Buffer
const failed = (cause: unknown) => refuse("damaged", "a block does not inflate", cause)

/** Inflates raw or xerial-framed snappy on this thread. */
export const inflateSnappySync = (bytes: Buffer, maxBytes: number): Buffer => {
  const blocks = checked(bytes, maxBytes)
  try {
    const parts = blocks.map((block) => asBuffer(snappy.uncompressSync(block, { asBuffer: true })))
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  } catch (cause) {
    throw failed(cause)
  }
}

/** The same on the thread pool, block after block, so that one batch never holds more than one thread. */
export const inflateSnappy = async (bytes: Buffer, maxBytes: number): Promise<Buffer> => {
  const blocks = checked(bytes, maxBytes)
  const parts: Array<Buffer> = []
  for (const block of blocks) {
    try {
      parts.push(asBuffer(await snappy.uncompress(block, { asBuffer: true })))
    } catch (cause) {
      throw failed(cause)
    }
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}
