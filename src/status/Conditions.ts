import { Result } from "effect"
import * as Slots from "../schedule/Slots.ts"
import * as Evidence from "./Evidence.ts"
import type { EndedMaintenance, Facts } from "./Facts.ts"
import * as History from "./History.ts"
import * as Problem from "../resource/Problem.ts"
import * as Ready from "./Ready.ts"
import * as Reasons from "./Reasons.ts"
import type { Condition } from "./Status.ts"
import * as Format from "./Format.ts"

type Answer = Ready.Answer

/** Most bytes of a condition's message. */
export const maxMessageBytes = 8192

/**
 * Answers all questions, in the order of `Reasons.types`. `lastTransitionTime` moves only when the status of a condition flips.
 */
export const next = (previous: ReadonlyArray<Condition>, question: Ready.Question): ReadonlyArray<Condition> => {
  const { facts, nowMillis } = question
  const answers: Readonly<Record<Reasons.ConditionType, Answer | undefined>> = {
    Ready: Ready.answer(question),
    Progressing: progressing(facts),
    ScheduleValid: scheduleValid(facts),
    KafkaReachable: reachable(question, "kafka", "KafkaReachable", "BrokerUnreachable"),
    StorageReachable: reachable(question, "storage", "StorageReachable", "StoreUnavailable"),
    Verified: verified(question.history),
    Warnings: warnings(facts, question.history),
    StorageListed: storageListed(facts, previous),
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
        observedGeneration: facts.generation
      }
    ]
  })
}

const progressing = ({ active, queue }: Facts): Answer => {
  if (active?.trouble !== undefined) {
    return { status: "True", reason: "PodTrouble", message: `${active.trouble.reason}: ${active.trouble.message}` }
  }
  if (active !== undefined) {
    const message = `${active.backupId} is running since ${Format.time(active.startMillis)}, in Job ${active.jobName}.`
    return { status: "True", reason: "BackupRunning", message }
  }
  // Not how many: each end of a run would rewrite the status of all that wait.
  return queue === undefined
    ? { status: "False", reason: "NoRunActive", message: "No run is active." }
    : { status: "False", reason: "Queued", message: "A run is due and waits for its turn among all resources." }
}

const scheduleValid = ({ state, problems, schedule }: Facts): Answer => {
  const { text, timeZone } = schedule
  const invalid = (found: ReadonlyArray<Problem.Problem>): Answer => ({
    status: "False",
    reason: "InvalidSchedule",
    message: found.map(Problem.format).join("; ")
  })
  const own = problems.filter(({ field }) => field === "spec.schedule" || field === "spec.timeZone")
  if (own.length > 0) return invalid(own)
  if (state?._tag === "Unusable") return invalid(state.problems)
  if (text === undefined) {
    return problems.length > 0
      ? { status: "Unknown", reason: "InvalidSpec", message: "The spec has mistakes elsewhere." }
      : { status: "True", reason: "NoSchedule", message: "There is no schedule: one backup is made." }
  }
  const slots = Slots.of({ schedule: text, ...(timeZone === undefined ? {} : { timeZone }) })
  return Result.isFailure(slots)
    ? invalid(slots.failure)
    : { status: "True", reason: "ScheduleValid", message: `"${text}" in ${timeZone ?? "UTC"}.` }
}

const notYetTried: Answer = { status: "Unknown", reason: "NotYetTried", message: "No run has come so far yet." }

const reachable = (
  { history }: Ready.Question,
  question: "kafka" | "storage",
  type: Reasons.ConditionType,
  otherwise: Reasons.ReasonName
): Answer => {
  const found = Evidence.newest(history, question)
  if (found === undefined) return notYetTried
  const { entry, isGood } = found
  const when = entry.completionTime ?? entry.startTime
  if (isGood)
    return {
      status: "True",
      reason: "Reached",
      message: `${entry.backupId ?? "The newest run"} reached it until ${when}.`
    }
  const { reason = "" } = entry
  return {
    status: "False",
    reason: Reasons.isOf(reason, type) ? reason : otherwise,
    message: `${entry.backupId ?? "The newest run"}, ended ${when}: ${entry.message ?? reason}`
  }
}

const verified = (history: History.History): Answer => {
  const found = Evidence.newest(history, "verified")
  if (found === undefined) return notYetTried
  const { entry, isGood } = found
  const { backupId = "The newest run", completionTime, reason = "", records, size } = entry
  const when = completionTime ?? entry.startTime
  if (!isGood) {
    return {
      status: "False",
      reason: Reasons.isOf(reason, "Verified") ? reason : "NotProven",
      message: `${backupId}, ended ${when}: ${entry.message ?? reason}`
    }
  }
  const what =
    records === undefined || size === undefined
      ? "all that it names was"
      : `${Format.count(records)} records in ${Format.bytes(size)} were`
  return { status: "True", reason: "BackupVerified", message: `${backupId}: ${what} found as stored at ${when}.` }
}

