import { isStrimziReason } from "../outcome/StrimziReasons.ts"
import { triggerAnnotation } from "../resource/KafkaBackup.ts"
import * as Problem from "../resource/Problem.ts"
import * as DamageFields from "./DamageFields.ts"
import type { Facts } from "./Facts.ts"
import * as History from "./History.ts"
import * as Cured from "./preflight/Cured.ts"
import * as ReadyCheck from "./preflight/ReadyCheck.ts"
import * as Overdue from "./Overdue.ts"
import * as Pause from "./Pause.ts"
import * as QueueText from "./QueueText.ts"
import type { ConditionType, ReasonOf } from "./Reasons.ts"
import type { HistoryEntry, Status } from "./Status.ts"
import * as Format from "./Format.ts"

/** A condition of one type without what convention adds. */
export interface Answer<Type extends ConditionType> {
  readonly status: "True" | "False" | "Unknown"
  readonly reason: ReasonOf<Type>
  readonly message: string
}

/** The last success, as a status has it. */
export type LastBackup = Pick<
  Status,
  "lastBackupId" | "lastBackupRecords" | "lastBackupSize" | "lastBackupTime" | "lastBackupCompletionTime"
>

/** When the last backup succeeded. An earlier version wrote that into `lastBackupTime`. */
export const succeededTime = ({ lastBackupCompletionTime, lastBackupTime }: LastBackup): string | undefined =>
  lastBackupCompletionTime ?? lastBackupTime

/** What the summary is made of: facts, and the status as far as it is made. */
export interface Question {
  readonly facts: Facts
  readonly history: History.History
  /** The active run of the next status, and how far it is. */
  readonly run: Pick<Status, "activeRun" | "progress">
  /** Of the next status. */
  readonly drill?: Status["drill"]
  /** Of the next status. */
  readonly preflight?: Status["preflight"]
  /** What is known of damage, of the next status. */
  readonly damage?: Status["damage"]
  /** What runs have read again, of the next status. */
  readonly verification?: Status["verification"]
  /** `lastBackup…` of the next status. */
  readonly last: LastBackup
  readonly nowMillis: number
  /** Storage must be listed before the history is complete. */
  readonly isUnlisted: boolean
}

/**
 * Are backups made as wanted? The first thing that is wrong, in the order in which one hides the others; else what
 * comes next.
 */
