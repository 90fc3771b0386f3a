import { Context, Effect } from "effect"

/** What one HTTP request asks for, in the words of RBAC where it has one. */
export type Verb = "get" | "list" | "watch" | "create" | "apply" | "replace" | "patch" | "remove"

/** One HTTP request to the API server; every retry and every page of a list is one of its own. */
export interface Observation {
  readonly verb: Verb
  /** The kind's plural, `jobs`. Names of objects are kept out, so that the number of series is bounded. */
  readonly kind: string
  /** HTTP status; `error` when no answer came. */
  readonly status: number | "error"
  /** Until the head of the answer, in milliseconds. */
  readonly millis: number
}

/** Who is told of every request to the API server, for metrics. Nobody, unless set while the adapter's layer is built. */
export const RequestObserver = Context.Reference<(observation: Observation) => Effect.Effect<void>>(
  "kafka-backup/kubernetes/RequestObserver",
  { defaultValue: () => () => Effect.void }
)
