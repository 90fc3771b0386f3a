/** Thrown while records are read: they are not what Kafka defines. */
export class Malformed extends Error {}

/** Where the last multi-byte integer ended: `readMore` and `readLong` have two results. */
export let cursor = 0
/** Upper half of the last `readLong`. */
export let longHigh = 0

/** The rest of an unsigned varint of at most 5 bytes whose first byte, with its continuation bit, is `first`. */
export const readMore = (bytes: Buffer, at: number, first: number): number => {
  let byte = bytes[at]!
  let value = (first & 127) | ((byte & 127) << 7)
  if (byte < 128) {
    cursor = at + 1
    return value
  }
  byte = bytes[at + 1]!
  value |= (byte & 127) << 14
  if (byte < 128) {
    cursor = at + 2
    return value
  }
  byte = bytes[at + 2]!
  value |= (byte & 127) << 21
  if (byte < 128) {
    cursor = at + 3
    return value
  }
  byte = bytes[at + 3]!
  if (byte > 127) throw new Malformed("an integer of a record is longer than 5 bytes")
  cursor = at + 4
  return value | (byte << 28)
}

/**
 * A zigzag varlong of at most 10 bytes from its first byte on: returns its lower half, leaves the upper in `longHigh`.
 */
export const readLong = (bytes: Buffer, start: number): number => {
  let at = start
  let low = 0
  let high = 0
  for (let shift = 0; ; shift += 7) {
    if (shift > 63) throw new Malformed("a timestamp of a record is longer than 10 bytes")
    const byte = bytes[at++]!
    const bits = byte & 127
    if (shift < 32) {
      low |= bits << shift
      if (shift > 25) high |= bits >>> (32 - shift)
    } else high |= bits << (shift - 32)
    if (!(byte > 127)) break
  }
  const sign = -(low & 1)
  cursor = at
  longHigh = (high >>> 1) ^ sign
  return ((low >>> 1) | (high << 31)) ^ sign
}

/** Bytes of a 32-bit integer as a zigzag varint, 1 to 5. */
export const signedBytes = (value: number): number => {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x20_0000 ? 3 : zigzag < 0x1000_0000 ? 4 : 5
}

/** Writes a 32-bit integer as a zigzag varint. Returns where it ends. */
export const writeSigned = (target: Buffer, at: number, value: number): number => {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  while (rest > 127) {
    target[at++] = (rest & 127) | 128
    rest >>>= 7
  }
  target[at++] = rest
  return at
}

/** Bytes of a 64-bit integer, given as two halves, as a zigzag varlong, 1 to 10. */
export const longBytes = (high: number, low: number): number => {
  if (high === low >> 31) return signedBytes(low)
  // Not zero, because the number does not fit into the lower half.
  const zigzagHigh = ((high << 1) | (low >>> 31)) ^ (high >> 31)
  return Math.ceil((64 - Math.clz32(zigzagHigh)) / 7)
}

/** Writes a 64-bit integer, given as two halves, as a zigzag varlong. Returns where it ends. */
export const writeLong = (target: Buffer, start: number, high: number, low: number): number => {
  if (high === low >> 31) return writeSigned(target, start, low)
  const sign = high >> 31
  let restLow = ((low << 1) ^ sign) >>> 0
  let restHigh = (((high << 1) | (low >>> 31)) ^ sign) >>> 0
  let at = start
  while (restHigh > 0 || restLow > 127) {
    target[at++] = (restLow & 127) | 128
    restLow = ((restLow >>> 7) | (restHigh << 25)) >>> 0
    restHigh >>>= 7
  }
  target[at++] = restLow
  return at
}
