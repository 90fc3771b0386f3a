import * as BackupId from "../identity/BackupId.ts"
import { periods } from "../resource/RetentionSpec.ts"
import * as KeepRules from "./KeepRules.ts"

const hour = 3_600_000
const day = 24 * hour
const spanOf = { hourly: hour, daily: day, weekly: 7 * day, monthly: 31 * day, yearly: 366 * day } as const

/** Most backups that are looked at one by one; what is older is looked at once a day. */
const most = 20_000

export interface KeptAges {
  /** Newest first, milliseconds. */
  readonly ages: ReadonlyArray<number>
  /** No rule removes any: these are the backups of one year. */
  readonly isEndless: boolean
}

/**
 * How old the backups are that stay in the long run, where one is made each `intervalMillis`. Without rules that of a
 * year. `newestMillis` is the instant of the newest: days and months are those of a calendar.
 */
export const of = (rules: KeepRules.Rules, intervalMillis: number, newestMillis: number): KeptAges => {
  const { keep, time = {} } = rules
  const isEndless = keep === undefined && time.maxAgeMillis === undefined && time.keep === undefined
  const dense = isEndless
    ? 365 * day
    : Math.max((keep ?? 1) * intervalMillis, time.maxAgeMillis ?? 0, (time.keep?.hourly ?? 0) * hour, 2 * day)
  // A period that has no backup does not count: rare backups reach further back.
  const sparse = Math.max(
    0,
    ...periods.map((period) => (time.keep?.[period] ?? 0) * Math.max(spanOf[period], intervalMillis))
  )
  const count = Math.min(most, Math.ceil(dense / intervalMillis) + 1)
  const instants = Array.from({ length: count }, (_, n) => newestMillis - n * intervalMillis)
  const step = Math.max(intervalMillis, Math.floor(day / intervalMillis) * intervalMillis)
  for (let age = count * intervalMillis; age <= sparse + day && instants.length < 2 * most; age += step) {
    instants.push(newestMillis - age)
  }
  const sets = instants.map((completedMillis) => ({
    backupId: BackupId.forSlot("b", completedMillis) as string,
    completedMillis
  }))
  const reasons = KeepRules.reasons(sets, { ...rules, nowMillis: newestMillis })
  return {
    isEndless,
    ages: sets.flatMap(({ backupId, completedMillis }) =>
      reasons.has(backupId) ? [newestMillis - completedMillis] : []
    )
  }
}
