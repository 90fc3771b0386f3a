import { Schema, SchemaGetter } from "effect"
import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

const item = (value: string) => `([*]|${value}(-${value})?)(/[1-9][0-9]?)?`
const field = (value: string) => `${item(value)}(,${item(value)})*`
const macro = "@(hourly|daily|midnight|weekly|monthly|yearly|annually)"
const fiveFields = [
  field("[0-5]?[0-9]"),
  field("([01]?[0-9]|2[0-3])"),
  field("([1-9]|0[1-9]|[12][0-9]|3[01])"),
  field("((0?[1-9]|1[0-2])|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))"),
  field("(0?[0-7]|(?i:sun|mon|tue|wed|thu|fri|sat))")
].join("[ \\t]+")

const zoneInside = "TZ="
const unsupportedMacro = "^[ \\t\\r\\n]*@(every|reboot)"

/** Blanks that may stand around a schedule: a YAML block (`schedule: |`) ends with a line break. */
const outer = "[ \\t\\r\\n]*"

/** One blank between two fields, and none around them. */
export const normalized = (schedule: string): string => schedule.trim().replaceAll(/[ \t]+/g, " ")

const ScheduleText = Field.text({
  description:
    'When to back up: five cron fields (minute, hour, day of month, month, day of week), for example "0 * * * *" for every full hour, or one of @hourly @daily @midnight @weekly @monthly @yearly @annually. Where day of month and day of week are both restricted, either is enough. UTC unless timeZone says otherwise. Absent: one backup, at once.',
  maxLength: 256,
  rules: [
    Rule.avoids(zoneInside, "must not contain TZ= or CRON_TZ=; write the zone into timeZone"),
    Rule.avoids(
      unsupportedMacro,
      "@every and @reboot are not supported: write five cron fields, for example '*/15 * * * *' for every 15 minutes"
    ),
    Rule.matchesUnless(
      `${zoneInside}|${unsupportedMacro}`,
      `^${outer}(${macro}|${fiveFields})${outer}$`,
      "must be five cron fields (minute hour day-of-month month day-of-week), for example '0 * * * *', or a macro such as @hourly; no seconds, no L, W, # or ?"
    )
  ]
})

/** Decodes to the schedule as it is compared and shown: the same fields with other blanks are the same schedule. */
export const Schedule = ScheduleText.pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transform(normalized),
    encode: SchemaGetter.passthrough()
  })
)

export const TimeZone = Field.text({
  description: "IANA time zone in which schedule is read, for example Europe/Berlin. Absent: UTC. Only with schedule.",
  maxLength: 64,
  rules: [
    Rule.matches(
      "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$",
      "must be an IANA time zone such as Europe/Berlin or UTC; not an offset such as +02:00"
    ),
    Rule.avoids("^(?i:local)$", "'Local' is a different time zone on every machine: write one such as Europe/Berlin")
  ]
})

export const Suspend = Field.flag({
  description:
    "While true, no scheduled run starts; an active run continues, and a manual trigger still works. After resuming, the next slot runs, not a missed one."
})

export const Immediate = Field.flag({
  description:
    "Make the first backup at once, and not at the first slot. Once for each resource, whatever is edited later; while suspended, not before it is resumed. A backup without schedule is always made at once."
})

export const StartingDeadlineSeconds = Field.integer({
  description:
    "How late a missed slot may still be caught up, in seconds. At most one missed slot is caught up. Absent: half the schedule's interval, at most one hour. Only with schedule.",
  minimum: 1,
  maximum: 31_536_000
})

interface Scheduled {
  readonly schedule?: string
  readonly timeZone?: string
  readonly startingDeadlineSeconds?: number
}

const onlyWithSchedule = (name: "timeZone" | "startingDeadlineSeconds") =>
  Rule.rule<Scheduled>({
    cel: `has(self.schedule) || !has(self.${name})`,
    message: `${name} has no effect without schedule: add a schedule or remove it`,
    reason: "FieldValueForbidden",
    fieldPath: `.${name}`,
    holds: (self) => self.schedule !== undefined || self[name] === undefined
  })

/** Rules between these fields, for the object that holds them. */
export const rules: ReadonlyArray<Rule.Rule<Scheduled>> = [
  onlyWithSchedule("timeZone"),
  onlyWithSchedule("startingDeadlineSeconds")
]
