import { exitCodes } from "../../outcome/ExitCodes.ts"
import type { Job, ObjectCondition, Pod } from "../../kubernetes/Objects.ts"
import type { RunReasonOf } from "../../outcome/RunReasons.ts"
import type { RunSummary } from "../../outcome/RunSummary.ts"
import type { Trouble } from "../../status/Facts.ts"
import type { JobEnd } from "./JobEnd.ts"
import { permanentExitCodes } from "./FailurePolicy.ts"
import * as JobFacts from "./JobFacts.ts"
import * as PodFailure from "./PodFailure.ts"
import * as RunAgain from "./RunAgain.ts"
import * as PodSummary from "./PodSummary.ts"

/** The result of a Job that ended. */
export type JobResult =
  /** The command itself reports it, from a pod that ended well. */
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
 * Only a readable summary that reports success, from a container with exit code 0, is a success. Such a summary
 * counts even if Kubernetes calls the Job failed (its deadline met the pod's last second): what was proven is proven.
 * `blocked` is what keeps the pod of a Job that has not started from starting.
 */
export const of = (
  job: Job,
  ownPods: ReadonlyArray<Pod>,
  end: JobEnd,
  command: RunSummary["command"],
  blocked?: Trouble
): JobResult => {
  const successes = ownPods.flatMap((pod) => {
    const summary = summaryOf(pod, command)
    return summary?.outcome === "success" && JobFacts.terminated(pod)?.exitCode === exitCodes.success ? [summary] : []
  })
  // Of several pods, the one that made the backup knows most of it.
  const success = successes.find(({ alreadyComplete }) => alreadyComplete !== true) ?? successes[0]
  if (success !== undefined) return { _tag: "Success", summary: success }
  const newest = telling(job, ownPods, command)
  const summary = newest === undefined ? undefined : summaryOf(newest, command)
  const reported = PodSummary.trouble(summary)
  const cause = reported ?? (newest === undefined ? undefined : PodFailure.explain(job, newest))
  const isInterrupted = summary?.outcome === "interrupted" || cause?.reason === "Interrupted"
  const failure = (trouble: Trouble, outcome: "failed" | "interrupted" = "failed"): JobResult => ({
    _tag: "Failure",
    outcome,
    trouble,
    summary
  })
  switch (end._tag) {
    case "Complete":
      return failure(reported ?? resultMissing(job))
    case "Failed":
      // That the pod was stopped explains nothing: the deadline stopped it. What it was waiting for does.
      if (end.condition.reason === "DeadlineExceeded") {
        return failure(deadlineExceeded(job, command, isInterrupted ? waiting(summary) : cause))
      }
      return cause === undefined
        ? failure(unexplained(job, command, end.condition))
        : failure(cause, isInterrupted ? "interrupted" : "failed")
    case "Lost":
      return failure(nodeLost(end.pod), "interrupted")
    case "NotStarted":
      return failure(notStarted(job, end.deadlineSeconds, blocked))
    case "Deleted":
      return failure(deleted(job, command, isInterrupted ? undefined : cause), "interrupted")
  }
}

/**
 * The pod whose end explains that of its Job: the newest. Of several shards, one that no repetition can cure or that
 * failed by itself: the others were stopped because of it, and some had ended well.
 */
const telling = (job: Job, ownPods: ReadonlyArray<Pod>, command: RunSummary["command"]): Pod | undefined => {
  const ended = ownPods.filter((pod) => JobFacts.terminated(pod) !== undefined || pod.status?.phase === "Failed")
  if (JobFacts.shards(job) === 1) return ended[0]
  const failed = ended.filter((pod) => summaryOf(pod, command)?.outcome !== "shardEnded")
  const codeOf = (pod: Pod) => JobFacts.terminated(pod)?.exitCode
  return (
    failed.find((pod) => permanentExitCodes.includes(codeOf(pod) ?? exitCodes.success)) ??
    failed.find((pod) => codeOf(pod) !== exitCodes.interrupted) ??
    failed[0]
  )
}

type EndTrouble = Trouble<RunReasonOf<"end">>

const waiting = (summary: RunSummary | undefined): Trouble | undefined =>
  summary?.waitedFor === undefined
    ? undefined
    : { reason: "Interrupted", message: `it waited for ${summary.waitedFor}` }

const lastProblem = (cause: Trouble | undefined): string =>
  cause === undefined ? "" : `; its last problem: ${cause.message}`

type Command = RunSummary["command"]

/** What to do about a Job that took too long. */
const afterDeadline = (command: Command): string => {
  switch (command) {
    case "run":
      return "raise or remove spec.job.activeDeadlineSeconds, or speed the run up with more spec.resources; stored data is kept"
    case "restore":
      return `everything that was written is kept.${RunAgain.restoreAdvice}`
    case "drill":
      return "lower spec.drill.maxBytes, or raise or remove spec.job.activeDeadlineSeconds; the next drill deletes the scratch topics"
    case "offsets":
      return `offsets that were set stay as they are.${RunAgain.restoreAdvice}`
    case "prune":
    case "list":
      return "the storage answers too slowly; the operator tries again"
    case "check":
      return "its pod did not start, or Kafka and storage did not answer; the operator checks again"
  }
}

/** What to do about a Job that was deleted. */
const afterDeletion = (command: Command): string => {
  switch (command) {
    case "run":
      return `stored data is kept.${RunAgain.advice}`
    case "restore":
      return `everything that was written is kept.${RunAgain.restoreAdvice}`
    case "drill":
      return "the next drill deletes its scratch topics"
    case "offsets":
      return `offsets that were set stay as they are.${RunAgain.restoreAdvice}`
    case "prune":
    case "list":
    case "check":
      return "the operator tries again"
  }
}

const deadlineExceeded = (job: Job, command: Command, cause: Trouble | undefined): EndTrouble => {
  const seconds = JobFacts.deadlineSeconds(job)
  const limit = seconds === undefined ? "its deadline" : `its deadline of ${seconds} s`
  return {
    reason: "DeadlineExceeded",
    message: `Job ${job.metadata.name} took longer than ${limit}; ${afterDeadline(command)}${lastProblem(cause)}`
  }
}

const notStarted = (job: Job, seconds: number, blocked: Trouble | undefined): EndTrouble => {
  const why = blocked === undefined ? "Kubernetes does not say why" : `${blocked.reason}: ${blocked.message}`
  return {
    reason: "PodNotStarted",
    message: `the container of Job ${job.metadata.name} did not start within ${seconds} s: ${why}. If it only needs more time, set spec.job.startDeadlineSeconds to a larger value`
  }
}

const unexplained = (job: Job, command: Command, condition: ObjectCondition): Trouble => ({
  reason: PodFailure.text(condition.reason) ?? "JobFailed",
  message: `Job ${job.metadata.name} failed, and none of its pods shows why: ${PodFailure.words(condition.message)}; look at your collected logs, or ${again(command)} and watch it`
})

const again = (command: Command): string =>
  command === "restore"
    ? "try the restore again"
    : command === "drill"
      ? "drill again"
      : command === "offsets"
        ? "try it again"
        : "trigger a run"

const resultMissing = (job: Job): EndTrouble => ({
  reason: "ResultMissing",
  message: `Job ${job.metadata.name} is complete, but its pod left no readable result, so nothing counts as verified. If this happens again, operator and image have different versions`
})

const nodeLost = (pod: string): EndTrouble => ({
  reason: "NodeLost",
  message: `pod ${pod} does not stop, probably because its node is lost; the operator continues without it, stored data is kept. Once the node is certainly gone, run kubectl delete pod ${pod} --force`
})

const deleted = (job: Job, command: Command, cause: Trouble | undefined): EndTrouble => ({
  reason: "JobDeleted",
  message: `Job ${job.metadata.name} was deleted before it ended${lastProblem(cause)}; ${afterDeletion(command)}`
})

/** The summary of a successful run must name its backup. */
export const manifestMissing = (job: Job): EndTrouble => ({
  reason: "ManifestMissing",
  message: `Job ${job.metadata.name} reports success but names no backup, so nothing counts as verified`
})
