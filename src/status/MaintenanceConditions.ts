import type { LockedSummary } from "../outcome/RunSummary.ts"
import { acceptLossAnnotation } from "../resource/KafkaBackup.ts"
import type { EndedMaintenance, Facts } from "./Facts.ts"
import * as Format from "./Format.ts"
import * as LockedFields from "./LockedFields.ts"
import type * as Ready from "./Ready.ts"
import * as Reasons from "./Reasons.ts"
import type { Condition } from "./Status.ts"

/* The conditions that maintenance Jobs answer, or the retention at the end of a run. */

type Answer<Type extends Reasons.ConditionType> = Ready.Answer<Type>

const last = (
  maintenance: ReadonlyArray<EndedMaintenance>,
  task: EndedMaintenance["task"]
): EndedMaintenance | undefined => maintenance.findLast((ended) => ended.task === task)

/** The previous answer to a question that only a maintenance Job answers. */
export const kept = <Type extends Reasons.ConditionType>(
  previous: ReadonlyArray<Condition>,
  type: Type
): Answer<Type> | undefined => {
  const before = previous.find((condition) => condition.type === type)
  return before === undefined || !Reasons.isOf(before.reason, type)
    ? undefined
    : { status: before.status, reason: before.reason, message: before.message }
}

const when = (millis: number | undefined): string => (millis === undefined ? "" : ` at ${Format.time(millis)}`)

/** A prune ended, or a run whose retention held something back. */
export const isAppliedNow = ({ ended, maintenance }: Facts): boolean =>
  last(maintenance, "prune") !== undefined ||
  ended.findLast(({ outcome }) => outcome === "success")?.heldBack !== undefined

const unlisted = {
  StatusLost:
    "The status was empty although the resource is not new. The operator lists storage to find the backups of this resource.",
  ListingDue:
    "A Job was deleted before its end was observed. The operator lists storage to find out whether its backup is complete."
} as const

/** Whether storage was listed; absent until it was or has to be. */
export const storageListed = (
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

/** Whether old backups were removed; absent until they were to be. */
export const retentionApplied = (
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
  if (run?.locked !== undefined)
    return awaiting(run.locked, `Retention was applied at the end of ${run.backupId}${when(run.endMillis)}.`)
  if (before === undefined || flipped === undefined) return before
  if (before.status !== "False" && before.reason !== "BackupsLocked") return before
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

/** That the store keeps something for now is no failure. */
const awaiting = (locked: LockedSummary, done: string): Answer<"RetentionApplied"> => ({
  status: "True",
  reason: "BackupsLocked",
  message: `${done} ${LockedFields.text(LockedFields.of(locked))}.`
})

const heldBack = (what: string, when: string, newest: string): Answer<"RetentionApplied"> => ({
  status: "False",
  reason: "RetentionHeldBack",
  message: `Retention ${when} kept more backups than spec.retention says, because newer backups lost what they hold: ${what}. If the loss is intended, set annotation ${acceptLossAnnotation} to ${newest}. For topics that are removed regularly, set it to topic:PATTERN.`
})

const pruned = (prune: EndedMaintenance): Answer<"RetentionApplied"> => {
  const { endMillis, heldBack: held, isSuccess, jobName, locked, removed, trouble } = prune
  if (!isSuccess) {
    const failed = `Job ${jobName} could not remove old backups${when(endMillis)}: ${trouble?.message ?? "no reason was reported"}`
    return {
      status: "False",
      reason: "PruneFailed",
      message: `${Format.sentence(failed)} The operator tries again about an hour later.`
    }
  }
  if (held !== undefined) return heldBack(held, `by Job ${jobName}${when(endMillis)}`, "the id of the newest backup")
  const count =
    removed === undefined ? "the old backups" : removed === 1 ? "1 old backup" : `${Format.count(removed)} old backups`
  const message = `Job ${jobName} removed ${count}${when(endMillis)}.`
  return locked === undefined ? { status: "True", reason: "RetentionApplied", message } : awaiting(locked, message)
}

/** Whether the backups of a resource that is being deleted are removed; absent unless it is. */
export const cleanedUp = ({ maintenance, deletion }: Facts): Answer<"CleanedUp"> | undefined => {
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
