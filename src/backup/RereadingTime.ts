import { Cron, Result } from "effect"
import type { KafkaBackupSpec } from "../resource/KafkaBackupSpec.ts"
import * as Schedule from "../resource/Schedule.ts"

/** Without a schedule, and at most: 30 minutes. */
export const mostMillis = 30 * 60_000

/** Slots whose distances are looked at: those of a day, where a backup is made every hour. */
const slotsLookedAt = 25

/** The shortest time between two slots; a fixed time is looked at, since a schedule repeats itself. */
const intervalMillis = (spec: Pick<KafkaBackupSpec, "schedule" | "timeZone">): number | undefined => {
  if (spec.schedule === undefined) return undefined
  const cron = Schedule.cron({ schedule: spec.schedule, timeZone: spec.timeZone })
  if (Result.isFailure(cron)) return undefined
  const slots = Cron.sequence(cron.success, "2026-01-01T00:00:00Z")
  let shortest: number | undefined
  let before: number | undefined
  for (let n = 0; n < slotsLookedAt; n++) {
    const next = Result.try(() => slots.next())
    if (Result.isFailure(next) || next.success.done === true) break
    const at = next.success.value.getTime()
    if (before !== undefined) shortest = Math.min(shortest ?? Infinity, at - before)
    before = at
  }
  return shortest
}

/**
 * How long a run reads stored backups again at most, in milliseconds: a third of the time to the next slot and of
 * `job.activeDeadlineSeconds`, so that neither a slot is skipped nor a run of a complete backup killed for it, and 30
 * minutes at most. What is left is the next run's.
 */
export const longestMillis = (spec: Pick<KafkaBackupSpec, "job" | "schedule" | "timeZone">): number => {
  const deadlineMillis = (spec.job.activeDeadlineSeconds ?? Infinity) * 1000
  return Math.floor(Math.min(mostMillis, (intervalMillis(spec) ?? Infinity) / 3, deadlineMillis / 3))
}
