import { Result } from "effect"
import * as Slots from "../schedule/Slots.ts"
import type { Facts } from "./Facts.ts"
import * as Format from "./Format.ts"
import { kept } from "./MaintenanceConditions.ts"
import type { Answer } from "./Ready.ts"
import type { Condition, Status } from "./Status.ts"

/** Within how many runs every stored byte is read again, where each run reads this share: see backup/Sampling.ts. */
export const promisedRuns = (percentPerRun: number): number => Math.ceil(100 / percentPerRun)

/** Half as many slots more, and two at least: runs fail, are skipped, and take their time. */
export const allowedSlots = (percentPerRun: number): number => {
  const runs = promisedRuns(percentPerRun)
  return runs + Math.max(2, Math.ceil(runs / 2))
}

/** True if there are more than `count` slots in `(after, now]`. */
const isLonger = (slots: Slots.Slots, count: number, afterMillis: number, nowMillis: number): boolean => {
  let at: number | undefined = afterMillis
  for (let n = 0; n <= count && at !== undefined && at <= nowMillis; n++) at = Slots.next(slots, at)
  return at !== undefined && at <= nowMillis
}

/** What the answer is made of. */
export interface Question {
  /** Of the next status. */
  readonly verification: Status["verification"]
  readonly facts: Pick<Facts, "memory" | "percentPerRun" | "schedule" | "state">
  readonly nowMillis: number
}

const told = (
  status: Answer<"DataVerified">["status"],
  reason: Answer<"DataVerified">["reason"],
  ...sentences: ReadonlyArray<string>
): Answer<"DataVerified"> => ({ status, reason, message: sentences.map(Format.sentence).join(" ") })

/**
 * Was every stored byte read again, or written, within what the share of each run promises? Counted in slots of the
 * schedule, since each brings a run. Where no slot counts, nothing is promised.
 */
export const answer = (
  { facts, nowMillis, verification }: Question,
  previous: ReadonlyArray<Condition>
): Answer<"DataVerified"> => {
  const { memory, percentPerRun, schedule, state } = facts
  const notYetTried = told("Unknown", "NotYetTried", "Not checked yet: no run has got that far")
  const before = kept(previous, "DataVerified") ?? notYetTried
  const known = verification?.oldestTime
  const age =
    known === undefined ? [] : [`The stored byte that was not read for longest was last read, or written, at ${known}`]
  if (percentPerRun === 0) {
    const off = "spec.verification.percentPerRun is 0, so runs do not read stored backups again"
    return told("Unknown", "VerificationOff", off)
  }
  if (verification === undefined) return notYetTried
  if (percentPerRun === undefined) return before
  if (state?._tag === "OneTime" || state?._tag === "Suspended") {
    const why = state._tag === "OneTime" ? "There is no schedule" : "The schedule is suspended"
    const byHand = "kafka-backup verify BACKUP_ID --deep reads a backup at once"
    return told("Unknown", "NoScheduledRuns", `${why}, so no run reads stored backups again by itself`, ...age, byHand)
  }
  if (state?._tag !== "Scheduled" || schedule.text === undefined) return before
  const slots = Slots.of({ schedule: schedule.text, timeZone: schedule.timeZone })
  if (Result.isFailure(slots)) return before

  const runs = promisedRuns(percentPerRun)
  const promise = `Each run reads ${percentPerRun} % of all stored bytes again, so that ${runs === 1 ? "every run reads" : `${runs} runs read`} everything`
  const short = verification.cutShort === true ? ["The newest run read less than its share"] : []
  // Walking from slot to slot takes milliseconds, so it is done only where time says that it may be late already.
  const isSoon = (sinceMillis: number) =>
    before.status !== "False" &&
    state.intervalSeconds !== undefined &&
    nowMillis - sinceMillis <= allowedSlots(percentPerRun) * state.intervalSeconds * 1000
  const isLate = (sinceMillis: number) =>
    !isSoon(sinceMillis) && isLonger(slots.success, allowedSlots(percentPerRun), sinceMillis, nowMillis)
  const isAllKnown = verification.remainingRuns !== undefined
  if (isAllKnown && known === undefined)
    return told("True", "DataVerified", "Nothing is stored that could be read again")
  if (isAllKnown && known !== undefined && !isLate(Format.millis(known))) {
    return told(
      "True",
      "DataVerified",
      `Every stored byte was read again, or written, since ${known}`,
      promise,
      ...short
    )
  }
  const beganMillis = Math.max(Format.millis(verification.sinceTime), memory.sinceMillis ?? 0)
  if (!isLate(beganMillis)) {
    const since = `Runs have read stored backups again since ${Format.time(beganMillis)}, and have not come round yet`
    return told("Unknown", "VerificationStarting", since, ...age, promise, ...short)
  }
  const behind = isAllKnown
    ? `Stored backups are not read again as often as promised: more than ${allowedSlots(percentPerRun)} slots of the schedule have passed since a byte was read`
    : `Runs have not found out yet what all stored backups hold, after more than ${allowedSlots(percentPerRun)} slots of the schedule`
  const remedy = "Find out in status.backupHistory why runs fail, are skipped, or read less than their share"
  return told("False", "VerificationBehind", behind, ...age, promise, ...short, remedy)
}
