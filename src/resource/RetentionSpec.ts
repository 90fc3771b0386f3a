import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

const millisOf = { h: 3_600_000, d: 86_400_000 } as const

/** The periods of `keep`, from short to long. */
export const periods = ["hourly", "daily", "weekly", "monthly", "yearly"] as const
export type Period = (typeof periods)[number]

const names = { hourly: "hours", daily: "days", weekly: "weeks", monthly: "months", yearly: "years" } as const

const last = (period: Period, more = "") =>
  Field.optional(
    Field.integer({
      description: `Keep the last backup of each of this many ${names[period]}, counted over those that have one${more}.`,
      rules: [Rule.atLeast(1, "must be 1 or more; remove it to keep no backup for this")]
    })
  )

const Keep = Field.object(
  {
    hourly: last("hourly"),
    daily: last("daily"),
    weekly: last("weekly", "; weeks begin on Monday"),
    monthly: last("monthly"),
    yearly: last("yearly")
  },
  {
    description:
      "Keep the last backup of each hour, day, week, month or year, by the time in the backup's name, read in spec.timeZone or UTC.",
    rules: [
      Rule.rule({
        cel: periods.map(Rule.hasField).join(" || "),
        message: "must have at least one of hourly, daily, weekly, monthly and yearly, for example daily: 7",
        holds: (self) => periods.some((period) => self[period] !== undefined)
      })
    ]
  }
)

/** A duration in hours and days. No minutes: `m` is as easily meant for months. */
export const MaxAge = Field.text({
  description:
    "Keep every backup that was completed at most this long ago: 30d, 720h or 1d12h. The newest good backup stays, however old it is.",
  maxLength: 20,
  rules: [
    Rule.matches("^([0-9]{1,6}[hd])+$", "must be a duration in hours or days, such as 720h, 30d or 1d12h"),
    Rule.avoids("^(0+[hd])+$", "must be longer than 0; remove it if the age of backups does not matter")
  ]
})

export const RetentionSpec = Field.object(
  {
    backups: Field.optional(
      Field.integer({
        description:
          "Number of successful backups to keep, newest first. Failed runs do not count. Lowering it deletes at once.",
        rules: [Rule.atLeast(1, "must be 1 or more; remove retention to keep every backup")]
      })
    ),
    maxAge: Field.optional(MaxAge),
    keep: Field.optional(Keep)
  },
  {
    description:
      "Which backups to keep: a backup stays if any of these rules keeps it, and the newest good one always. Absent or without rules: all stay."
  }
)
export type RetentionSpec = typeof RetentionSpec.Type

/** `maxAge` in milliseconds. */
export const maxAgeMillis = (text: string): number =>
  [...text.matchAll(/([0-9]+)([hd])/gu)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * millisOf[unit as "d"],
    0
  )

/** True for a text that `maxAge` accepts. */
export const isMaxAge = (text: string): boolean => /^([0-9]{1,6}[hd])+$/u.test(text) && maxAgeMillis(text) > 0

/**
 * The rules as one line, for comparing them with those that were applied last. Absent where a number of backups alone
 * is kept, or everything.
 */
export const timed = (
  { backups, keep, maxAge }: RetentionSpec = {},
  timeZone: string | undefined
): string | undefined => {
  if (maxAge === undefined && keep === undefined) return undefined
  const rules = [
    ...(backups === undefined ? [] : [`backups ${backups}`]),
    ...(maxAge === undefined ? [] : [`maxAge ${maxAge}`]),
    ...periods.flatMap((period) => (keep?.[period] === undefined ? [] : [`${period} ${keep[period]}`]))
  ]
  return `${rules.join(", ")}${keep === undefined || timeZone === undefined ? "" : ` in ${timeZone}`}`
}
