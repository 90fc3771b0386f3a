import { Result } from "effect"
import * as Slots from "../schedule/Slots.ts"
import * as Evidence from "./Evidence.ts"
import type { EndedMaintenance, Facts } from "./Facts.ts"
import * as History from "./History.ts"
import { acceptLossAnnotation } from "../resource/KafkaBackup.ts"
import * as StorageSpec from "../resource/StorageSpec.ts"
import * as Problem from "../resource/Problem.ts"
import * as Pause from "./Pause.ts"
import * as Ready from "./Ready.ts"
import * as Reasons from "./Reasons.ts"
import type { ActiveRun, Condition, HistoryEntry } from "./Status.ts"
import * as Format from "./Format.ts"

type Answer<Type extends Reasons.ConditionType> = Ready.Answer<Type>

/** Most bytes of a condition's message. */
export const maxMessageBytes = 8192

/**
 * Answers all questions, in the order of `Reasons.types`. `lastTransitionTime` moves only when the status of a
 * condition flips.
 */
export const next = (
  previous: ReadonlyArray<Condition>,
  asked: Omit<Ready.Question, "isUnlisted">
): ReadonlyArray<Condition> => {
  const { facts, nowMillis } = asked
  const listed = storageListed(facts, previous)
  const question: Ready.Question = { ...asked, isUnlisted: listed !== undefined && listed.status !== "True" }
  const answers: { readonly [Type in Reasons.ConditionType]: Answer<Type> | undefined } = {
    Ready: Ready.answer(question),
    Progressing: progressing(question),
    ScheduleValid: scheduleValid(facts),
    KafkaReachable: kafkaReachable(question),
    StorageReachable: storageReachable(question),
    Verified: verified(question.history),
    Warnings: warnings(facts, question.history),
    StorageListed: listed,
    RetentionApplied: retentionApplied(facts, previous),
    CleanedUp: cleanedUp(facts)
  }
  return Object.entries(answers).flatMap(([type, answer]) => {
    if (answer === undefined) return []
    const before = previous.find((condition) => condition.type === type)
    return [
      {
        type,
        status: answer.status,
        reason: answer.reason,
        message: Format.cut(Format.line(answer.message), maxMessageBytes),
        lastTransitionTime:
          before !== undefined && before.status === answer.status ? before.lastTransitionTime : Format.time(nowMillis),
        // Which spec retention was applied for: an edit while a run was active asks for another prune.
        observedGeneration:
          type === "RetentionApplied" && !isAppliedNow(facts)
            ? Math.min(before?.observedGeneration ?? facts.generation, facts.generation)
            : facts.generation
      }
    ]
  })
}

/** A prune ended, or a run whose retention held something back. */
const isAppliedNow = ({ ended, maintenance }: Facts): boolean =>
  last(maintenance, "prune") !== undefined ||
  ended.findLast(({ outcome }) => outcome === "success")?.heldBack !== undefined

const progressing = ({ facts: { active, queue }, run }: Ready.Question): Answer<"Progressing"> => {
  const pause = Pause.of(run)
  if (active?.isReplacing === true && queue === undefined) {
    const message = `${active.backupId} has not started yet. Its Job ${active.jobName} is being made again, because the spec or the operator's configuration changed.`
    return { status: "True", reason: "ReplacingJob", message }
  }
  if (active?.trouble !== undefined) {
    return { status: "True", reason: "PodTrouble", message: `${active.trouble.reason}: ${active.trouble.message}` }
  }
  if (active !== undefined && queue === undefined) {
    const message = `${active.backupId} has been running since ${Format.time(active.startMillis)}, in Job ${active.jobName}.`
    return pause === undefined
      ? { status: "True", reason: "BackupRunning", message }
      : { status: "True", reason: "BackupPaused", message: `${message} It is paused: ${Pause.text(pause)}.` }
  }
  // Not how many: each end of a run would rewrite the status of all that wait.
  return queue === undefined
    ? { status: "False", reason: "NoRunActive", message: "No run is active." }
    : {
        status: "False",
        reason: "Queued",
        message: "A run is due. It waits until the operator runs fewer backups at the same time."
      }
}

