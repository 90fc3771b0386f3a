import type { Effect } from "effect"
import type { Job, Pod } from "../Objects.ts"

/** How a container ended. */
export interface ContainerEnd {
  readonly exitCode: number
  /** The termination message; cut to 4096 bytes, as a node does. */
  readonly message?: string
  /** Default `Completed` with exit code 0, else `Error`; `OOMKilled` is another. */
  readonly reason?: string
}

/** What a Job's container does. Interrupted when its pod is deleted or evicted. */
export type PodRun = (pod: Pod, job: Job) => Effect.Effect<ContainerEnd>

/** Why a pod does not start. */
export type PodTrouble =
  /** No node accepts it. */
  | { readonly _tag: "Unschedulable"; readonly message: string }
  /** Its container waits: `ImagePullBackOff`, `CreateContainerConfigError`. */
  | { readonly _tag: "Waiting"; readonly reason: string; readonly message: string }
