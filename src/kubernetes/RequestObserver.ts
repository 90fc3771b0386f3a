import { Context, Effect } from "effect"

/** What one HTTP request does; RBAC's verb where there is one. */
export type Verb = "get" | "list" | "watch" | "create" | "apply" | "replace" | "patch" | "remove"

/** One HTTP request to the API server; every retry and every page of a list is a request of its own. */
export interface Observation {
  readonly verb: Verb
  /** The kind's plural, `jobs`. Object names are left out, so that the number of series is bounded. */
  readonly kind: string
  /** HTTP status; `error` when no answer came. */
  readonly status: number | "error"
  /** Until the response headers, in milliseconds. */
  readonly millis: number
}

/**
 * Called for every request to the API server, for metrics. Does nothing unless set while the adapter's layer is built.
 */
export const RequestObserver = Context.Reference<(observation: Observation) => Effect.Effect<void>>(
  "kafka-backup/kubernetes/RequestObserver",
  { defaultValue: () => () => Effect.void }
)
