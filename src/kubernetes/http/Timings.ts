/** Timeouts and waits of the adapter, in milliseconds; tests use shorter ones. */
export interface Timings {
  /** Timeout of one request, its body included; for a watch, of the response headers. */
  readonly requestMillis: number
  /**
   * A watch that receives no byte for this long is dead: the API server sends a bookmark about every minute. Source:
   * Kubernetes API concepts, "Watch bookmarks"; the server chooses the interval, one minute in kube-apiserver.
   */
  readonly idleMillis: number
  /** Wait before a watch is opened again after progress; doubles with every failure. */
  readonly firstDelayMillis: number
  /** Longest wait between two attempts of a watch. */
  readonly mostDelayMillis: number
  /** How long credentials are used before their files are read again. */
  readonly freshMillis: number
}

export const usual: Timings = {
  requestMillis: 30_000,
  idleMillis: 150_000,
  firstDelayMillis: 500,
  mostDelayMillis: 30_000,
  freshMillis: 10_000
}
