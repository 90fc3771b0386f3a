/** Smaller memory is not given back by hand: it may be Node's common pool, and is not worth the trouble. */
const worthBytes = Math.max(Buffer.poolSize + 1, 64 * 1024)

/**
 * Gives memory back at once, where V8 would do so when it next collects garbage: with a small heap and megabytes behind
 * every buffer that is either far too late or, because the megabytes are counted, far too often. Every view of it is
 * empty afterwards. Never for a buffer of which others may have a part.
 */
export const freeMemory = (bytes: Uint8Array): void => {
  const { buffer } = bytes
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= worthBytes) buffer.transfer(0)
}
