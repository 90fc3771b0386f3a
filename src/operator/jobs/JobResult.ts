import { exitCodes } from "../../outcome/ExitCodes.ts"
import type { Job, ObjectCondition, Pod } from "../../kubernetes/Objects.ts"
import type { RunSummary } from "../../outcome/RunSummary.ts"
import type { Trouble } from "../../status/Facts.ts"
import type { JobEnd } from "./JobEnd.ts"
import * as JobFacts from "./JobFacts.ts"
import * as PodFailure from "./PodFailure.ts"
import * as PodSummary from "./PodSummary.ts"

/** What came of a Job that ended. */
export type JobResult =
  /** The command says so itself, in a pod that ended well. */
  | { readonly _tag: "Success"; readonly summary: RunSummary }
  | {
      readonly _tag: "Failure"
      readonly outcome: "failed" | "interrupted"
      readonly trouble: Trouble
      /** Of the newest pod that left one. */
      readonly summary: RunSummary | undefined
    }

/** What the pod left behind, where it is of this command. */
const summaryOf = (pod: Pod, command: RunSummary["command"]): RunSummary | undefined => {
  const summary = PodSummary.of(pod)
  return summary?.command === command ? summary : undefined
}

/**
 * Nothing is a success but a readable summary that says so, of a container that ended with exit code 0. Where that is there
 * it counts even if Kubernetes calls the Job failed (its deadline met the pod's last second): what was proven is proven.
 */
export const of = (job: Job, ownPods: ReadonlyArray<Pod>, end: JobEnd, command: RunSummary["command"]): JobResult => {
  for (const pod of ownPods) {
    const summary = summaryOf(pod, command)
    if (summary?.outcome === "success" && JobFacts.terminated(pod)?.exitCode === exitCodes.success) {
      return { _tag: "Success", summary }
    }
  }
  const newest = ownPods.find((pod) => JobFacts.terminated(pod) !== undefined || pod.status?.phase === "Failed")
  const summary = newest === undefined ? undefined : summaryOf(newest, command)
  const told = PodSummary.trouble(summary)
  const cause = told ?? (newest === undefined ? undefined : PodFailure.explain(job, newest))
  const isInterrupted = summary?.outcome === "interrupted" || cause?.reason === "Interrupted"
  const failure = (trouble: Trouble, outcome: "failed" | "interrupted" = "failed"): JobResult => ({
    _tag: "Failure",
    outcome,
    trouble,
    summary
  })
  const isRun = command === "run"
  switch (end._tag) {
    case "Complete":
      return failure(told ?? resultMissing(job))
    case "Failed":
      // That it was stopped says nothing: the deadline stopped it.
      if (end.condition.reason === "DeadlineExceeded") {
        return failure(deadlineExceeded(job, isRun, isInterrupted ? undefined : cause))
      }
      return cause === undefined
        ? failure(unexplained(job, end.condition))
        : failure(cause, isInterrupted ? "interrupted" : "failed")
    case "Lost":
      return failure(nodeLost(end.pod), "interrupted")
    case "Vanished":
      return failure(vanished(job, isRun, isInterrupted ? undefined : cause), "interrupted")
  }
}

const lastMet = (cause: Trouble | undefined): string =>
  cause === undefined ? "" : `; what it last met: ${cause.message}`

const deadlineExceeded = (job: Job, isRun: boolean, cause: Trouble | undefined): Trouble => {
  const seconds = JobFacts.deadlineSeconds(job)
  const limit = seconds === undefined ? "its deadline" : `its deadline of ${seconds} s`
  const advice = isRun
    ? "raise or remove spec.job.activeDeadlineSeconds, or speed the run up with more spec.resources; what was stored so far is memory"
    : "the storage answers too slowly; it is tried again"
  return {
    reason: "DeadlineExceeded",
    message: `Job ${job.metadata.name} took longer than ${limit}; ${advice}${lastMet(cause)}`
  }
}

const unexplained = (job: Job, condition: ObjectCondition): Trouble => ({
  reason: PodFailure.text(condition.reason) ?? "JobFailed",
  message: `Job ${job.metadata.name} failed, and no pod of it tells why: ${PodFailure.words(condition.message)}; look at the logs that you collect, or trigger a run and watch it`
})

const resultMissing = (job: Job): Trouble => ({
  reason: "ResultMissing",
  message: `Job ${job.metadata.name} is complete, but its pod left no readable result, so that nothing is known to be proven; kafka-backup list shows what storage holds. If this stays, operator and image are of different versions`
})

const nodeLost = (pod: string): Trouble => ({
  reason: "NodeLost",
  message: `pod ${pod} does not stop, its node is probably lost; the operator goes on without it, what was stored is memory. When the node is surely gone: kubectl delete pod ${pod} --force`
})

const vanished = (job: Job, isRun: boolean, cause: Trouble | undefined): Trouble => ({
  reason: "JobDeleted",
  message: `Job ${job.metadata.name} was deleted before it ended${lastMet(cause)}; ${isRun ? "what was stored is memory. To run again set the trigger annotation to a new value" : "it is tried again"}`
})

/** A success of a run must name its set. */
export const manifestMissing = (job: Job): Trouble => ({
  reason: "ManifestMissing",
  message: `Job ${job.metadata.name} says that it succeeded, and does not name a set; kafka-backup list shows what storage holds`
})