export const answer = (question: Question): Answer<"Ready"> => {
  const { facts, history } = question
  const { state } = facts
  const lastRun = History.lastRun(history)
  const withLastSuccess = (...sentences: ReadonlyArray<string>) =>
    [...sentences, lastSuccess(question)].map(Format.sentence).join(" ")
  const notReady = (reason: ReasonOf<"Ready">, ...sentences: ReadonlyArray<string>): Answer<"Ready"> => ({
    status: "False",
    reason,
    message: withLastSuccess(...sentences)
  })

  if (facts.deletion !== undefined) return notReady("Deleting", "The resource is being deleted, so no run starts")
  if (facts.problems.length > 0) return notReady("InvalidSpec", problems(facts.problems))
  if (state?._tag === "Unusable") return notReady("InvalidSchedule", problems(state.problems))
  if (state?._tag === "ClockBehind") {
    const until = Format.time(state.untilMillis)
    return notReady(
      "ClockBehind",
      `The slot ${until} lies in the future and has already run, so the clock must have jumped back. No slot runs until then. Correct the clock, or edit the schedule to end the wait`
    )
  }
  if (facts.refusal !== undefined) {
    const { message, reason } = facts.refusal
    return isStrimziReason(reason)
      ? notReady("StrimziUnresolved", `No run can be started: ${reason}: ${message}`)
      : notReady("JobRefused", `A run is due but was not started: ${message}`)
  }
  const pause = Pause.of(question.run)
  const paused = pause === undefined ? [] : [`${pause.backupId} is paused: ${Pause.text(pause)}`]
  if (facts.active?.trouble !== undefined) {
    const { backupId, trouble } = facts.active
    const found = `The pod of ${backupId} is in trouble: ${trouble.message}`
    return notReady("PodTrouble", ...paused, found, ...outlook(facts))
  }
  if (pause !== undefined) return notReady("BackupPaused", ...paused, "It continues when that answers again")
  const isRepeated = state?._tag === "Suspended" || state?._tag === "Scheduled"
  const isCured = isRepeated && lastRun !== undefined && Cured.isCured(lastRun, question.preflight, facts)
  if (!isCured && (lastRun?.outcome === "failed" || lastRun?.outcome === "interrupted")) {
    return notReady(
      lastRun.outcome === "failed" ? "BackupFailed" : "BackupInterrupted",
      ...failure(lastRun),
      ...(ReadyCheck.failure(question.preflight, facts) ?? []),
      again(facts)
    )
  }
  const obstacle = isRepeated ? ReadyCheck.obstacle(question.preflight, facts) : undefined
  if (obstacle?._tag === "Failed") return notReady("CheckFailed", ...obstacle.sentences, ...outlookOf(state))
  if (state?._tag === "Suspended") {
    const suspended = `Suspended: ${waiting(question)} until spec.suspend is false; a trigger still works`
    if (isCured) return cured(question, lastRun, suspended)
    return obstacle === undefined
      ? { status: "True", reason: "Suspended", message: withLastSuccess(...queued(facts), suspended) }
      : { status: "Unknown", reason: obstacle.reason, message: withLastSuccess(...obstacle.sentences, suspended) }
  }
  if (state?._tag === "Scheduled") {
    return scheduled(question, state, { obstacle, failed: isCured ? lastRun : undefined }, notReady, withLastSuccess)
  }
  return once(question)
}

/** The newest run failed, and a check has passed since that looked at the cause: see `Cured`. */
const cured = (question: Question, failed: HistoryEntry, ...next: ReadonlyArray<string>): Answer<"Ready"> => {
  const found = question.preflight === undefined ? [] : [Cured.text(question.preflight)]
  const message = [...failure(failed), ...found, ...next, lastSuccess(question)].map(Format.sentence).join(" ")
  return { status: "True", reason: "CheckPassed", message }
}

/** What does not happen while the resource is suspended. */
const waiting = ({ facts, last }: Question): string =>
  facts.schedule.text !== undefined
    ? "no scheduled backup starts"
    : last.lastBackupId === undefined
      ? "the one-time backup does not start"
      : "no backup starts"

const scheduled = (
  question: Question,
  { intervalSeconds, nextMillis }: Extract<Facts["state"], { readonly _tag: "Scheduled" }>,
  {
    failed,
    obstacle
  }: {
    readonly obstacle: ReadyCheck.Obstacle | undefined
    /** The newest run, where it failed and a check has passed since. */
    readonly failed: HistoryEntry | undefined
  },
  notReady: (reason: ReasonOf<"Ready">, ...sentences: ReadonlyArray<string>) => Answer<"Ready">,
  withLastSuccess: (...sentences: ReadonlyArray<string>) => string
): Answer<"Ready"> => {
  const next = [...queued(question.facts), `Next backup scheduled for ${Format.time(nextMillis)}`]
  if (isOverdue(question, intervalSeconds)) {
    return notReady("BackupOverdue", "No backup has succeeded for more than two intervals of the schedule", ...next)
  }
  if (obstacle?._tag === "Unproven") {
    return { status: "Unknown", reason: obstacle.reason, message: withLastSuccess(...obstacle.sentences, ...next) }
  }
  if (failed !== undefined) return cured(question, failed, ...next)
  return { status: "True", reason: "BackupScheduled", message: withLastSuccess(...next) }
}

const outlookOf = (state: Facts["state"]): ReadonlyArray<string> =>
  state?._tag === "Scheduled" ? [`Next backup scheduled for ${Format.time(state.nextMillis)}`] : []

