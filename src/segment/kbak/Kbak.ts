import type { SegmentSettings } from "../Segment.ts"

/**
 * The envelope of a segment file, KBAK version 1. All integers are little-endian.
 *
 * | at | bytes | what |
 * |---|---|---|
 * | 0 | 4 | `KBAK` |
 * | 4 | 1 | version, 1 |
 * | 5 | 1 | codec: 0 none, 1 zstd, 2 lz4 |
 * | 6 | 2 | zero; readers ignore it |
 * | 8 | 8 | number of records |
 * | 16 | 8 | first offset |
 * | 24 | 8 | last offset, inclusive |
 * | 32 | … | the record stream through the codec |
 * | end − 8 | 4 | CRC-32 (IEEE) of everything before it |
 * | end − 4 | 4 | `BKAE` |
 *
 * A record of the stream: u32 length of what follows, i64 timestamp, i64 offset, i32 key length (−1: null) and key, i32
 * value length (−1: null) and value, u16 number of headers; per header u16 key length and key, i32 value length (−1:
 * null) and value. Header keys are stored byte for byte as Kafka had them, also where they are not UTF-8.
 */
export const headerBytes = 32
export const footerBytes = 8

/** Length field, timestamp, offset, key and value lengths and header count: a record with nothing in it, in bytes. */
export const emptyRecordBytes = 30
/**
 * Largest record stream of an lz4 segment, in bytes: the body is one LZ4 block.
 * Source: LZ4_MAX_INPUT_SIZE of the LZ4 library.
 */
export const maxLz4Bytes = 0x7e000000

export type Compression = SegmentSettings["compression"]

const headMagic = 0x4b41424b
const tailMagic = 0x45414b42
const version = 1
const codecs: ReadonlyArray<Compression> = ["none", "zstd", "lz4"]

/** File name ending of segments of one codec. */
export const suffix = (compression: Compression): string => {
  switch (compression) {
    case "none":
      return ".bin"
    case "zstd":
      return ".bin.zst"
    case "lz4":
      return ".bin.lz4"
  }
}

/** Thrown while a file is read: what is wrong with it. */
export class Corruption extends Error {}

export interface Header {
  readonly compression: Compression
  readonly recordCount: number
  readonly firstOffset: number
  readonly lastOffset: number
}

/** The first 32 bytes of a file. */
export const header = (facts: Header): Buffer => {
  const bytes = Buffer.alloc(headerBytes)
  bytes.writeUInt32LE(headMagic, 0)
  bytes[4] = version
  bytes[5] = codecs.indexOf(facts.compression)
  bytes.writeBigUInt64LE(BigInt(facts.recordCount), 8)
  bytes.writeBigInt64LE(BigInt(facts.firstOffset), 16)
  bytes.writeBigInt64LE(BigInt(facts.lastOffset), 24)
  return bytes
}

/** The last 8 bytes of a file whose header and body have the CRC-32 `crc`. */
export const footer = (crc: number): Buffer => {
  const bytes = Buffer.alloc(footerBytes)
  bytes.writeUInt32LE(crc, 0)
  bytes.writeUInt32LE(tailMagic, 4)
  return bytes
}

/** Reads the first 32 bytes of a file; a string says which version or codec they name that we do not know. */
export const parseHeader = (bytes: Buffer): Header | string => {
  if (bytes.readUInt32LE(0) !== headMagic) throw new Corruption("does not begin with KBAK, so it is not a segment file")
  if (bytes[4] !== version) return `KBAK version ${bytes[4]}; known is version ${version}`
  const compression = codecs[bytes[5]!]
  if (compression === undefined)
    return `KBAK version ${version} with codec ${bytes[5]}; known are 0 none, 1 zstd and 2 lz4`
  const recordCount = Number(bytes.readBigUInt64LE(8))
  const firstOffset = Number(bytes.readBigInt64LE(16))
  const lastOffset = Number(bytes.readBigInt64LE(24))
  if (![recordCount, firstOffset, lastOffset].every(Number.isSafeInteger))
    throw new Corruption("has a header with numbers beyond 2^53")
  if (recordCount > 0 && (firstOffset < 0 || recordCount > lastOffset - firstOffset + 1))
    throw new Corruption(
      `has a header that contradicts itself: ${recordCount} records in offsets ${firstOffset} to ${lastOffset}`
    )
  return { compression, recordCount, firstOffset, lastOffset }
}

/** Reads the last 8 bytes of a file: the CRC-32 that it should have. */
export const parseFooter = (bytes: Buffer): number => {
  if (bytes.readUInt32LE(4) !== tailMagic)
    throw new Corruption("does not end with BKAE: it was truncated, or bytes were appended")
  return bytes.readUInt32LE(0)
}