const scheduleValid = ({ state, problems, schedule }: Facts): Answer<"ScheduleValid"> => {
  const { text, timeZone } = schedule
  const invalid = (found: ReadonlyArray<Problem.Problem>): Answer<"ScheduleValid"> => ({
    status: "False",
    reason: "InvalidSchedule",
    message: found.map(Problem.format).join("; ")
  })
  const own = problems.filter(({ field }) => field === "spec.schedule" || field === "spec.timeZone")
  if (own.length > 0) return invalid(own)
  if (state?._tag === "Unusable") return invalid(state.problems)
  if (text === undefined) {
    return problems.length > 0
      ? { status: "Unknown", reason: "InvalidSpec", message: "Other fields of the spec are invalid." }
      : { status: "True", reason: "NoSchedule", message: "There is no schedule: one backup is made." }
  }
  const slots = Slots.of({ schedule: text, timeZone })
  return Result.isFailure(slots)
    ? invalid(slots.failure)
    : { status: "True", reason: "ScheduleValid", message: `"${text}" in ${timeZone ?? "UTC"}.` }
}

const notYetTried = {
  status: "Unknown",
  reason: "NotYetTried",
  message: "Not checked yet: no run has got that far."
} as const

const kafkaReachable = ({ facts, history, run }: Ready.Question): Answer<"KafkaReachable"> => {
  const pause = Pause.of(run)
  if (pause?.side === "kafka") return away("BrokerUnreachable", pause)
  if (run.activeRun !== undefined && (run.progress?.records ?? 0) > 0) return reachedNow(run.activeRun)
  const after = lastAttempt(facts, "kafka")
  if (after !== undefined) {
    return { ...after, reason: Reasons.isOf(after.reason, "KafkaReachable") ? after.reason : "BrokerUnreachable" }
  }
  const found = Evidence.newest(history, "kafka")
  if (found === undefined) return notYetTried
  if (found.isGood) return reached(found)
  const { reason = "" } = found.entry
  return failed(Reasons.isOf(reason, "KafkaReachable") ? reason : "BrokerUnreachable", found)
}

const storageReachable = ({ facts, history, run }: Ready.Question): Answer<"StorageReachable"> => {
  const pause = Pause.of(run)
  if (pause?.side === "storage") return away("StoreUnavailable", pause)
  if (run.activeRun !== undefined && (run.progress?.bytes ?? 0) > 0) return reachedNow(run.activeRun)
  const after = lastAttempt(facts, "storage")
  if (after !== undefined) {
    return { ...after, reason: Reasons.isOf(after.reason, "StorageReachable") ? after.reason : "StoreUnavailable" }
  }
  const found = Evidence.newest(history, "storage")
  if (found === undefined) return notYetTried
  if (found.isGood) return reached(found)
  const { reason = "" } = found.entry
  return failed(Reasons.isOf(reason, "StorageReachable") ? reason : "StoreUnavailable", found)
}

const away = <Reason extends Reasons.ReasonName>(reason: Reason, pause: Pause.Pause) =>
  ({ status: "False", reason, message: `${Pause.text(pause)}; ${pause.backupId} waits for it.` }) as const

/** Without a time: it is true now, and the message must not change with every progress. */
const reachedNow = ({ backupId }: ActiveRun) =>
  ({ status: "True", reason: "Reached", message: `Reached by ${backupId}, which is running.` }) as const

/** What the last attempt of the active run failed to reach, while another attempt has not shown otherwise. */
const lastAttempt = ({ active }: Facts, side: "kafka" | "storage") => {
  const { after, message } = active?.trouble ?? {}
  if (active === undefined || after === undefined || !Evidence.isFailed(after, side)) return undefined
  const started = `${active.backupId}, which has been running since ${Format.time(active.startMillis)}`
  return { status: "False", reason: after, message: `${started}, is tried again: ${message}` } as const
}

