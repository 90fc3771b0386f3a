import { DecompressionFailed } from "./DecompressionFailed.ts"

/** One frame inside a section. */
export interface ZstdExtent {
  /** Exclusive. */
  readonly end: number
  readonly skippable: boolean
}

const frameMagic = 0xfd2fb528
const dictionaryIdBytes = [0, 1, 2, 4] as const
const reservedBlock = 3
const rleBlock = 1

const damaged = (detail: string) => new DecompressionFailed({ kind: "damaged", codec: "zstd", detail })

/**
 * Walks the frame that begins at `start` without decoding it: Node's one-shot decoder returns the first frame of
 * several and nothing at all behind a skippable one, both without an error. Source: RFC 8878, section 3.
 */
export const zstdExtent = (bytes: Buffer, start: number): ZstdExtent => {
  const end = bytes.length
  if (start + 8 > end) throw damaged(`no frame begins at byte ${start} of ${end}`)
  const magic = bytes.readUInt32LE(start)
  if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
    const after = start + 8 + bytes.readUInt32LE(start + 4)
    if (after > end) throw damaged("a skippable frame is cut")
    return { end: after, skippable: true }
  }
  if (magic !== frameMagic) throw damaged(`no frame begins at byte ${start} of ${end}`)
  const descriptor = bytes[start + 4]!
  const singleSegment = (descriptor >> 5) & 1
  const contentSizeCode = descriptor >> 6
  const contentSizeBytes = contentSizeCode === 0 ? singleSegment : 1 << contentSizeCode
  let at = start + 5 + (1 - singleSegment) + dictionaryIdBytes[(descriptor & 3) as 0 | 1 | 2 | 3] + contentSizeBytes
  for (;;) {
    if (at + 3 > end) throw damaged("the frame is cut")
    const header = bytes.readUIntLE(at, 3)
    const type = (header >> 1) & 3
    if (type === reservedBlock) throw damaged("a block of a reserved type")
    at += 3 + (type === rleBlock ? 1 : header >> 3)
    if (at > end) throw damaged("the frame is cut")
    if ((header & 1) === 1) break
  }
  at += (descriptor >> 2) & 1 ? 4 : 0
  if (at > end) throw damaged("the frame's checksum is cut")
  return { end: at, skippable: false }
}
