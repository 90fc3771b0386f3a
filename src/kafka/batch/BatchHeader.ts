/**
 * Fields of the 61-byte header of a v2 record batch and of the 17 bytes that all formats share.
 * Source: Kafka protocol guide, "Record Batch"; message format v0/v1: "Message sets".
 */
export const BatchHeader = {
  baseOffset: 0,
  /** Bytes that follow this field. */
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  /** CRC32C of everything from `attributes` to the end. */
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  /** Bytes before the part that `length` counts. */
  prefixBytes: 12
} as const

/** Bits of the attributes field. */
export const BatchAttribute = {
  codecMask: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20
} as const

/** Type field of a control record's key. Source: KIP-98, "Control Messages". */
export const ControlType = { abort: 0, commit: 1 } as const

/** A big-endian 64-bit integer as a number; not a safe integer when it does not fit. */
export const readInt64 = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)