const once = ({ facts, last, ...rest }: Question): Answer<"Ready"> => {
  if (last.lastBackupId !== undefined) {
    const message = [...queued(facts), lastSuccess({ facts, last, ...rest })].map(Format.sentence).join(" ")
    return { status: "True", reason: "BackupCompleted", message }
  }
  const message =
    facts.queue !== undefined
      ? queued(facts).map(Format.sentence).join(" ")
      : facts.active !== undefined
        ? `The first backup, ${facts.active.backupId}, is running.`
        : "The first backup has not ended yet."
  return { status: "Unknown", reason: "AwaitingFirstBackup", message }
}

const isOverdue = ({ facts, isUnlisted, last, nowMillis }: Question, intervalSeconds: number | undefined): boolean => {
  const succeeded = succeededTime(last)
  if (isUnlisted && last.lastBackupId === undefined) return false
  return Overdue.isOverdue({
    schedule: facts.schedule,
    intervalSeconds,
    succeededMillis: succeeded === undefined ? undefined : Format.millis(succeeded),
    sinceMillis: facts.memory.sinceMillis,
    nowMillis
  })
}

const maxProblemBytes = 4096

const problems = (found: ReadonlyArray<Problem.Problem>): string =>
  Format.cut(found.map(Problem.format).join("; "), maxProblemBytes)

const failure = ({ backupId, message, outcome, reason }: HistoryEntry): ReadonlyArray<string> => {
  const what = `${backupId ?? "The newest run"} ${outcome === "failed" ? "failed" : "was interrupted"}`
  return [message === undefined ? (reason === undefined ? what : `${what} (${reason})`) : `${what}: ${message}`]
}

const byHand = `To try again, set annotation ${triggerAnnotation} to a new value`

/** What becomes of a run whose container does not start. */
const outlook = ({ active, state }: Facts): ReadonlyArray<string> => {
  if (active?.waiting === undefined) return []
  const { failsAtMillis, isReplaceable } = active.waiting
  const next = state?._tag === "Scheduled" ? [`The next slot is at ${Format.time(state.nextMillis)}`] : []
  return [
    ...(isReplaceable ? ["A correction of the spec takes effect at once, for this run too"] : []),
    ...(failsAtMillis === undefined
      ? ["The run waits until its container starts"]
      : [`If its container does not start, the run fails at ${Format.time(failsAtMillis)}`, ...next])
  ]
}

/** Where a run is in the queue, and what it waits for. */
const queued = ({ queue }: Pick<Facts, "queue">): ReadonlyArray<string> =>
  queue === undefined ? [] : QueueText.sentences("run", queue)

/** When a failed backup is tried again. */
const again = ({ active, state, queue }: Facts): string => {
  if (queue !== undefined) return queued({ queue }).map(Format.sentence).join(" ")
  if (active !== undefined) return `${active.backupId} is running`
  switch (state?._tag) {
    case "Scheduled":
      return `The next scheduled run is at ${Format.time(state.nextMillis)}`
    case "Suspended":
      return `Suspended, so it is not tried again automatically. ${byHand}`
    default:
      return `It is not tried again automatically. ${byHand}`
  }
}

/** The last success in words; nothing in it changes while it stays the last. */
const lastSuccess = ({ damage, isUnlisted, last }: Question): string => {
  const { lastBackupId, lastBackupRecords, lastBackupSize } = last
  const succeeded = succeededTime(last)
  if (lastBackupId === undefined) {
    return isUnlisted
      ? "Whether a backup has succeeded is unknown until storage is listed."
      : "No backup has succeeded yet."
  }
  const held =
    lastBackupRecords === undefined || lastBackupSize === undefined
      ? ""
      : ` with ${Format.count(lastBackupRecords)} records in ${Format.bytes(lastBackupSize)}`
  const since =
    damage !== undefined && DamageFields.isDamaged(damage, lastBackupId)
      ? ` It has been damaged since. ${DamageFields.toRestoreFrom(damage)}: SetsIntact has the details.`
      : ""
  return `Last success: ${lastBackupId}${succeeded === undefined ? "" : ` at ${succeeded}`}${held}.${since}`
}
