import { Option } from "effect"
import { Flag } from "effect/cli"
import type { Rules } from "../backup/KeepRules.ts"
import * as RetentionSpec from "../resource/RetentionSpec.ts"

/** The options that say which backups `prune` keeps, instead of `spec.retention`. */

const optional = <A>(flag: Flag.Flag<A>, description: string) =>
  flag.pipe(Flag.optional, Flag.map(Option.getOrUndefined), Flag.withDescription(description))

const positive = (name: string, why: string) =>
  Flag.Int(name).pipe(
    Flag.withMetavar("N"),
    Flag.filter(
      (n) => n >= 1,
      () => why
    )
  )

const last = (period: RetentionSpec.Period, of: string) =>
  optional(
    positive(`keep-${period}`, "must be 1 or more; leave it out to keep none for this"),
    `keep the last backup of each of N ${of}`
  )

export const flags = {
  keep: optional(
    positive("keep", "must be 1 or more: the newest successful backup always stays"),
    "successful backups to keep, newest first. With this or one of the next options spec.retention does not count"
  ),
  maxAge: optional(
    Flag.String("max-age").pipe(
      Flag.withMetavar("AGE"),
      Flag.filter(RetentionSpec.isMaxAge, () => "must be a duration in hours or days, such as 720h, 30d or 1d12h")
    ),
    "keep what was completed at most this long ago, such as 720h, 30d or 1d12h"
  ),
  keepHourly: last("hourly", "hours"),
  keepDaily: last("daily", "days"),
  keepWeekly: last("weekly", "weeks"),
  keepMonthly: last("monthly", "months"),
  keepYearly: last("yearly", "years")
}

export interface Given {
  readonly keep: number | undefined
  readonly maxAge: string | undefined
  readonly keepHourly: number | undefined
  readonly keepDaily: number | undefined
  readonly keepWeekly: number | undefined
  readonly keepMonthly: number | undefined
  readonly keepYearly: number | undefined
}

/** The rules that the options describe; undefined without any. `timeZone` is the resource's. */
export const rules = (given: Given, timeZone: string | undefined): Pick<Rules, "keep" | "time"> | undefined => {
  const numbers = {
    hourly: given.keepHourly,
    daily: given.keepDaily,
    weekly: given.keepWeekly,
    monthly: given.keepMonthly,
    yearly: given.keepYearly
  } satisfies Record<RetentionSpec.Period, number | undefined>
  const keep = Object.fromEntries(Object.entries(numbers).filter(([, n]) => n !== undefined))
  const hasPeriods = Object.keys(keep).length > 0
  if (given.keep === undefined && given.maxAge === undefined && !hasPeriods) return undefined
  return {
    keep: given.keep,
    time: {
      ...(given.maxAge === undefined ? {} : { maxAgeMillis: RetentionSpec.maxAgeMillis(given.maxAge) }),
      ...(hasPeriods ? { keep } : {}),
      ...(timeZone === undefined ? {} : { timeZone })
    }
  }
}
