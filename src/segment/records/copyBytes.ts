/**
 * Shortest run of bytes that is worth a call of `Buffer.copy`: below, 8-byte words are faster.
 * Source: bench/segment.ts; the call costs about as much as moving 256 bytes by words.
 */
const nativeFrom = 256

/** Copies `size` bytes. The BigInts are words in registers once this is optimised; nothing is allocated. */
export const copyBytes = (
  source: Buffer,
  sourceView: DataView,
  from: number,
  target: Buffer,
  targetView: DataView,
  to: number,
  size: number
): void => {
  if (size >= nativeFrom) {
    source.copy(target, to, from, from + size)
    return
  }
  let i = 0
  for (const words = size - 7; i < words; i += 8) targetView.setBigInt64(to + i, sourceView.getBigInt64(from + i))
  for (; i < size; i++) target[to + i] = source[from + i]!
}
