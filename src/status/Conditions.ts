import { Result } from "effect"
import * as Slots from "../schedule/Slots.ts"
import * as ConditionEntry from "./ConditionEntry.ts"
import * as DamageFields from "./DamageFields.ts"
import * as DataVerified from "./DataVerified.ts"
import * as Restorable from "./drill/Restorable.ts"
import * as Evidence from "./Evidence.ts"
import type { Facts } from "./Facts.ts"
import * as History from "./History.ts"
import * as StorageSpec from "../resource/StorageSpec.ts"
import * as Problem from "../resource/Problem.ts"
import * as Maintenance from "./MaintenanceConditions.ts"
import * as Pause from "./Pause.ts"
import * as Reachable from "./Reachable.ts"
import * as Ready from "./Ready.ts"
import * as Reasons from "./Reasons.ts"
import * as SetsIntact from "./SetsIntact.ts"
import type { Condition, Status } from "./Status.ts"
import * as Format from "./Format.ts"

type Answer<Type extends Reasons.ConditionType> = Ready.Answer<Type>

/**
 * Answers all questions, in the order of `Reasons.types`. `lastTransitionTime` moves only when the status of a
 * condition flips.
 */
export const next = (
  previous: ReadonlyArray<Condition>,
  asked: Omit<Ready.Question, "isUnlisted">
): ReadonlyArray<Condition> => {
  const { facts, nowMillis } = asked
  const listed = Maintenance.storageListed(facts, previous)
  const question: Ready.Question = { ...asked, isUnlisted: listed !== undefined && listed.status !== "True" }
  const answers: { readonly [Type in Reasons.ConditionType]: Answer<Type> | undefined } = {
    Ready: Ready.answer(question),
    Progressing: progressing(question),
    ScheduleValid: scheduleValid(facts),
    KafkaReachable: Reachable.kafka(question),
    StorageReachable: Reachable.storage(question),
    Verified: verified(question),
    SetsIntact: SetsIntact.answer(question.damage),
    DataVerified: DataVerified.answer({ verification: question.verification, facts, nowMillis }, previous),
    Restorable: restorable(question, previous),
    Warnings: warnings(facts, question.history),
    StorageListed: listed,
    RetentionApplied: Maintenance.retentionApplied(facts, previous),
    CleanedUp: Maintenance.cleanedUp(facts)
  }
  return Object.entries(answers).flatMap(([type, answer]) => {
    if (answer === undefined) return []
    const before = previous.find((condition) => condition.type === type)
    // Which spec retention was applied for: an edit while a run was active asks for another prune.
    const generation =
      type === "RetentionApplied" && !Maintenance.isAppliedNow(facts)
        ? Math.min(before?.observedGeneration ?? facts.generation, facts.generation)
        : facts.generation
    return [ConditionEntry.of(type, answer, before, generation, nowMillis)]
  })
}

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

const verified = ({ damage, history }: Ready.Question): Answer<"Verified"> => {
  const found = Evidence.newest(history, "verified")
  if (found === undefined) {
    return { status: "Unknown", reason: "NotYetTried", message: "Not checked yet: no run has got that far." }
  }
  const { entry, isGood } = found
  const { backupId = "The newest run", reason = "", records, size } = entry
  if (!isGood) return Reachable.failed(Reasons.isOf(reason, "Verified") ? reason : "NotProven", found)
  if (damage !== undefined && DamageFields.isDamaged(damage, entry.backupId)) return damaged("SegmentDamaged", damage)
  const held =
    records === undefined || size === undefined ? "" : `: ${Format.count(records)} records in ${Format.bytes(size)}`
  return {
    status: "True",
    reason: "BackupVerified",
    message: `${backupId} was verified in storage at ${Reachable.endOf(entry)}${held}.`
  }
}

/** What was verified once has been found damaged since. */
const damaged = <Reason extends Reasons.ReasonName>(reason: Reason, damage: NonNullable<Status["damage"]>) => {
  const sentences = [
    `${damage.newestBackupId}, the newest backup, is known to be damaged, as reported at ${damage.reportedTime}`,
    DamageFields.toRestoreFrom(damage),
    "SetsIntact has the details"
  ]
  return { status: "False", reason, message: sentences.map(Format.sentence).join(" ") } as const
}

const restorable = (
  { damage, drill, facts, last, nowMillis }: Ready.Question,
  previous: ReadonlyArray<Condition>
): Answer<"Restorable"> | undefined => {
  if (drill === undefined) return undefined
  const hasBackup = last.lastBackupId !== undefined
  const shown =
    facts.drill._tag === "Found"
      ? Restorable.answer({ drill, facts: facts.drill.facts, hasBackup, nowMillis })
      : Maintenance.kept(previous, "Restorable")
  // A drill that failed says more.
  return damage !== undefined && DamageFields.isDamaged(damage, last.lastBackupId) && shown?.reason !== "DrillFailed"
    ? damaged("NewestBackupDamaged", damage)
    : shown
}

const warnings = (
  { ignoredStorageBlocks, refusedTrigger, unknownAnnotations }: Facts,
  history: History.History
): Answer<"Warnings"> => {
  const last = History.lastSuccess(history)
  // The spec says that blocks are ignored, and the report of each backup says it, too.
  const notes = last?.message
    ?.split("; ")
    .filter((note) => !note.startsWith(StorageSpec.ignoredText(ignoredStorageBlocks)))
  const found: ReadonlyArray<readonly [Reasons.ReasonOf<"Warnings">, string]> = [
    ...(refusedTrigger === undefined ? [] : [["TriggerRefused", refusedTrigger] as const]),
    ...(unknownAnnotations === undefined ? [] : [["AnnotationUnknown", unknownAnnotations] as const]),
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