const reached = ({ entry }: Evidence.Evidence) =>
  ({
    status: "True",
    reason: "Reached",
    message: `Last reached at ${endOf(entry)} by ${entry.backupId ?? "the newest run"}.`
  }) as const

const failed = <Reason extends Reasons.ReasonName>(reason: Reason, { entry }: Evidence.Evidence) =>
  ({
    status: "False",
    reason,
    message: `${entry.backupId ?? "The newest run"} ended at ${endOf(entry)}: ${entry.message ?? entry.reason ?? ""}`
  }) as const

const endOf = ({ completionTime, startTime }: HistoryEntry): string => completionTime ?? startTime

const verified = (history: History.History): Answer<"Verified"> => {
  const found = Evidence.newest(history, "verified")
  if (found === undefined) return notYetTried
  const { entry, isGood } = found
  const { backupId = "The newest run", reason = "", records, size } = entry
  if (!isGood) return failed(Reasons.isOf(reason, "Verified") ? reason : "NotProven", found)
  const held =
    records === undefined || size === undefined ? "" : `: ${Format.count(records)} records in ${Format.bytes(size)}`
  return {
    status: "True",
    reason: "BackupVerified",
    message: `${backupId} was verified in storage at ${endOf(entry)}${held}.`
  }
}

const warnings = ({ ignoredStorageBlocks, refusedTrigger }: Facts, history: History.History): Answer<"Warnings"> => {
  const last = History.lastSuccess(history)
  // The spec says that blocks are ignored, and the report of each backup says it, too.
  const notes = last?.message
    ?.split("; ")
    .filter((note) => !note.startsWith(StorageSpec.ignoredText(ignoredStorageBlocks)))
  const found: ReadonlyArray<readonly [Reasons.ReasonOf<"Warnings">, string]> = [
    ...(refusedTrigger === undefined ? [] : [["TriggerRefused", refusedTrigger] as const]),
    ...(last === undefined || notes === undefined || notes.length === 0
      ? []
      : [["BackupNotes", `${last.backupId}: ${notes.join("; ")}`] as const]),
    ...(ignoredStorageBlocks.length === 0
      ? []
      : [
          [
            "StorageBlockIgnored",
            `ignored because storageType selects another block: ${ignoredStorageBlocks.map((block) => `spec.storage.${block}`).join(", ")}`
          ] as const
        ])
  ]
  const [first] = found
  return first === undefined
    ? { status: "False", reason: "NoWarnings", message: "No warnings." }
    : { status: "True", reason: first[0], message: found.map(([, text]) => text).join("; ") }
}

const last = (
  maintenance: ReadonlyArray<EndedMaintenance>,
  task: EndedMaintenance["task"]
): EndedMaintenance | undefined => maintenance.findLast((ended) => ended.task === task)

/** The previous answer to a question that only a maintenance Job answers. */
const kept = <Type extends Reasons.ConditionType>(
  previous: ReadonlyArray<Condition>,
  type: Type
): Answer<Type> | undefined => {
  const before = previous.find((condition) => condition.type === type)
  return before === undefined || !Reasons.isOf(before.reason, type)
    ? undefined
    : { status: before.status, reason: before.reason, message: before.message }
}

const when = (millis: number | undefined): string => (millis === undefined ? "" : ` at ${Format.time(millis)}`)

const unlisted = {
  StatusLost:
    "The status was empty although the resource is not new. The operator lists storage to find the backups of this resource.",
  ListingDue:
    "A Job was deleted before its end was observed. The operator lists storage to find out whether its backup is complete."
} as const

