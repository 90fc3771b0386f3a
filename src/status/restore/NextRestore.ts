import { given } from "../../resource/Json.ts"
import { maxRestoredTopics } from "../../resource/KafkaRestoreStatus.ts"
import * as Format from "../Format.ts"
import * as GroupFields from "./GroupFields.ts"
import * as RestoreConditions from "./RestoreConditions.ts"
import * as ResolvedFields from "./ResolvedFields.ts"
import type { ActiveRestore, EndedRestore, RestoreFacts, RestoreStatus } from "./RestoreFacts.ts"

/** Most bytes of `message` and of what a pod waits for. */
const maxMessageBytes = 1024

const prose = (text: string): string => Format.cut(Format.line(text), maxMessageBytes)

/** True when the Job that the status names has ended, and its end is in the status. */
export const hasEnded = ({ phase }: RestoreStatus): boolean => phase === "Completed" || phase === "Failed"

/**
 * The next status. Total, and a function of its arguments alone; of the previous status it keeps what no fact can give
 * again. With its own answer as the previous status it gives the same answer, also later.
 */
export const next = (previous: RestoreStatus, facts: RestoreFacts, nowMillis: number): RestoreStatus => {
  const { active, ended, startedWritingMillis } = facts
  const startedWriting =
    previous.startedWriting ?? (startedWritingMillis === undefined ? undefined : Format.time(startedWritingMillis))
  const common = given({
    observedGeneration: facts.generation,
    startedWriting,
    resolved: ResolvedFields.resolved(previous, facts)
  })
  const body =
    active !== undefined
      ? { ...common, ...running(previous, active) }
      : ended !== undefined
        ? { ...common, ...over(previous, ended, nowMillis) }
        : // With its name nothing is started later either, when that Job is gone.
          {
            ...previous,
            ...common,
            ...given({ jobName: facts.usedBefore ?? previous.jobName }),
            phase: previous.phase ?? ("Pending" as const),
            ...(facts.groupStep === undefined
              ? {}
              : { offsetResetStatus: GroupFields.again(previous, facts.groupStep) })
          }
  const conditions = RestoreConditions.next({ facts, previous, status: body, nowMillis })
  return { ...body, conditions }
}

/** Since when: an attempt that continues belongs to the restore that began to write. */
const startTime = (previous: RestoreStatus, jobName: string, startMillis: number): string =>
  previous.startTime !== undefined && (previous.startedWriting !== undefined || previous.jobName === jobName)
    ? previous.startTime
    : Format.time(startMillis)

const running = (previous: RestoreStatus, active: ActiveRestore): RestoreStatus => {
  const { hasStarted, jobName, progress, startMillis } = active
  const isSame = previous.jobName === jobName
  return {
    phase: hasStarted ? "Running" : "Pending",
    ...GroupFields.fields(previous, undefined),
    startTime: startTime(previous, jobName, startMillis),
    jobName,
    ...(progress === undefined
      ? isSame && previous.progress !== undefined
        ? { progress: previous.progress }
        : {}
      : {
          progress: given({
            percent: progress.percent,
            records: progress.records,
            bytes: progress.bytes,
            partitionsDone: progress.partitionsDone,
            partitionsTotal: progress.partitionsTotal,
            message: prose(progress.awaited ?? progress.step),
            eta: progress.etaMillis === undefined ? undefined : Format.time(progress.etaMillis),
            updatedTime: Format.time(progress.updatedMillis)
          })
        })
  }
}

const over = (previous: RestoreStatus, ended: EndedRestore, nowMillis: number): RestoreStatus => {
  const { endMillis, isDryRun, jobName, outcome, startMillis, summary } = ended
  const plan = summary?.plan
  const common = {
    startTime: startTime(previous, jobName, startMillis),
    completionTime: Format.time(endMillis),
    jobName,
    ...GroupFields.fields(previous, summary),
    ...(plan === undefined ? {} : { offsets: { exact: plan.exact, renumbered: plan.renumbered } })
  }
  if (outcome !== "success") {
    return {
      phase: "Failed",
      ...common,
      ...given({
        progress: previous.jobName === jobName ? stopped(previous) : undefined,
        deletedTopics: summary?.removed?.deletedTopics.slice(0, maxRestoredTopics)
      }),
      message: prose(`${ended.reason ?? "JobFailed"}: ${ended.message ?? "no reason was reported"}`)
    }
  }
  if (isDryRun) {
    return { phase: "Completed", ...common, message: "All checks of the dry run passed." }
  }
  const records = ended.records ?? plan?.records ?? 0
  const partitions = plan?.partitions ?? previous.progress?.partitionsTotal ?? 0
  return {
    phase: "Completed",
    ...common,
    progress: {
      percent: 100,
      records,
      partitionsDone: partitions,
      partitionsTotal: partitions,
      updatedTime: Format.time(Math.min(endMillis, nowMillis))
    },
    restoredRecords: records,
    restoredTopics: (plan?.topics ?? [])
      .map(({ name, records: count }) => ({ name, records: count }))
      .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
      .slice(0, maxRestoredTopics),
    message: "Every record was written, read back and compared."
  }
}

/** What the pod was at ends with it. */
const stopped = ({ progress }: RestoreStatus): RestoreStatus["progress"] => {
  if (progress === undefined) return undefined
  const { eta: _eta, message: _message, outage: _outage, ...rest } = progress
  return rest
}
