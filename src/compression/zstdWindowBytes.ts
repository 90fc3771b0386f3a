import { isSkippable } from "./SkippableFrame.ts"

/**
 * What zstd's own limit allows, and so what a frame that is not understood may need. Source:
 * ZSTD_WINDOWLOG_LIMIT_DEFAULT.
 */
const largestWindow = 128 * 1024 * 1024

/**
 * Bytes of history that the decoder keeps for the first frame with content; not more than what the frame inflates to,
 * where it says that. The other frames of a producer's batch have the same settings. Source: RFC 8878, 3.1.1.1.
 */
export const zstdWindowBytes = (bytes: Buffer): number => {
  let at = 0
  while (at + 8 <= bytes.length && isSkippable(bytes.readUInt32LE(at))) at += 8 + bytes.readUInt32LE(at + 4)
  if (at + longestHeader > bytes.length) return largestWindow
  const descriptor = bytes[at + 4]!
  const isSingleSegment = (descriptor & 0x20) !== 0
  const content = contentBytes(bytes, at + contentSizeAt(descriptor), descriptor >> 6, isSingleSegment)
  if (isSingleSegment) return Math.min(content, largestWindow)
  const window = bytes[at + 5]!
  const base = 2 ** (10 + (window >> 3))
  return Math.min(base + (base / 8) * (window & 7), content, largestWindow)
}

/**
 * What the frame that `bytes` begin with says that it inflates to; Infinity where it does not say it, has no content,
 * or where less than its header is there. Source: RFC 8878, 3.1.1.1.
 */
export const zstdContentBytes = (bytes: Buffer): number => {
  if (bytes.length < longestHeader || isSkippable(bytes.readUInt32LE(0))) return Number.POSITIVE_INFINITY
  const descriptor = bytes[4]!
  const isSingleSegment = (descriptor & 0x20) !== 0
  return contentBytes(bytes, contentSizeAt(descriptor), descriptor >> 6, isSingleSegment)
}

/** Magic number, descriptor, window, dictionary and content size. */
export const longestHeader = 18

/** Where the content size stands in a frame. */
const contentSizeAt = (descriptor: number): number =>
  5 + ((descriptor & 0x20) !== 0 ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!

/** Infinity where the frame does not say it. */
const contentBytes = (bytes: Buffer, at: number, code: number, isSingleSegment: boolean): number => {
  switch (code) {
    case 0:
      return isSingleSegment ? bytes[at]! : Number.POSITIVE_INFINITY
    case 1:
      return bytes.readUInt16LE(at) + 256
    case 2:
      return bytes.readUInt32LE(at)
    default:
      return Number(bytes.readBigUInt64LE(at))
  }
}
