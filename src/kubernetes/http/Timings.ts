/** How long the adapter waits for what; tests wait less. All in milliseconds. */
export interface Timings {
  /** For the answer to one request, its body included; of a watch, for the head of the answer. */
  readonly requestMillis: number
  /**
   * A watch on which not a byte arrives for this long is dead: the API server sends a bookmark about every minute. Source:
   * Kubernetes API concepts, "Watch bookmarks"; the interval is the server's, one minute in kube-apiserver.
   */
  readonly idleMillis: number
  /** Wait before a watch is opened again: this long after one that delivered something, then doubling. */
  readonly firstDelayMillis: number
  /** The most that a watch waits between two attempts. */
  readonly mostDelayMillis: number
  /** For how long credentials are used before their files are looked at again. */
  readonly freshMillis: number
}

export const usual: Timings = {
  requestMillis: 30_000,
  idleMillis: 150_000,
  firstDelayMillis: 500,
  mostDelayMillis: 30_000,
  freshMillis: 10_000
}
