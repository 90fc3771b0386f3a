import type { SegmentSettings } from "../Segment.ts"

/*
 * A Kafka log segment as a file: record batches (magic 2) one after the other, as the broker stores them, and nothing
 * else. It may be wrapped in standard zstd or LZ4 frames. Kafka's own DumpLogSegments reads it.
 */

export type Compression = SegmentSettings["compression"]

const suffixOf: Readonly<Record<Compression, string>> = { none: ".log", zstd: ".log.zst", lz4: ".log.lz4" }

const compressions = ["none", "zstd", "lz4"] as const

export const suffix = (compression: Compression): string => suffixOf[compression]

/** Every ending of such a file's name. */
export const suffixes: ReadonlyArray<string> = compressions.map(suffix)

/** The codec of the wrapping that an ending stands for. */
export const compressionOf = (ending: string): Compression | undefined =>
  compressions.find((one) => suffix(one) === ending)

/** Magic numbers of the frames, little-endian. Sources: RFC 8878, LZ4 frame format 1.6.4. */
const zstdMagic = 0xfd2fb528
const lz4Magic = 0x184d2204

/** What must be there before `wrapping` can be told, in bytes. */
export const shownBytes = 4

/**
 * The codec by which a file is wrapped. Its first bytes decide, not its name: in a log they are the upper half of an
 * offset, and no offset is as large as these magic numbers.
 */
export const wrapping = (head: Buffer): Compression => {
  if (head.length < shownBytes) return "none"
  const magic = head.readUInt32LE(0)
  return magic === zstdMagic ? "zstd" : magic === lz4Magic ? "lz4" : "none"
}

/** Thrown by what reads a log: what is wrong with it. */
export class Corruption extends Error {
  /**
   * Whether batches before this place may be wrong, too: the checksum of a batch does not cover its first offset, so
   * where two of them contradict each other, nobody knows which one is damaged.
   */
  readonly isBefore: boolean
  constructor(what: string, isBefore = false) {
    super(what)
    this.isBefore = isBefore
  }
}

/** Thrown by what reads a log: it has a batch of another format, if the file is the one that was stored. */
export class OtherMagic extends Error {
  readonly magic: number
  constructor(magic: number) {
    super(`a record batch of the message format v${magic}`)
    this.magic = magic
  }
}
