import { Cron, DateTime, Option, Result } from "effect"
import { normalized } from "./ScheduleSpec.ts"
import type { Problem } from "./Problem.ts"
import * as ProblemText from "./Problem.ts"

/** The macros and their fields; the same as in Kubernetes' CronJob. */
const macros: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *"
}

interface Scheduled {
  readonly schedule: string
  /** IANA zone; UTC when absent. */
  readonly timeZone?: string | undefined
}

/**
 * The schedule as a Cron in its zone, or what is wrong with it beyond its shape: a range that runs backwards, a step
 * larger than its field, a date that no month has, a zone that does not exist.
 *
 * In the doubled hour of a change from summer time a schedule that runs all through the day (minute or hour begin with
 * `*`, or the hour has a step) runs in both, a fixed time runs once, in the first. `schedule/Slots` says what happens
 * in the skipped hour.
 *
 * `block` is where the two fields are, for the problems.
 */
export const cron = (spec: Scheduled, block = "spec"): Result.Result<Cron.Cron, ReadonlyArray<Problem>> => {
  const zone = DateTime.zoneMakeNamed(spec.timeZone ?? "UTC")
  const problems: Array<Problem> = []
  if (Option.isNone(zone)) {
    problems.push(
      found(
        `${block}.timeZone`,
        spec.timeZone ?? "",
        "is not a time zone of the IANA database; write one such as Europe/Berlin"
      )
    )
  }
  const expression = expanded(spec.schedule)
  const parsed = Cron.parse(
    expression,
    Option.getOrElse(zone, () => DateTime.zoneMakeNamedUnsafe("UTC")),
    {
      onDstOverlap: runsThroughTheDay(expression) ? "both" : "earlier"
    }
  )
  if (Result.isFailure(parsed)) {
    problems.push(found(`${block}.schedule`, spec.schedule, parseAdvice(expression, parsed.failure.message)))
    return Result.fail(problems)
  }
  if (!everMatches(parsed.success)) {
    problems.push(found(`${block}.schedule`, spec.schedule, "never matches: none of its months has such a day"))
  }
  return problems.length > 0 ? Result.fail(problems) : Result.succeed(parsed.success)
}

const found = (field: string, value: string, message: string): Problem => {
  const shown = ProblemText.shown(field, value)
  return shown === undefined ? { field, message } : { field, value: shown, message }
}

/**
 * Five fields: the macro's, or the user's with Sunday at the end of a range as 7 (`fri-sun`), which the parser wants as
 * a number.
 */
const expanded = (schedule: string): string => {
  const fields = normalized(schedule)
  return macros[fields] ?? fields.replaceAll(/-sun\b/gi, "-7")
}

const runsThroughTheDay = (expression: string): boolean => {
  const [minute = "", hour = ""] = expression.split(/ +/)
  return minute.startsWith("*") || /[*/]/.test(hour)
}

/**
 * Only a search for a slot is certain: a day of the month and a day of the week that must both match may never meet.
 */
const everMatches = (cron: Cron.Cron): boolean =>
  Result.isSuccess(Result.try(() => Cron.next(cron, "2000-01-01T00:00:00Z")))

const fieldNames = ["minute", "hour", "day of month", "month", "day of week"]
const highest = [59, 23, 31, 12, 7]
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
const months = ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

const ordinal = (text: string, field: number): number => {
  const names = field === 4 ? weekdays : field === 3 ? months : []
  const index = names.indexOf(text.toLowerCase())
  return index >= 0 ? index : Number(text)
}

const parseAdvice = (expression: string, otherwise: string): string => {
  for (const [index, field] of expression.split(/ +/).entries()) {
    for (const item of field.split(",")) {
      const range = /^([a-z0-9]+)-([a-z0-9]+)/i.exec(item)
      const [from, to] = range ? [ordinal(range[1]!, index), ordinal(range[2]!, index)] : [0, 0]
      if (from > to) {
        const lowest = index === 2 || index === 3 ? 1 : 0
        const last = index === 4 ? 6 : highest[index]!
        return `the range ${item} of the ${fieldNames[index]} runs backwards: write ${part(from, last)},${part(lowest, to)}`
      }
      const step = /[/]([0-9]+)$/.exec(item)
      if (step && Number(step[1]) > highest[index]!) {
        return `the step of ${item} is too large for the ${fieldNames[index]}: at most ${highest[index]}`
      }
    }
  }
  return `cannot be read as five cron fields: ${otherwise}`
}

const part = (from: number, to: number): string => (from === to ? String(from) : `${from}-${to}`)