const warnings = ({ ignoredStorageBlocks, refusedTrigger }: Facts, history: History.History): Answer => {
  const last = History.lastSuccess(history)
  const found: ReadonlyArray<readonly [Reasons.ReasonName, string]> = [
    ...(refusedTrigger === undefined ? [] : [["TriggerRefused", refusedTrigger] as const]),
    ...(last?.message === undefined ? [] : [["BackupNotes", `${last.backupId}: ${last.message}`] as const]),
    ...(ignoredStorageBlocks.length === 0
      ? []
      : [
          [
            "StorageBlockIgnored",
            `not used, because storageType names another block: ${ignoredStorageBlocks.map((block) => `spec.storage.${block}`).join(", ")}`
          ] as const
        ])
  ]
  const [first] = found
  return first === undefined
    ? { status: "False", reason: "NoWarnings", message: "Nothing to know." }
    : { status: "True", reason: first[0], message: found.map(([, text]) => text).join("; ") }
}

const last = (
  maintenance: ReadonlyArray<EndedMaintenance>,
  task: EndedMaintenance["task"]
): EndedMaintenance | undefined => maintenance.findLast((ended) => ended.task === task)

/** What was said before, of a question that only a chore answers. */
const kept = (previous: ReadonlyArray<Condition>, type: Reasons.ConditionType): Answer | undefined => {
  const before = previous.find((condition) => condition.type === type)
  return before === undefined || !Reasons.isOf(before.reason, type)
    ? undefined
    : { status: before.status, reason: before.reason, message: before.message }
}

const storageListed = ({ catalogue, maintenance }: Facts, previous: ReadonlyArray<Condition>): Answer | undefined => {
  if (catalogue !== undefined) {
    const { total } = catalogue
    const message = `Storage holds ${Format.count(total)} verified ${total === 1 ? "backup" : "backups"} of this resource.`
    return { status: "True", reason: "Listed", message }
  }
  const list = last(maintenance, "catalogue")
  if (list === undefined || list.isSuccess) return kept(previous, "StorageListed")
  const message = `Job ${list.jobName} could not list storage: ${list.trouble?.message ?? "it left no word why"}`
  return { status: "False", reason: "ListingFailed", message }
}

const retentionApplied = ({ maintenance, ended }: Facts, previous: ReadonlyArray<Condition>): Answer | undefined => {
  const prune = last(maintenance, "prune")
  if (prune !== undefined) return pruned(prune)
  const before = kept(previous, "RetentionApplied")
  const flipped = previous.find(({ type }) => type === "RetentionApplied")?.lastTransitionTime
  if (before?.status !== "False" || flipped === undefined) return before
  // A run prunes too, at its end.
  const cure = ended.findLast(({ endMillis, outcome }) => outcome === "success" && endMillis > Format.millis(flipped))
  return cure === undefined
    ? before
    : { status: "True", reason: "RetentionApplied", message: `Applied at the end of ${cure.backupId}.` }
}

const pruned = ({ isSuccess, jobName, removed, trouble }: EndedMaintenance): Answer =>
  isSuccess
    ? {
        status: "True",
        reason: "RetentionApplied",
        message: `${removed === undefined ? "Old backups" : removed === 1 ? "1 backup" : `${Format.count(removed)} backups`} beyond retention ${removed === 1 ? "was" : "were"} removed by Job ${jobName}.`
      }
    : {
        status: "False",
        reason: "PruneFailed",
        message: `Job ${jobName} could not remove old backups: ${trouble?.message ?? "it left no word why"}`
      }

const cleanedUp = ({ maintenance, deletion }: Facts): Answer | undefined => {
  const cleanup = last(maintenance, "cleanup")
  if (cleanup?.isSuccess === true) {
    return {
      status: "True",
      reason: "CleanedUp",
      message: `This resource's backups were removed by Job ${cleanup.jobName}.`
    }
  }
  if (deletion === undefined) return undefined
  const { message, reason } = deletion
  return {
    status: reason === "CleanedUp" ? "True" : "False",
    // Anything else is what keeps the clean-up Job from getting on.
    reason: Reasons.isOf(reason, "CleanedUp") ? reason : "CleanupTrouble",
    message
  }
}
