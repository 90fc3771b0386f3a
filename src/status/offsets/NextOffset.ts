import { given } from "../../resource/Json.ts"
import * as Format from "../Format.ts"
import * as GroupsLeft from "../GroupsLeft.ts"
import type { EndedRestore } from "../restore/RestoreFacts.ts"
import type { OffsetFacts, OffsetStatus } from "./OffsetFacts.ts"
import * as OffsetReady from "./OffsetReady.ts"

/** Most bytes of `message`. */
const maxMessageBytes = 1024

const prose = (text: string): string => Format.cut(Format.line(text), maxMessageBytes)

/** True when the Job that the status names has ended, and its end is in the status. */
export const hasEnded = ({ phase }: OffsetStatus): boolean => phase === "Completed" || phase === "Failed"

/**
 * The next status. Total, and a function of its arguments alone; of the previous status it keeps what no fact can give
 * again. With its own answer as the previous status it gives the same answer, also later.
 */
export const next = (previous: OffsetStatus, facts: OffsetFacts, nowMillis: number): OffsetStatus => {
  const { active, ended, generation, startedWritingMillis } = facts
  const startedWriting =
    previous.startedWriting ?? (startedWritingMillis === undefined ? undefined : Format.time(startedWritingMillis))
  const { conditions: _, ...kept } = previous
  const common = { ...kept, ...given({ observedGeneration: generation, startedWriting }) }
  const body: OffsetStatus =
    active !== undefined
      ? running(common, active)
      : ended !== undefined
        ? over(previous, common, ended)
        : // With its name nothing is started later either, when that Job is gone.
          { ...common, ...given({ jobName: facts.usedBefore ?? previous.jobName }), phase: previous.phase ?? "Pending" }
  return { ...body, conditions: OffsetReady.next(previous, facts, body, nowMillis) }
}

/** Since when: an attempt that continues belongs to the work that began. */
const startTime = (previous: OffsetStatus, jobName: string, startMillis: number): string =>
  previous.startTime !== undefined && (previous.startedWriting !== undefined || previous.jobName === jobName)
    ? previous.startTime
    : Format.time(startMillis)

const running = (previous: OffsetStatus, active: NonNullable<OffsetFacts["active"]>): OffsetStatus => {
  const { completionTime: _completion, message: _message, ...rest } = previous
  const { hasStarted, jobName, startMillis } = active
  return {
    ...rest,
    phase: hasStarted ? "Running" : "Pending",
    startTime: startTime(previous, jobName, startMillis),
    jobName
  }
}

/** `before` is the previous status, `previous` has what is new already. */
const over = (before: OffsetStatus, previous: OffsetStatus, ended: EndedRestore): OffsetStatus => {
  const { endMillis, isDryRun, jobName, message, outcome, reason, startMillis, summary } = ended
  const found = summary?.groups
  // Groups of an attempt that changed nothing are those of an earlier spec.
  const known = before.startedWriting === undefined ? {} : before
  // The operator may have died before it gave the Job its time to live: its groups are counted once.
  const isKnown = before.jobName === jobName && hasEnded(before)
  const common = {
    ...previous,
    startTime: startTime(previous, jobName, startMillis),
    completionTime: Format.time(endMillis),
    jobName,
    ...(found === undefined || isKnown ? {} : GroupsLeft.after(known, found)),
    ...given({ snapshotId: isDryRun ? undefined : (summary?.rollbackSnapshotId ?? previous.snapshotId) })
  }
  // Groups that no list names were never given to the Job that ended.
  const isPartial = outcome === "success" && !isDryRun && found !== undefined && GroupsLeft.unreachable(common) > 0
  if (isPartial) return { ...common, phase: "Failed", message: prose(`GroupsSkipped: ${OffsetReady.beyond(common)}`) }
  return outcome === "success"
    ? { ...common, phase: "Completed", message: isDryRun ? "The dry run passed." : "Done." }
    : { ...common, phase: "Failed", message: prose(`${reason ?? "JobFailed"}: ${message ?? "no reason was reported"}`) }
}
