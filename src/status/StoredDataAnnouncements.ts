import type { EventReasonName } from "./EventReasons.ts"
import type { Facts } from "./Facts.ts"
import type { ConditionType } from "./Reasons.ts"
import type { Condition, Status } from "./Status.ts"

/** A reason and its note. */
export type Note = readonly [EventReasonName, string]

/** What to announce about what lies in storage: what was removed, is damaged, cannot be listed, or is cleaned up. */
export const notes = (previous: Status, facts: Facts, next: Status): ReadonlyArray<Note> => [
  ...retention(previous, facts, next),
  ...storedData(previous, next),
  ...listing(previous, next),
  ...cleanup(previous, next)
]

const condition = (status: Status, type: ConditionType): Condition | undefined =>
  status.conditions?.find((found) => found.type === type)

const retention = (previous: Status, { maintenance }: Facts, next: Status): ReadonlyArray<Note> => {
  const prune = maintenance.findLast(({ task }) => task === "prune")
  const now = condition(next, "RetentionApplied")
  const before = condition(previous, "RetentionApplied")
  if (now?.reason === "RetentionHeldBack") {
    return before?.reason === now.reason ? [] : [["RetentionHeldBack", now.message]]
  }
  if (now?.reason === "BackupsLocked" && (next.locked?.backups ?? 0) > (previous.locked?.backups ?? 0))
    return [["BackupsLocked", now.message]]
  if (prune === undefined || now === undefined || before?.message === now.message) return []
  if (!prune.isSuccess) return [["PruneFailed", now.message]]
  return prune.removed === 0 ? [] : [["BackupsPruned", now.message]]
}

/** Damage is announced again when it is another one; how long ago it was reported is no news. */
const storedData = (previous: Status, next: Status): ReadonlyArray<Note> => {
  const { backups = 0, message } = next.damage ?? {}
  const isKnown = previous.damage?.backups === backups && previous.damage.message === message
  const intact = condition(next, "SetsIntact")
  const damage = (): ReadonlyArray<Note> => {
    if (intact === undefined || isKnown) return []
    if (backups > 0) return [["BackupsDamaged", intact.message]]
    return (previous.damage?.backups ?? 0) > 0 ? [["BackupsIntact", intact.message]] : []
  }
  const before = condition(previous, "DataVerified")?.status
  const now = condition(next, "DataVerified")
  const reading = (): ReadonlyArray<Note> => {
    if (now?.status === "False" && before !== "False") return [["VerificationBehind", now.message]]
    return now?.status === "True" && before === "False" ? [["VerificationCaughtUp", now.message]] : []
  }
  return [...damage(), ...reading()]
}

const listing = (previous: Status, next: Status): ReadonlyArray<Note> => {
  const now = condition(next, "StorageListed")
  return now?.reason === "ListingFailed" && condition(previous, "StorageListed")?.message !== now.message
    ? [["ListingFailed", now.message]]
    : []
}

const cleanup = (previous: Status, next: Status): ReadonlyArray<Note> => {
  const before = condition(previous, "CleanedUp")
  const now = condition(next, "CleanedUp")
  if (now === undefined) return []
  // One for each failed attempt.
  if (now.reason === "CleanupRetrying") {
    return before?.message === now.message ? [] : [["CleanupRetrying", now.message]]
  }
  if (before?.reason === now.reason) return []
  switch (now.reason) {
    case "CleanedUp":
      return [["CleanupFinished", now.message]]
    case "CleanupGivenUp":
    case "CleanupTrouble":
      return [[now.reason, now.message]]
    case "Retained":
      return []
    default:
      return before === undefined ? [["CleanupStarted", now.message]] : []
  }
}
