import { decompressFrame, decompressFrameSync } from "lz4-napi"
import { DecompressionFailed, type FailureKind } from "./DecompressionFailed.ts"
import * as Lz4Block from "./Lz4Block.ts"
import * as Lz4Frame from "./Lz4Frame.ts"
import { Lz4Inflater } from "./Lz4Inflater.ts"
import { isSkippable } from "./SkippableFrame.ts"
import { tooLarge, wholeInflater } from "./WholeInflater.ts"

/** One frame among several: where it ends and how many bytes it holds at most. */
interface Extent {
  /** Where its first block begins. */
  readonly blocks: number
  /** Bytes of checksum behind each block. */
  readonly blockChecksum: number
  /** Exclusive. */
  readonly end: number
  /** Upper bound of the content's length; exact when that was asked for. 0 for a skippable frame. */
  readonly length: number
  readonly skippable: boolean
}

const frameMagic = 0x184d2204
const legacyMagic = 0x184c2102

const refuse = (kind: FailureKind, detail: string) => new DecompressionFailed({ kind, codec: "lz4", detail })
const cut = (at: number) => refuse("damaged", `the frame is cut at byte ${at}`)

/**
 * Walks the frame that begins at `start` without decoding it: the decoder stops silently after the first frame, does
 * not miss an absent end mark, and has no bound on its output. Source: LZ4 frame format 1.6.4.
 */
const extent = (bytes: Buffer, start: number, exactLength: boolean): Extent => {
  const end = bytes.length
  if (start + 8 > end) throw cut(start)
  const magic = bytes.readUInt32LE(start)
  if (isSkippable(magic)) {
    const after = start + 8 + bytes.readUInt32LE(start + 4)
    if (after > end) throw cut(end)
    return { blocks: after, blockChecksum: 0, end: after, length: 0, skippable: true }
  }
  if (magic === legacyMagic) throw refuse("unsupported", "a frame in the legacy format")
  if (magic !== frameMagic) throw refuse("damaged", `no frame begins at byte ${start} of ${end}`)
  const flags = bytes[start + 4]!
  if (flags >> 6 !== 1) throw refuse("unsupported", `frame version ${flags >> 6}`)
  if ((flags & 1) !== 0) throw refuse("unsupported", "a frame that needs a dictionary")
  const sizeCode = (bytes[start + 5]! >> 4) & 7
  if (sizeCode < 4) throw refuse("damaged", `block size code ${sizeCode}`)
  const blockBytes = 1 << (8 + 2 * sizeCode)
  const blockChecksum = (flags & 0x10) === 0 ? 0 : 4
  const blocks = start + 7 + ((flags & 8) === 0 ? 0 : 8)
  let at = blocks
  let length = 0
  for (;;) {
    if (at + 4 > end) throw cut(end)
    const word = bytes.readUInt32LE(at)
    at += 4
    if (word === 0) break
    const stored = word & 0x7fffffff
    if (at + stored + blockChecksum > end) throw cut(end)
    const isPlain = word >>> 31 === 1
    length += isPlain ? stored : exactLength ? inflatedLength(bytes.subarray(at, at + stored)) : blockBytes
    at += stored + blockChecksum
  }
  at += (flags & 4) === 0 ? 0 : 4
  if (at > end) throw cut(end)
  return { blocks, blockChecksum, end: at, length, skippable: false }
}

const inflatedLength = (block: Buffer): number => {
  const { inflatedBytes } = Lz4Block.walk(block)
  if (Number.isNaN(inflatedBytes)) throw refuse("damaged", "a block ends inside of a length")
  return inflatedBytes
}

const frames = (bytes: Buffer, exactLength: boolean) => {
  const parts: Array<Buffer> = []
  let length = 0
  for (let at = 0; at < bytes.length;) {
    const found = extent(bytes, at, exactLength)
    if (!found.skippable) parts.push(bytes.subarray(at, found.end))
    length += found.length
    at = found.end
  }
  return { parts, length }
}

/** Frames one behind the other. What would be too large is refused before anything is inflated. */
export const lz4 = wholeInflater({
  codec: "lz4",
  parts: (bytes, maxBytes) => {
    const quick = frames(bytes, false)
    const { length, parts } = quick.length <= maxBytes ? quick : frames(bytes, true)
    if (length > maxBytes) throw tooLarge("lz4", maxBytes)
    if (parts.length === 0) throw refuse("damaged", "there is no frame")
    return parts
  },
  oneSync: (frame) => (Lz4Frame.isSimple(frame) ? Lz4Frame.inflateSync(frame) : decompressFrameSync(frame)),
  one: (frame) => (Lz4Frame.isSimple(frame) ? Lz4Frame.inflate(frame) : decompressFrame(frame))
})

/**
 * The same in pieces. Memory: a few pieces. Checksums of blocks and content are not compared; what they protect has a
 * checksum of its own where this is used.
 */
export async function* lz4Pieces(bytes: Buffer): AsyncGenerator<Buffer, void> {
  if (bytes.length === 0) throw refuse("damaged", "there is no frame")
  for (let start = 0; start < bytes.length;) {
    const frame = extent(bytes, start, false)
    start = frame.end
    if (frame.skippable) continue
    const inflater = new Lz4Inflater()
    for (let at = frame.blocks; ;) {
      const word = bytes.readUInt32LE(at)
      if (word === 0) break
      const stored = word & 0x7fffffff
      const block = bytes.subarray(at + 4, at + 4 + stored)
      at += 4 + stored + frame.blockChecksum
      const isPlain = word >>> 31 === 1
      for (let done = 0; ;) {
        done = isPlain ? inflater.pushPlain(block, done) : inflater.push(block, done)
        if (!inflater.full) break
        yield inflater.take()
      }
      if (!isPlain) inflater.endBlock()
    }
    const rest = inflater.take()
    if (rest.length > 0) yield rest
  }
}
