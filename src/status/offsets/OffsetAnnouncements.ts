import { strimziReasonIn } from "../../outcome/StrimziReasons.ts"
import type { Announcement } from "../Announcements.ts"
import { announcement } from "../restore/RestoreAnnouncements.ts"
import type { OffsetFacts, OffsetStatus } from "./OffsetFacts.ts"

const ready = ({ conditions }: OffsetStatus) => conditions?.find(({ type }) => type === "Ready")

/**
 * What to announce now that `next` follows `previous`. Only what is new. To be emitted before `next` is written, so
 * that a crash between the two announces something twice rather than never.
 */
export const announcements = (
  previous: OffsetStatus,
  { usedBefore }: OffsetFacts,
  next: OffsetStatus
): ReadonlyArray<Announcement> => {
  const found: Array<Announcement> = []
  const isOtherJob = next.jobName !== previous.jobName
  if (next.jobName !== undefined && isOtherJob && usedBefore === undefined) {
    found.push(announcement("OffsetsStarted", `Job ${next.jobName} works on the offsets of consumer groups.`))
  }
  const [before, now] = [ready(previous), ready(next)]
  if (now === undefined) return found
  const isEdited = now.reason === "InvalidSpec" && before?.observedGeneration !== now.observedGeneration
  const isOtherCause =
    now.reason === "StrimziUnresolved" && strimziReasonIn(before?.message ?? "") !== strimziReasonIn(now.message)
  if (before?.reason === now.reason && !isOtherJob && !isEdited && !isOtherCause) return found
  switch (now.reason) {
    case "OffsetsPending":
    case "OffsetsRunning":
      break
    case "JobRefused":
    case "StrimziUnresolved":
    case "PodTrouble":
    case "InvalidSpec":
      found.push(announcement(now.reason, now.message))
      break
    default:
      found.push(announcement(now.status === "True" ? "OffsetsCompleted" : "OffsetsFailed", now.message))
  }
  return found
}

/** What a deletion stops; none where nothing was at work. */
export const cancelled = (status: OffsetStatus): Announcement | undefined => {
  if (status.jobName === undefined || (status.phase !== "Pending" && status.phase !== "Running")) return undefined
  return announcement(
    "OffsetsCancelled",
    `The resource was deleted, so Job ${status.jobName} is stopped. Offsets that were set stay as they are.`
  )
}
