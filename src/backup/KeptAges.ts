import * as BackupId from "../identity/BackupId.ts"
import { periods } from "../resource/RetentionSpec.ts"
import * as KeepRules from "./KeepRules.ts"

const hour = 3_600_000
const day = 24 * hour
const spanOf = { hourly: hour, daily: day, weekly: 7 * day, monthly: 31 * day, yearly: 366 * day } as const

/** Most backups that are looked at for `keep`: one by one for two days, then once an hour, then once a day. */
const mostLooked = 40_000
/** Most backups that are counted. A year has 525,600 minutes. */
const mostCounted = 5_000_000

export interface KeptAges {
  /** Newest first, milliseconds. */
  readonly ages: ReadonlyArray<number>
  /** No rule removes any: these are the backups of one year. */
  readonly isEndless: boolean
  /** The rules keep more than these: so many were not looked at. */
  readonly isCut: boolean
}

/** How many steps of one size fit before an age, so that the age is not reached. */
const before = (ageMillis: number, stepMillis: number): number => Math.ceil(ageMillis / stepMillis)

/** Ages at which `keep` may find a backup: of each hour or day one, where there are more. */
const looks = (keep: NonNullable<KeepRules.TimeRules["keep"]>, intervalMillis: number): ReadonlyArray<number> => {
  const stepOf = (span: number) => Math.max(intervalMillis, Math.floor(span / intervalMillis) * intervalMillis)
  const hours = Math.max(2 * day, (keep.hourly ?? 0) * Math.max(hour, intervalMillis) + hour)
  // A period that has no backup does not count: rare backups reach further back.
  const longest = Math.max(...periods.map((period) => (keep[period] ?? 0) * Math.max(spanOf[period], intervalMillis)))
  const ages: Array<number> = []
  let age = 0
  while (ages.length < mostLooked && age <= longest + day) {
    ages.push(age)
    age += age < 2 * day ? intervalMillis : age < hours ? stepOf(hour) : stepOf(day)
  }
  return ages
}

/**
 * How old the backups are that stay in the long run, where one is made each `intervalMillis`. Without rules that of a
 * year. `newestMillis` is the instant of the newest: days and months are those of a calendar.
 */
export const of = (rules: KeepRules.Rules, intervalMillis: number, newestMillis: number): KeptAges => {
  const { keep, time = {} } = rules
  const isEndless = keep === undefined && time.maxAgeMillis === undefined && time.keep === undefined
  const wanted = isEndless
    ? before(365 * day, intervalMillis)
    : Math.max(keep ?? 1, time.maxAgeMillis === undefined ? 0 : Math.floor(time.maxAgeMillis / intervalMillis) + 1)
  const count = Math.min(mostCounted, wanted)
  const counted = Array.from({ length: count }, (_, n) => n * intervalMillis)
  const looked = time.keep === undefined ? [] : looks(time.keep, intervalMillis)
  const sets = looked.map((age) => ({
    backupId: BackupId.forSlot("b", newestMillis - age) as string,
    completedMillis: newestMillis - age,
    age
  }))
  const reasons = KeepRules.reasons(sets, { keep: undefined, time, nowMillis: newestMillis })
  const older = sets.filter(({ age, backupId }) => age > (count - 0.5) * intervalMillis && reasons.has(backupId))
  return {
    isEndless,
    isCut: count < wanted || looked.length === mostLooked,
    ages: [...counted, ...older.map(({ age }) => age)]
  }
}
