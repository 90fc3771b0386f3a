import { DecompressionFailed, type FailureKind } from "./DecompressionFailed.ts"

/** One frame inside a section: where it ends and how many bytes it holds at most. */
export interface Lz4Extent {
  /** Exclusive. */
  readonly end: number
  /** Upper bound of the content's length; exact when `exactLength` was asked for. 0 for a skippable frame. */
  readonly length: number
  readonly skippable: boolean
}

const frameMagic = 0x184d2204
const legacyMagic = 0x184c2102
const minimumMatch = 4

const refuse = (kind: FailureKind, detail: string) => new DecompressionFailed({ kind, codec: "lz4", detail })
const cut = (at: number) => refuse("damaged", `the frame is cut at byte ${at}`)

/**
 * Walks the frame that begins at `start` without decoding it: the decoder stops silently after the first frame, does
 * not miss an absent end mark, and has no bound on its output. Source: LZ4 frame format 1.6.4.
 */
export const lz4Extent = (bytes: Buffer, start: number, exactLength: boolean): Lz4Extent => {
  const end = bytes.length
  if (start + 8 > end) throw cut(start)
  const magic = bytes.readUInt32LE(start)
  if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
    const after = start + 8 + bytes.readUInt32LE(start + 4)
    if (after > end) throw cut(end)
    return { end: after, length: 0, skippable: true }
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
  let at = start + 7 + ((flags & 8) === 0 ? 0 : 8)
  let length = 0
  for (;;) {
    if (at + 4 > end) throw cut(end)
    const word = bytes.readUInt32LE(at)
    at += 4
    if (word === 0) break
    const stored = word & 0x7fffffff
    if (at + stored + blockChecksum > end) throw cut(end)
    length += word >>> 31 === 1 ? stored : exactLength ? blockLength(bytes, at, at + stored) : blockBytes
    at += stored + blockChecksum
  }
  at += (flags & 4) === 0 ? 0 : 4
  if (at > end) throw cut(end)
  return { end: at, length, skippable: false }
}

/** Length of one compressed block once inflated, from its sequences' lengths alone. */
const blockLength = (bytes: Buffer, start: number, end: number): number => {
  let at = start
  let length = 0
  while (at < end) {
    const token = bytes[at++]!
    let literals = token >> 4
    if (literals === 15) {
      let more: number
      do {
        more = at < end ? bytes[at++]! : 0
        literals += more
      } while (more === 255)
    }
    at += literals
    length += literals
    if (at >= end) break
    at += 2
    let match = token & 15
    if (match === 15) {
      let more: number
      do {
        more = at < end ? bytes[at++]! : 0
        match += more
      } while (more === 255)
    }
    length += match + minimumMatch
  }
  return length
}
