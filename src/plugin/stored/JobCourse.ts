import type { Event, Job, Pod } from "../../kubernetes/Objects.ts"
import * as JobFacts from "../../operator/jobs/JobFacts.ts"
import * as PodTrouble from "../../operator/jobs/PodTrouble.ts"

/** Where the Job of a command stands. Pure. */

export interface Seen {
  /** Undefined: somebody has deleted it. */
  readonly job: Job | undefined
  readonly pods: ReadonlyArray<Pod>
  readonly events: ReadonlyArray<Event>
}

export type Course =
  /** Nothing runs yet; `why` in words, where it is known. */
  | { readonly _tag: "Waiting"; readonly why?: { readonly reason: string; readonly message: string } }
  /** Its pod runs, or has run: it has a log. */
  | { readonly _tag: "Running"; readonly pod: Pod }
  | { readonly _tag: "Ended"; readonly pod: Pod; readonly exitCode: number; readonly reason: string | undefined }
  | { readonly _tag: "TimedOut" }
  /** Without a pod that says how. */
  | { readonly _tag: "Lost"; readonly why: string }

export const of = ({ events, job, pods }: Seen, nowMillis: number): Course => {
  if (job === undefined || job.metadata.deletionTimestamp !== undefined)
    return { _tag: "Lost", why: "its Job was deleted" }
  const [pod] = JobFacts.podsOf(job, pods)
  const ended = pod === undefined ? undefined : JobFacts.terminated(pod)
  const failed = JobFacts.condition(job, "Failed") ?? JobFacts.condition(job, "FailureTarget")
  if (failed?.reason === "DeadlineExceeded") return { _tag: "TimedOut" }
  if (pod !== undefined && ended !== undefined) {
    return { _tag: "Ended", pod, exitCode: ended.exitCode, reason: ended.reason }
  }
  if (failed !== undefined) return { _tag: "Lost", why: failed.message ?? failed.reason ?? "the Job failed" }
  if (pod !== undefined && JobFacts.isOver(pod)) {
    return { _tag: "Lost", why: pod.status?.message ?? pod.status?.reason ?? "its pod ended before its container" }
  }
  if (pod !== undefined && JobFacts.isRunning(pod)) return { _tag: "Running", pod }
  // What would be a trouble after a while is worth a line at once, and explains the end of the wait.
  const why = PodTrouble.of(job, pods, events, nowMillis + PodTrouble.slowStartMillis)
  return why === undefined ? { _tag: "Waiting" } : { _tag: "Waiting", why }
}
