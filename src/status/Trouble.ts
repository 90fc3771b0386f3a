/**
 * Something that keeps a run or a Job from continuing, in the server's own words, with what to do. Where no union of
 * reasons is named, the reason may come from a pod's report or from Kubernetes, and is any CamelCase word.
 */
export interface Trouble<Reason extends string = string> {
  readonly reason: Reason
  readonly message: string
  /** Of a run that is tried again: the reason for which its last attempt failed. */
  readonly after?: string
}

/** A run or a drill that is due and waits for its turn. */
export interface QueuedRun {
  /** Those that start before it, as things are now. */
  readonly before: number
  /** Most of them that the operator lets be active at the same time. */
  readonly limit: number
  readonly sinceMillis: number
}
