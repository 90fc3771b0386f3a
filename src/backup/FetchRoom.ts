/** More than this at once gains nothing: over 50 ms it is 160 MB a second. In bytes. */
const mostBytes = 8 * 1024 * 1024

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

/** `partitions` are to be read, `open` of them at the same time, each with room for `fetchBytes`. */
export const make = (partitions: number, open: number, fetchBytes: number): FetchRoom => {
  let left = partitions
  return {
    limit: () => {
      const reading = Math.max(1, Math.min(left, open))
      return Math.max(fetchBytes, Math.min(mostBytes, Math.floor((open * fetchBytes) / reading)))
    },
    ended: () => {
      left--
    }
  }
}