const storageListed = (
  { catalogue, listedMillis, listing, maintenance }: Facts,
  previous: ReadonlyArray<Condition>
): Answer<"StorageListed"> | undefined => {
  if (catalogue !== undefined) {
    const { total } = catalogue
    const message = `Storage holds ${Format.count(total)} verified ${total === 1 ? "backup" : "backups"} of this resource${listedMillis === undefined ? "" : `, as listed at ${Format.time(listedMillis)}`}.`
    return { status: "True", reason: "Listed", message }
  }
  const list = last(maintenance, "catalogue")
  if (list === undefined || list.isSuccess) {
    return listing === undefined
      ? kept(previous, "StorageListed")
      : { status: "Unknown", reason: listing, message: unlisted[listing] }
  }
  const message = `Job ${list.jobName} could not list storage${when(list.endMillis)}: ${list.trouble?.message ?? "no reason was reported"}`
  return { status: "False", reason: "ListingFailed", message }
}

const retentionApplied = (
  { maintenance, ended }: Facts,
  previous: ReadonlyArray<Condition>
): Answer<"RetentionApplied"> | undefined => {
  const prune = last(maintenance, "prune")
  if (prune !== undefined) return pruned(prune)
  const before = kept(previous, "RetentionApplied")
  const run = ended.findLast(({ outcome }) => outcome === "success")
  if (run?.heldBack !== undefined)
    return heldBack(run.heldBack, `at the end of ${run.backupId}${when(run.endMillis)}`, run.backupId)
  const flipped = previous.find(({ type }) => type === "RetentionApplied")?.lastTransitionTime
  if (before?.status !== "False" || flipped === undefined) return before
  // A run prunes too, at its end.
  const cure = ended.findLast(({ endMillis, outcome }) => outcome === "success" && endMillis > Format.millis(flipped))
  return cure === undefined
    ? before
    : {
        status: "True",
        reason: "RetentionApplied",
        message: `Retention was applied at the end of ${cure.backupId}${when(cure.endMillis)}.`
      }
}

const heldBack = (what: string, when: string, newest: string): Answer<"RetentionApplied"> => ({
  status: "False",
  reason: "RetentionHeldBack",
  message: `Retention ${when} kept more backups than spec.retention.backups, because newer backups lost what they hold: ${what}. If the loss is intended, set annotation ${acceptLossAnnotation} to ${newest}. For topics that are removed regularly, set it to topic:PATTERN.`
})

const pruned = ({
  endMillis,
  heldBack: held,
  isSuccess,
  jobName,
  removed,
  trouble
}: EndedMaintenance): Answer<"RetentionApplied"> =>
  isSuccess && held !== undefined
    ? heldBack(held, `by Job ${jobName}${when(endMillis)}`, "the id of the newest backup")
    : isSuccess
      ? {
          status: "True",
          reason: "RetentionApplied",
          message: `Job ${jobName} removed ${removed === undefined ? "the old backups" : removed === 1 ? "1 old backup" : `${Format.count(removed)} old backups`}${when(endMillis)}.`
        }
      : {
          status: "False",
          reason: "PruneFailed",
          message: `${Format.sentence(`Job ${jobName} could not remove old backups${when(endMillis)}: ${trouble?.message ?? "no reason was reported"}`)} The operator tries again about an hour later.`
        }

const cleanedUp = ({ maintenance, deletion }: Facts): Answer<"CleanedUp"> | undefined => {
  const cleanup = last(maintenance, "cleanup")
  if (cleanup?.isSuccess === true) {
    return {
      status: "True",
      reason: "CleanedUp",
      message: `Job ${cleanup.jobName} removed this resource's backups.`
    }
  }
  if (deletion === undefined) return undefined
  const { message, reason } = deletion
  // The message of a clean-up that was given up ends with a command.
  const isCommand = reason === "CleanupGivenUp"
  return {
    status: reason === "CleanedUp" ? "True" : "False",
    // Any other reason is one of the clean-up Job's own.
    reason: Reasons.isOf(reason, "CleanedUp") ? reason : "CleanupTrouble",
    message: isCommand ? message : Format.sentence(message)
  }
}
