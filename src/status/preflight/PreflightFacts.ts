import type { CheckFailure } from "../../outcome/CheckSummary.ts"
import type { RunReasonName, RunReasonOf } from "../../outcome/RunReasons.ts"
import type { PreflightStatus } from "../../resource/PreflightStatus.ts"
import type { QueuedRun, Trouble } from "../Trouble.ts"

/** `status.preflight` as Kubernetes holds it. */
export type Preflight = typeof PreflightStatus.Encoded

/** How often a resource is checked. */
export interface Pacing {
  /** Longest time between two checks without a run, in milliseconds. Absent: only after an edit. */
  readonly everyMillis: number | undefined
  /** From 0 to below 1, fixed for a resource: spreads the checks of many resources. */
  readonly share: number
}

/** The check that is active. Instants are milliseconds since 1970. */
export interface ActiveCheck {
  readonly jobName: string
  readonly generation: number
  readonly startMillis: number
  /** Its pod cannot start. */
  readonly trouble?: Trouble<RunReasonName> | undefined
  /** Its deadline is over: that its pods are gone says nothing more. */
  readonly isEnding?: boolean | undefined
}

/** A check that ended, as its Job, its pod and its termination message show. */
export interface EndedCheck {
  readonly jobName: string
  readonly generation: number
  readonly endMillis: number
  /** Incomplete: nothing was shown, because its pod did not start in time or was stopped. */
  readonly outcome: "passed" | "failed" | "incomplete"
  /** Of anything but a success: a FailureReason of the pod's report, a RunReasonName, or a word of Kubernetes. */
  readonly reason?: string
  readonly message?: string
  /** What failed on each side, as the pod reports it. */
  readonly failures: ReadonlyArray<CheckFailure>
}

/** What one reconcile found about checks. */
export interface PreflightFacts extends Pacing {
  /** The resource is checked without being asked: it has a schedule or is suspended. */
  readonly isWanted: boolean
  readonly active: ActiveCheck | undefined
  /** Checks that ended since the last reconcile, oldest first. Reporting one twice changes nothing. */
  readonly ended: ReadonlyArray<EndedCheck>
  /** A check is due and waits for its turn. */
  readonly queue: QueuedRun | undefined
  /** A check is due and the API server rejects its Job. */
  readonly refusal: Trouble<RunReasonOf<"refusal">> | undefined
  /** A value of the annotation whose check exists. */
  readonly handledCheck: string | undefined
}

/** What a reconcile found about checks. */
export type PreflightObservation =
  /** Nothing could be found out, or nothing counts: what the status says stays. */
  { readonly _tag: "Unchanged" } | { readonly _tag: "Found"; readonly facts: PreflightFacts }
