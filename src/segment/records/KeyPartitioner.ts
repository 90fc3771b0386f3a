/**
 * 32-bit MurmurHash2 of a part of a buffer, as Kafka's Java client computes it for keys.
 * Source: `org.apache.kafka.common.utils.Utils.murmur2`.
 */
export const murmur2 = (bytes: Buffer, from: number, length: number): number => {
  const m = 0x5bd1e995
  let hash = 0x9747b28c ^ length
  let at = from
  for (const end = from + (length & ~3); at < end; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), m)
    word = Math.imul(word ^ (word >>> 24), m)
    hash = Math.imul(hash, m) ^ word
  }
  const rest = length & 3
  if (rest === 3) hash ^= bytes[at + 2]! << 16
  if (rest >= 2) hash ^= bytes[at + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[at]!, m)
  hash = Math.imul(hash ^ (hash >>> 13), m)
  return hash ^ (hash >>> 15)
}

/**
 * Gives records of one source partition, in their order, to partitions: a key as the Java client does, and records
 * without a key one after the other, beginning with the partition of the same number. The same records in the same
 * order always go to the same partitions.
 */
export class KeyPartitioner {
  readonly #count: number
  #next: number

  constructor(count: number, sourcePartition: number) {
    this.#count = count
    this.#next = sourcePartition % count
  }

  /** The partition of the record that begins at `at`. To be called once for each record. */
  of(run: Buffer, at: number): number {
    const length = run.readInt32LE(at + 20)
    if (length >= 0) return (murmur2(run, at + 24, length) & 0x7fff_ffff) % this.#count
    const partition = this.#next
    this.#next = (partition + 1) % this.#count
    return partition
  }
}
