import { isStrimziReason } from "../../outcome/StrimziReasons.ts"
import { retryAnnotation } from "../../resource/KafkaRestore.ts"
import * as Problem from "../../resource/Problem.ts"
import * as ConditionEntry from "../ConditionEntry.ts"
import * as Format from "../Format.ts"
import type { Condition } from "../Status.ts"
import { isCompleted, isEditTooLate } from "./Completed.ts"
import * as GroupFields from "./GroupFields.ts"
import * as HoldFields from "./HoldFields.ts"
import type { EndedRestore, RestoreFacts, RestoreStatus } from "./RestoreFacts.ts"
import { isObjection, type RestoreConditionType, type RestoreReasonOf } from "./RestoreReasons.ts"

/** An answer to the question of a condition. */
export interface Answer<Type extends RestoreConditionType> {
  readonly status: "True" | "False" | "Unknown"
  readonly reason: RestoreReasonOf<Type>
  readonly message: string
}

/** Most topics that a message names. */
const maxNamed = 20

/** What decides about the conditions. `status` is the next status without them. */
export interface Question {
  readonly facts: RestoreFacts
  readonly previous: RestoreStatus
  readonly status: RestoreStatus
  readonly nowMillis: number
}

/**
 * Answers all questions, in the order of `restoreTypes`. An answer that no fact of this reconcile gives stays as it is.
 * `lastTransitionTime` moves only when the status of a condition flips.
 */
export const next = (question: Question): ReadonlyArray<Condition> => {
  const { facts, nowMillis, previous } = question
  const answers: { readonly [Type in RestoreConditionType]: Answer<Type> | undefined } = {
    Ready: ready(question),
    Preflight: preflight(question),
    Verified: verified(question),
    OffsetsExact: offsetsExact(question),
    RetentionHeld: HoldFields.answer(facts, question.status),
    GroupsReset: GroupFields.answer(facts.ended?.summary, facts.groupStep, question.status)
  }
  return Object.entries(answers).flatMap(([type, answer]) => {
    const before = previous.conditions?.find((condition) => condition.type === type)
    if (answer === undefined) return before === undefined ? [] : [before]
    return [ConditionEntry.of(type, answer, before, facts.generation, nowMillis)]
  })
}

const topics = (n: number): string => (n === 1 ? "1 topic" : `${Format.count(n)} topics`)
const records = (n: number): string => (n === 1 ? "1 record" : `${Format.count(n)} records`)

const ready = ({ facts, previous, status }: Question): Answer<"Ready"> | undefined => {
  const { active, ended, missingBackup, problems, refusal, usedBefore } = facts
  const no = (reason: RestoreReasonOf<"Ready">, message: string): Answer<"Ready"> => ({
    status: "False",
    reason,
    message
  })
  if (active !== undefined) {
    const { earlierGeneration: earlier, hasStarted, jobName, progress, trouble } = active
    const where =
      earlier === undefined
        ? `in Job ${jobName}`
        : `in Job ${jobName}, which has generation ${earlier} of the spec, from before the last edit`
    if (trouble !== undefined) return no("PodTrouble", `${trouble.reason}: ${Format.sentence(trouble.message)}`)
    if (!hasStarted) return no("RestorePending", `Job ${jobName} starts its pod.`)
    return status.startedWriting !== undefined && (progress === undefined || progress.step === "writing")
      ? no("Restoring", `Records are being written, read back and compared, ${where}.`)
      : no("PreflightRunning", `The backup and the target cluster are being checked, ${where}.`)
  }
  if (ended !== undefined) return end(facts, ended, status)
  // Whatever another version finds in its spec: nothing is left to be done.
  if (isCompleted(previous) || isEditTooLate(previous)) return undefined
  if (problems.length > 0) return no("InvalidSpec", problems.map(Problem.format).join("; "))
  if (missingBackup !== undefined) {
    return no("BackupMissing", `${Format.sentence(missingBackup)} The restore starts once it can be used.`)
  }
  if (refusal !== undefined) {
    const name = isStrimziReason(refusal.reason) ? "StrimziUnresolved" : "JobRefused"
    return no(name, `${refusal.reason}: ${Format.sentence(refusal.message)}`)
  }
  if (usedBefore !== undefined && status.phase === "Failed") {
    const why = `annotation ${retryAnnotation} has a value that was used before, or was removed, and Job ${usedBefore} has run for that value.`
    const last = status.message === undefined ? "" : ` The last attempt failed: ${Format.sentence(status.message)}`
    return no("RestoreFailed", `Nothing is started: ${why} To try again, set it to a value that is new.${last}`)
  }
  return status.phase === "Pending" ? no("RestorePending", "The restore starts in a moment.") : undefined
}

