import { DateTime } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import { type Period, periods } from "../resource/RetentionSpec.ts"

/*
 * Which backups `spec.retention` keeps. A backup stays if any rule keeps it, so another rule never removes one.
 */

/** What beside a number of backups keeps one. */
export interface TimeRules {
  /** A backup that was completed at most this long ago stays. */
  readonly maxAgeMillis?: number
  /** The last backup of each of so many hours, days, weeks, months or years stays. */
  readonly keep?: Partial<Readonly<Record<Period, number>>>
  /** IANA zone in which hours, days, weeks, months and years are those of a calendar. Absent: UTC. */
  readonly timeZone?: string
}

export interface Rules {
  /** Backups to keep at least, newest first. Absent, and without other rules: all. */
  readonly keep: number | undefined
  readonly time?: TimeRules | undefined
  /** Now, milliseconds since 1970; nothing is too old without it. */
  readonly nowMillis?: number | undefined
}

interface Dated {
  readonly backupId: string
  readonly completedMillis: number
}

const hour = 3_600_000
const day = 24 * hour

/** When the backup was due, as its name says. */
const slotOf = ({ backupId, completedMillis }: Dated): number => BackupId.slotMillis(backupId) ?? completedMillis

/**
 * The calendar's hour, day, week, month and year that hold an instant. An hour that clocks show twice is two hours.
 * Weeks begin on Monday.
 */
const bucketsOf =
  (zone: DateTime.TimeZone | undefined) =>
  (atMillis: number): Readonly<Record<Period, string>> => {
    const offset = zone === undefined ? 0 : DateTime.zonedOffset(DateTime.makeZonedUnsafe(atMillis, { timeZone: zone }))
    const wallMillis = atMillis + offset
    const days = Math.floor(wallMillis / day)
    const iso = new Date(wallMillis).toISOString()
    const at = iso.indexOf("-", 1)
    return {
      hourly: `${Math.floor(wallMillis / hour)} ${offset}`,
      daily: String(days),
      // 1 January 1970 was a Thursday.
      weekly: String(Math.floor((days + 3) / 7)),
      monthly: iso.slice(0, at + 3),
      yearly: iso.slice(0, at)
    }
  }

/**
 * Why each of these backups stays: the rules that keep it, by id. `newestFirst` are proven backups, in the order of
 * their completion. The first one is always kept.
 */
export const reasons = (
  newestFirst: ReadonlyArray<Dated>,
  { keep, nowMillis, time = {} }: Rules
): ReadonlyMap<string, ReadonlyArray<string>> => {
  const found = new Map<string, Array<string>>()
  const add = ({ backupId }: Dated, why: string) => found.set(backupId, [...(found.get(backupId) ?? []), why])
  const [newest] = newestFirst
  if (newest !== undefined) add(newest, "newest")
  if (keep === undefined && time.maxAgeMillis === undefined && time.keep === undefined) {
    for (const set of newestFirst.slice(1)) add(set, "no rule removes backups")
    return found
  }
  for (const set of newestFirst.slice(0, keep ?? 0)) add(set, "backups")
  const { maxAgeMillis } = time
  if (maxAgeMillis !== undefined) {
    for (const set of newestFirst) {
      if (nowMillis === undefined || nowMillis - set.completedMillis <= maxAgeMillis) add(set, "maxAge")
    }
  }
  if (time.keep === undefined) return found
  const buckets = bucketsOf(time.timeZone === undefined ? undefined : DateTime.zoneMakeNamedUnsafe(time.timeZone))
  const bySlot = newestFirst
    .map((set) => ({ set, slotMillis: slotOf(set) }))
    .toSorted((a, b) => b.slotMillis - a.slotMillis)
    .map(({ set, slotMillis }) => ({ set, of: buckets(slotMillis) }))
  for (const period of periods) {
    const seen = new Set<string>()
    for (const { of, set } of bySlot) {
      if (seen.size >= (time.keep[period] ?? 0)) break
      if (seen.has(of[period])) continue
      seen.add(of[period])
      add(set, period)
    }
  }
  return found
}

/** True if these rules would keep `one`, were it among the others. `others` may be in any order. */
export const wouldKeep = <S extends Dated>(one: S, others: ReadonlyArray<S>, rules: Rules): boolean => {
  const all = [...others, one].toSorted(
    (a, b) => b.completedMillis - a.completedMillis || (a.backupId < b.backupId ? 1 : -1)
  )
  return reasons(all, rules).has(one.backupId)
}
