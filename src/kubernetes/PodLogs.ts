import { Context, type Stream } from "effect"
import type { ObjectRef } from "./KubernetesApi.ts"
import type { KubernetesError } from "./KubernetesError.ts"

export interface LogOptions {
  /** Which container's; absent: that of a pod that has one. */
  readonly container?: string
  /** Goes on until the container has ended. */
  readonly isFollowed?: boolean
  /** Only this many lines at the end of what is there already. */
  readonly tailLines?: number
}

/** What the containers of pods write, to either of their outputs: the API server keeps both as one log. */
export interface PodLogsShape {
  /**
   * The lines of a container's log in order, without their ends. Fails with `Invalid` while the container has not
   * started, with `NotFound` when there is no such pod, and with `Unavailable` when the connection breaks. Never
   * retried inside: whoever reads again gets the same lines again.
   */
  readonly lines: (pod: ObjectRef, options?: LogOptions) => Stream.Stream<string, KubernetesError>
}

export class PodLogs extends Context.Service<PodLogs, PodLogsShape>()("kafka-backup/kubernetes/PodLogs") {}
