import { strimziReasonIn } from "../../outcome/StrimziReasons.ts"
import { type Announcement, maxNoteBytes } from "../Announcements.ts"
import { type EventReasonName, eventReasons } from "../EventReasons.ts"
import * as Format from "../Format.ts"
import type { RestoreFacts, RestoreStatus } from "./RestoreFacts.ts"

/** An Event with the type and the action of its reason. */
export const announcement = (reason: EventReasonName, note: string): Announcement => ({
  type: eventReasons[reason].type,
  reason,
  action: eventReasons[reason].action,
  note: Format.cut(Format.line(note), maxNoteBytes)
})

const ready = ({ conditions }: RestoreStatus) => conditions?.find(({ type }) => type === "Ready")

/**
 * What to announce now that `next` follows `previous`. Only what is new: where both say the same, nothing. To be
 * emitted before `next` is written, so that a crash between the two announces something twice rather than never.
 */
export const announcements = (
  previous: RestoreStatus,
  { backupId, backupRef, usedBefore }: RestoreFacts,
  next: RestoreStatus
): ReadonlyArray<Announcement> => {
  const found: Array<Announcement> = []
  if (next.jobName !== undefined && next.jobName !== previous.jobName && usedBefore === undefined) {
    const what = backupId === "" ? `a backup of KafkaBackup ${backupRef ?? ""}` : `backup ${backupId}`
    found.push(announcement("RestoreStarted", `Job ${next.jobName} restores ${what}.`))
  }
  if (next.startedWriting !== undefined && previous.startedWriting === undefined) {
    const note = "The restore began to write into the target cluster. The spec cannot be changed any more."
    found.push(announcement("RestoreWriting", note))
  }
  const hold = next.conditions?.find(({ type }) => type === "RetentionHeld")
  const isHoldNew = previous.conditions?.find(({ type }) => type === "RetentionHeld")?.reason !== hold?.reason
  if (isHoldNew && hold?.reason === "HoldEnded") found.push(announcement("RetentionHoldEnded", hold.message))
  if (isHoldNew && hold?.reason === "HoldNotEnded") found.push(announcement("RetentionHoldNotEnded", hold.message))
  const { phase, token } = next.offsetResetStatus ?? {}
  if (token !== undefined && token !== previous.offsetResetStatus?.token) {
    const groups = next.conditions?.find(({ type }) => type === "GroupsReset")
    const isDone = phase === "Completed" && groups?.status === "True"
    found.push(announcement(isDone ? "RestoreGroupsSet" : "RestoreGroupsLeft", groups?.message ?? ""))
  }
  const [before, now] = [ready(previous), ready(next)]
  if (now === undefined) return found
  const isOtherCause =
    now.reason === "StrimziUnresolved" && strimziReasonIn(before?.message ?? "") !== strimziReasonIn(now.message)
  const isNew = before?.reason !== now.reason || isOtherCause || next.jobName !== previous.jobName
  switch (now.reason) {
    case "RestoreCompleted":
    case "DryRunPassed":
    case "RestoreFailed":
    case "BackupMissing":
    case "JobRefused":
    case "StrimziUnresolved":
    case "PodTrouble":
      if (isNew) found.push(announcement(now.reason, now.message))
      break
    case "EditTooLate":
      if (isNew) found.push(announcement("RestoreFailed", now.message))
      break
    case "InvalidSpec":
      if (isNew || before?.observedGeneration !== now.observedGeneration) {
        found.push(announcement(now.reason, now.message))
      }
  }
  return found
}

/** What a deletion stops, or leaves for ever; none where nothing was at work and no retention is held. */
export const cancelled = (status: RestoreStatus): Announcement | undefined => {
  const hold = status.conditions?.find(({ type }) => type === "RetentionHeld")
  if (hold?.status === "True" && (status.phase === "Completed" || status.phase === "Failed")) {
    const note =
      "The resource was deleted, so nothing ends its retention hold: retention.ms and retention.bytes of the restored topics stay -1. Run kafka-backup restore --end-hold with a copy of the resource that has its uid, or set them with kafka-configs."
    return announcement("RetentionHoldLeft", note)
  }
  if (status.jobName === undefined || (status.phase !== "Pending" && status.phase !== "Running")) return undefined
  const written =
    status.startedWriting === undefined
      ? "As far as is known, nothing was written."
      : "Topics stay as they are, with the records that were written."
  return announcement("RestoreCancelled", `The resource was deleted, so Job ${status.jobName} is stopped. ${written}`)
}
