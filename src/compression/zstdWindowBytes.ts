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
  if (at + 18 > bytes.length) return largestWindow
  const descriptor = bytes[at + 4]!
  const isSingleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!
  const sizeAt = at + 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes
  const content = contentBytes(bytes, sizeAt, descriptor >> 6, isSingleSegment)
  if (isSingleSegment) return Math.min(content, largestWindow)
  const window = bytes[at + 5]!
  const base = 2 ** (10 + (window >> 3))
  return Math.min(base + (base / 8) * (window & 7), content, largestWindow)
}

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
