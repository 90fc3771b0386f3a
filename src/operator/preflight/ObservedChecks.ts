import type { Event, Job, Pod } from "../../kubernetes/Objects.ts"
import { given } from "../../resource/Json.ts"
import type { ActiveCheck, EndedCheck } from "../../status/preflight/PreflightFacts.ts"
import { isReported } from "../Caches.ts"
import * as JobEnd from "../jobs/JobEnd.ts"
import * as JobFacts from "../jobs/JobFacts.ts"
import * as JobResult from "../jobs/JobResult.ts"
import * as PodTrouble from "../jobs/PodTrouble.ts"
import type * as Observed from "../Observed.ts"

/** The state of one Job of a check. */
export type CheckState =
  | { readonly _tag: "Active"; readonly check: ActiveCheck }
  | {
      readonly _tag: "Ended"
      readonly check: EndedCheck
      /** Kubernetes has not ended the Job, and may never: the reader should delete it. */
      readonly isStuck: boolean
    }

/** One Job of a check, its pods, and its state. */
export interface ObservedCheck {
  readonly job: Job
  readonly pods: ReadonlyArray<Pod>
  readonly state: CheckState
}

/** The Jobs of checks among those of a resource. Pure; `events` are those about Jobs that are stuck. */
export const of = (
  { jobs, nowMillis }: Pick<Observed.Observed, "jobs" | "nowMillis">,
  events: ReadonlyArray<Event> = []
): ReadonlyArray<ObservedCheck> =>
  jobs
    .filter(({ job }) => JobFacts.purpose(job) === "check")
    .map(({ job, pods }) => ({ job, pods, state: read(job, pods, nowMillis, events) }))

export const isActive = ({ state }: ObservedCheck): boolean => state._tag === "Active"

/** Checks whose end is not in the status yet. */
export const unreported = (checks: ReadonlyArray<ObservedCheck>): ReadonlyArray<ObservedCheck> =>
  checks.filter(({ job, state }) => state._tag === "Ended" && !isReported(job))

/** The ends of these checks, oldest first. */
export const ends = (checks: ReadonlyArray<ObservedCheck>): ReadonlyArray<EndedCheck> =>
  checks
    .flatMap(({ state }) => (state._tag === "Ended" ? [state.check] : []))
    .toSorted((a, b) => a.endMillis - b.endMillis)

/** The Job's state now. Total, as `JobState.read`. */
export const read = (
  job: Job,
  pods: ReadonlyArray<Pod>,
  nowMillis: number,
  events: ReadonlyArray<Event> = []
): CheckState => {
  const jobName = job.metadata.name
  const generation = JobFacts.generation(job) ?? 0
  const end = JobEnd.of(job, pods, nowMillis)
  if (end === undefined) {
    const startMillis = JobFacts.startMillis(job, nowMillis)
    if (JobFacts.condition(job, "FailureTarget") !== undefined) {
      return { _tag: "Active", check: { jobName, generation, startMillis, isEnding: true } }
    }
    const trouble = PodTrouble.of(job, pods, events, nowMillis)
    return { _tag: "Active", check: given({ jobName, generation, startMillis, trouble }) }
  }
  const result = JobResult.of(job, pods, end, "check")
  const finished = pods.flatMap((pod) => JobFacts.millis(JobFacts.terminated(pod)?.finishedAt) ?? [])
  const endMillis = end.endMillis ?? (finished.length === 0 ? nowMillis : Math.max(...finished))
  const common = { jobName, generation, endMillis, failures: result.summary?.check?.failures ?? [] }
  const check: EndedCheck =
    result._tag === "Success"
      ? { ...common, outcome: "passed" }
      : { ...common, outcome: isAnswer(result) ? "failed" : "incomplete", ...result.trouble }
  const isStuck = end._tag === "Lost" || (end._tag === "Failed" && end.isStuck)
  return { _tag: "Ended", check, isStuck }
}

/** Reasons that say nothing about what a run needs: the pod did not get that far, or was taken away. */
const noAnswer: ReadonlySet<string> = new Set([
  "DeadlineExceeded",
  "JobDeleted",
  "NodeLost",
  "Evicted",
  "Disrupted",
  "ResultMissing"
])

const isAnswer = ({ outcome, trouble }: Extract<JobResult.JobResult, { readonly _tag: "Failure" }>): boolean =>
  outcome !== "interrupted" && !noAnswer.has(trouble.reason)
