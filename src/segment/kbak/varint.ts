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