const end = (
  { backupId, deletesCreated }: RestoreFacts,
  ended: EndedRestore,
  status: RestoreStatus
): Answer<"Ready"> => {
  const { isDryRun, message, notes, outcome, reason, summary } = ended
  if (outcome === "success") {
    if (ended.earlierGeneration !== undefined) {
      const checked = `Job ${ended.jobName} checked generation ${ended.earlierGeneration} of the spec, from before the last edit.`
      return { status: "False", reason: "RestorePending", message: `${checked} The next Job starts in a moment.` }
    }
    const { exact = 0, renumbered = 0, records: planned = 0 } = summary?.plan ?? {}
    // The operator ends the hold: condition RetentionHeld says when.
    const told = notes.filter((note) => !note.includes("--end-hold")).map((note) => `Note: ${Format.sentence(note)}`)
    const size = `${records(ended.records ?? planned)} in ${topics(exact + renumbered)}`
    return isDryRun
      ? {
          status: "True",
          reason: "DryRunPassed",
          message: [
            `Backup ${backupId} can be restored: ${size}. Nothing was written. Set spec.dryRun to false to start the restore.`,
            ...told
          ].join(" ")
        }
      : {
          status: "True",
          reason: "RestoreCompleted",
          message: [`Backup ${backupId} is restored: ${size}. Every record was read back and compared.`, ...told].join(
            " "
          )
        }
  }
  if (reason === "EditTooLate") return { status: "False", reason, message: Format.sentence(message ?? "") }
  const why = Format.sentence(`${reason ?? "JobFailed"}: ${message ?? "no reason was reported"}`)
  return {
    status: "False",
    reason: "RestoreFailed",
    message: why.includes(retryAnnotation) ? why : `${why} ${remedy(ended, status, deletesCreated === true)}`
  }
}

const named = (all: number, names: ReadonlyArray<string>): string => {
  const shown = names.slice(0, maxNamed)
  return [...shown, ...(all > shown.length ? [`${Format.count(all - shown.length)} more`] : [])].join(", ")
}

/** What is there of topics that the restore had created. */
const leftOf = ({ summary }: EndedRestore, deletesCreated: boolean): string => {
  const removed = summary?.removed
  if (!deletesCreated) return "Everything that was written is kept."
  if (removed === undefined) {
    // A pod that was lost or killed deletes nothing, but one before it may have failed for good.
    return "What was written is kept, as far as it is known: this attempt did not report that it deleted topics."
  }
  return [
    removed.deleted === 0
      ? "No topic was deleted."
      : `Deleted, as spec.onFailure says: ${named(removed.deleted, removed.deletedTopics)}.`,
    ...(removed.kept === 0
      ? []
      : [
          `Kept, because others may have written to them or they could not be deleted: ${named(removed.kept, removed.keptTopics)}.`
        ])
  ].join(" ")
}

const remedy = (ended: EndedRestore, { startedWriting }: RestoreStatus, deletesCreated: boolean): string => {
  const { isDryRun } = ended
  if (startedWriting !== undefined) {
    const kept = leftOf(ended, deletesCreated)
    return `${kept} To continue, set the annotation ${retryAnnotation} to a new value.`
  }
  const what = isDryRun ? "check again" : "try again"
  return `Nothing was written. To ${what}, correct the spec, or set the annotation ${retryAnnotation} to a new value.`
}

const preflight = ({ facts: { active, ended }, status }: Question): Answer<"Preflight"> | undefined => {
  if (active === undefined && ended === undefined) return undefined
  const [objection] = ended?.summary?.objections ?? []
  if (objection !== undefined) {
    return {
      status: "False",
      reason: isObjection(objection) ? objection : "Refused",
      message: Format.sentence(ended?.message ?? "No reason was reported")
    }
  }
  if (status.startedWriting !== undefined || ended?.outcome === "success") {
    return { status: "True", reason: "Passed", message: "All checks passed." }
  }
  const message =
    ended === undefined ? "Not checked yet." : "The checks did not finish. Condition Ready has the reason."
  return { status: "Unknown", reason: "NotYetChecked", message }
}

const verified = ({ facts: { active, ended } }: Question): Answer<"Verified"> | undefined => {
  const unknown: Answer<"Verified"> = {
    status: "Unknown",
    reason: "NotYetCompared",
    message: "Not compared yet: the restore is not complete."
  }
  if (ended === undefined) return active === undefined ? undefined : unknown
  if (ended.outcome === "success") {
    return ended.isDryRun
      ? { ...unknown, message: "Not compared: nothing was written." }
      : {
          status: "True",
          reason: "RecordsCompared",
          message: `${records(ended.records ?? 0)} were read back from the target cluster and are equal to those of the backup.`
        }
  }
  const { message = "No reason was reported", reason } = ended
  return reason === "Differs" || reason === "TargetDisturbed"
    ? { status: "False", reason, message: Format.sentence(message) }
    : unknown
}

const offsetsExact = ({ facts: { active, ended } }: Question): Answer<"OffsetsExact"> | undefined => {
  const unknown: Answer<"OffsetsExact"> = {
    status: "Unknown",
    reason: "NotYetPlanned",
    message: "Not known yet: the restore is not planned."
  }
  if (ended === undefined) return active === undefined ? undefined : unknown
  const plan = ended.summary?.plan
  if (plan === undefined) return unknown
  if (plan.renumbered === 0) {
    return {
      status: "True",
      reason: "AllExact",
      message: `All records of ${topics(plan.exact)} get their old offsets.`
    }
  }
  const named = plan.topics.flatMap(({ name, renumbered }) =>
    renumbered === undefined ? [] : [`${name} (${renumbered})`]
  )
  const shown = named.slice(0, maxNamed)
  const others = plan.renumbered - shown.length
  const list = [...shown, ...(others > 0 ? [`${Format.count(others)} more`] : [])].join(", ")
  return { status: "False", reason: "RenumberedTopics", message: `New offsets: ${list}.` }
}
