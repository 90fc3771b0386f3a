import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

const days = [
  "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])",
  "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)",
  "02-(?:0[1-9]|1[0-9]|2[0-9])"
].join("|")

const clock = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

const pattern = `^[0-9]{4}-(?:${days})T${clock}$`

/** CEL: the day of a text that matches the pattern exists. */
const isDay = (field: string): string => {
  const year = `int(${field}.substring(0, 4))`
  return `!${field}.matches(r'^[0-9]{4}-02-29') || ${year} % 4 == 0 && (${year} % 100 != 0 || ${year} % 400 == 0)`
}

/** An instant as RFC 3339 has it. Fractions of a millisecond do not count. */
const instant = (description: string) =>
  Field.text({
    description,
    maxLength: 40,
    rules: [
      Rule.matches(
        pattern,
        "must be a time with its time zone, such as 2026-03-01T01:15:00Z or 2026-03-01T02:15:00.250+01:00"
      ),
      Rule.rule<string>({
        cel: isDay("self"),
        message: "must be a day that exists: this February has 28 days",
        holds: (self) => !/^[0-9]{4}-02-29/u.test(self) || isLeap(Number(self.slice(0, 4)))
      })
    ]
  })

interface Times {
  readonly enabled?: boolean
  readonly timestamp?: string
  readonly timestampMillis?: number
  readonly start?: string
}

/** CEL for the milliseconds since 1970 of a text. */
const millis = (field: string) => `int(timestamp(${field})) * 1000 + timestamp(${field}).getMilliseconds()`

const isTime = (field: string) => `(${field}.matches(r'${pattern}') && (${isDay(field)}))`

const hasOne = "has(self.timestamp) || has(self.timestampMillis)"

/** 9999-12-31T23:59:59.999Z: the last time that has a text. */
const lastMillis = 253_402_300_799_999

/** The last instant, milliseconds since 1970; undefined where the restore has no end in time. */
const lastOf = ({ timestamp, timestampMillis }: Times): number | undefined =>
  timestampMillis ?? (timestamp === undefined ? undefined : Date.parse(timestamp))

/** Point-in-time restore: which records come back, by their timestamps. */
export const PitrSpec = Field.object(
  {
    enabled: Field.optional(
      Field.flag({
        description: "Restore up to a point in time. Absent: true. false: records of all times are restored."
      })
    ),
    timestamp: Field.optional(
      instant("Records with this timestamp or an earlier one are restored, such as 2026-03-01T01:15:00Z.")
    ),
    timestampMillis: Field.optional(
      Field.integer({
        description: "The same as timestamp, in milliseconds since 1970.",
        minimum: 0,
        maximum: lastMillis
      })
    ),
    start: Field.optional(instant("Records with an earlier timestamp are left out. Absent: there is no lower bound."))
  },
  {
    description: "Point-in-time restore: which records are restored, by their timestamps.",
    rules: [
      Rule.rule<Times>({
        cel: "!(has(self.timestamp) && has(self.timestampMillis))",
        message: "set timestamp or timestampMillis, not both",
        holds: ({ timestamp, timestampMillis }) => timestamp === undefined || timestampMillis === undefined
      }),
      Rule.rule<Times>({
        cel: `has(self.enabled) && !self.enabled || ${hasOne}`,
        message: "set timestamp, such as 2026-03-01T01:15:00Z, or timestampMillis; remove pitr to restore all times",
        holds: (self) => self.enabled === false || lastOf(self) !== undefined
      }),
      Rule.rule<Times>({
        // A text that is no time is refused by its own rule; CEL forgives an error beside something true.
        cel: `!has(self.start) || !(${hasOne}) || !${isTime("self.start")} || has(self.timestamp) && !${isTime("self.timestamp")} || ${millis("self.start")} <= (has(self.timestamp) ? ${millis("self.timestamp")} : self.timestampMillis)`,
        message: "start must not be after the end: no record would be restored",
        holds: (self) => {
          const last = lastOf(self)
          return self.start === undefined || last === undefined || !(Date.parse(self.start) > last)
        }
      })
    ]
  }
)
export type PitrSpec = typeof PitrSpec.Type

/** First and last timestamp that is restored, milliseconds since 1970; undefined: records of all times. */
export const bounds = (spec: PitrSpec | undefined): { readonly first?: number; readonly last: number } | undefined => {
  const last = spec === undefined || spec.enabled === false ? undefined : lastOf(spec)
  if (spec === undefined || last === undefined) return undefined
  return spec.start === undefined ? { last } : { first: Date.parse(spec.start), last }
}

/** What a user should know of a block that has no effect. */
export const notes = (spec: PitrSpec | undefined): ReadonlyArray<string> =>
  spec?.enabled === false && lastOf(spec) !== undefined
    ? ["pitr.enabled is false: records of all times are restored"]
    : []
