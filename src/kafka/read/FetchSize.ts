/** A fetch that takes longer waits for the network rather than for bytes. Over loopback 1 MiB takes 1 to 5 ms. */
const slowMillis = 15

/** How much one partition asks for at once. */
export interface FetchSize {
  /** Bytes that the next fetch asks for. */
  readonly next: () => number
  /** What a fetch asked for, what it brought, in bytes, and how long it took. */
  readonly fetched: (askedBytes: number, fetchedBytes: number, millis: number) => void
}

/**
 * Begins at `bytes`, and doubles while answers are full and slow, up to what `limit` allows at that time: with latency
 * the bytes on their way are the pace.
 */
export const makeFetchSize = (bytes: number, limit: (() => number) | undefined): FetchSize => {
  let size = bytes
  return {
    next: () => (limit === undefined ? bytes : Math.max(bytes, Math.min(size, limit()))),
    fetched: (askedBytes, fetchedBytes, millis) => {
      if (limit === undefined || millis < slowMillis || fetchedBytes < askedBytes / 2) return
      size = Math.min(limit(), Math.max(size, 2 * askedBytes))
    }
  }
}
