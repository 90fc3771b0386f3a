/** More than this at once gains nothing: over 50 ms it is 160 MB a second. In bytes. */
const mostBytes = 8 * 1024 * 1024

/** Of an answer, the part that holds no records: this fraction of `fetchBytes` is more than enough. */
const besideRecords = 1 / 64

/**
 * The memory for answers, shared by the partitions that are being read: where fewer are left than may be open, each may
 * ask for more at once. Over a network with latency, what is asked for at once is the pace of a partition.
 */
export interface FetchRoom {
  /** Bytes that one fetch may ask for now. */
  readonly limit: () => number
  /** A partition is at its end. */
  readonly ended: () => void
}

/**
 * `partitions` are to be read, `open` of them at the same time, each with room for answers to `fetchBytes`. An answer
 * takes a buffer of the next power of two (`kafkajs/BufferPool.ts`), which is twice `fetchBytes` where that is one: so
 * each fetch may ask for all that such a buffer holds.
 */
export const make = (partitions: number, open: number, fetchBytes: number): FetchRoom => {
  let left = partitions
  return {
    limit: () => {
      const reading = Math.max(1, Math.min(left, open))
      const share = Math.max(2, open / reading) - besideRecords
      return Math.min(mostBytes, Math.floor(share * fetchBytes))
    },
    ended: () => {
      left--
    }
  }
}
