import { Result } from "effect"
import type { Pod } from "../../kubernetes/Objects.ts"
import type { RunSummary } from "../../outcome/RunSummary.ts"
import * as SummaryCodec from "../../outcome/SummaryCodec.ts"
import type { Trouble } from "../../status/Facts.ts"
import * as JobFacts from "./JobFacts.ts"
import * as PodFailure from "./PodFailure.ts"

/** What the pod's container reported at its end, where it can be read. */
export const of = (pod: Pod): RunSummary | undefined => {
  const message = JobFacts.terminated(pod)?.message
  return typeof message === "string" ? Result.getOrUndefined(SummaryCodec.decode(message)) : undefined
}

/** Advice that names a command or an option is for people who typed one: nobody can follow it in a cluster's status. */
const isForCommandLine = (advice: string): boolean => /kafka-backup [a-z]+ -|(^|\s)--[a-z]/u.test(advice)

/**
 * Reason, message and advice of anything but a success, as the command reported them. Its advice after an interruption,
 * to repeat it with an option, is for people who typed it: here the Job or the next run continues.
 */
export const trouble = (summary: RunSummary | undefined): Trouble | undefined => {
  if (summary === undefined || summary.outcome === "success" || summary.outcome === "shardEnded") return undefined
  const { advice, exitCode, message, outcome, reason } = summary
  const advices = advice === undefined || outcome === "interrupted" || isForCommandLine(advice) ? [] : [advice]
  return {
    reason: PodFailure.text(reason) ?? "PodFailed",
    message: [message ?? `it ended with exit code ${exitCode}`, ...advices].join("; ")
  }
}
