import { freeMemory } from "./freeMemory.ts"
import { compress as compressBlock, uncompress, uncompressSync } from "lz4-napi"

/**
 * LZ4 frames as Kafka's clients write them: independent blocks, no checksums but that of the header. They are handled
 * block by block, because lz4-napi does blocks several times as fast as frames, and with less memory.
 */

const magic = 0x184d2204
export const headerBytes = 7
/** In front of a block: its length, and in the highest bit whether it is stored as it is. */
export const wordBytes = 4
export const isPlainBit = 0x8000_0000
/** Independent blocks, version 1, and nothing else. */
const flags = 0x60

/** Code of the largest block, and the checksum of the header that it gives. Source: LZ4 frame format 1.6.4. */
const headerSums: Readonly<Record<number, number>> = { 4: 0x82, 5: 0xfb, 6: 0x51, 7: 0x73 }

/**
 * Blocks of 256 KiB: lz4-napi's allocator keeps about as much per thread as the largest calls needed, and the ratio is
 * that of larger blocks.
 */
const sizeCode = 5
const blockBytes = 1 << (8 + 2 * sizeCode)

const header = Buffer.alloc(headerBytes)
header.writeUInt32LE(magic)
header.set([flags, sizeCode << 4, headerSums[sizeCode]!], wordBytes)

/** lz4-napi's results live in memory of its own allocator, which uses it again once it is given back. */
const giveBack = (bytes: Uint8Array): void => void (bytes.buffer as ArrayBuffer).transfer(0)

/** What lz4-napi puts in front of a block: the length of what it inflates to, or more. */
export const sizeBytes = 4

/** Most that a block of a frame with this header inflates to, in bytes. */
export const largestBlock = (header: Buffer): number => 1 << (8 + 2 * (header[5]! >> 4))

/** True for the header of a frame of independent blocks without checksums of their own. */
export const isSimpleHeader = (header: Buffer): boolean =>
  header.readUInt32LE(0) === magic && header[4] === flags && header[6] === headerSums[header[5]! >> 4]

/** Compresses on the thread pool into one frame. The input must not change until it is there. */
export const compress = async (input: Buffer): Promise<Buffer> => {
  const parts: Array<Buffer> = [header]
  const made: Array<Buffer> = []
  for (let at = 0; at < input.length; at += blockBytes) {
    const plain = input.subarray(at, at + blockBytes)
    const output = await compressBlock(plain)
    made.push(output)
    const block = output.subarray(sizeBytes)
    const isPlain = block.length >= plain.length
    const word = Buffer.allocUnsafe(wordBytes)
    word.writeUInt32LE(isPlain ? (plain.length | isPlainBit) >>> 0 : block.length)
    parts.push(word, isPlain ? plain : block)
  }
  const frame = Buffer.concat([...parts, Buffer.alloc(wordBytes)])
  made.forEach(giveBack)
  return frame
}

/** True for a frame, whole and with its end mark, that `inflate` takes. */
export const isSimple = (frame: Buffer): boolean =>
  frame.length > headerBytes + wordBytes && frame[4] === flags && frame[6] === headerSums[frame[5]! >> 4]

/** The blocks of a simple frame, each with what lz4-napi wants in front of it, in one buffer that is used again. */
class Blocks {
  readonly #frame: Buffer
  readonly #largest: number
  #at = headerBytes
  #input = Buffer.alloc(0)

  constructor(frame: Buffer) {
    this.#frame = frame
    this.#largest = largestBlock(frame)
  }

  /** A block that is stored as it is, one to be inflated, or the end. The lengths were looked at before. */
  next(): { readonly plain: Buffer } | { readonly packed: Buffer } | undefined {
    const word = this.#frame.readUInt32LE(this.#at)
    if (word === 0) return undefined
    const from = this.#at + wordBytes
    const stored = word & ~isPlainBit
    this.#at = from + stored
    const block = this.#frame.subarray(from, this.#at)
    if (word >>> 31 === 1) return { plain: block }
    if (this.#input.length < sizeBytes + stored) this.#input = Buffer.allocUnsafeSlow(sizeBytes + stored)
    this.#input.writeUInt32LE(this.#largest)
    block.copy(this.#input, sizeBytes)
    return { packed: this.#input.subarray(0, sizeBytes + stored) }
  }

  /** No block is in use any more. */
  end(): void {
    freeMemory(this.#input)
  }
}

/** Joins what was inflated. `made` came from lz4-napi. */
const joined = (parts: ReadonlyArray<Buffer>, made: ReadonlyArray<Buffer>): Buffer => {
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) at += part.copy(whole, at)
  made.forEach(giveBack)
  return whole
}

/** Inflates a simple frame on the thread pool, block after block. Rejects when a block is damaged. */
export const inflate = async (frame: Buffer): Promise<Buffer> => {
  const blocks = new Blocks(frame)
  const parts: Array<Buffer> = []
  const made: Array<Buffer> = []
  for (let block = blocks.next(); block !== undefined; block = blocks.next()) {
    if ("packed" in block) made.push(await uncompress(block.packed))
    parts.push("plain" in block ? block.plain : made.at(-1)!)
  }
  blocks.end()
  return joined(parts, made)
}

/** The same on the calling thread. */
export const inflateSync = (frame: Buffer): Buffer => {
  const blocks = new Blocks(frame)
  const parts: Array<Buffer> = []
  const made: Array<Buffer> = []
  for (let block = blocks.next(); block !== undefined; block = blocks.next()) {
    if ("packed" in block) made.push(uncompressSync(block.packed))
    parts.push("plain" in block ? block.plain : made.at(-1)!)
  }
  blocks.end()
  return joined(parts, made)
}
