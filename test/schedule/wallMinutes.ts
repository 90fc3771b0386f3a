import * as Slots from "../../src/schedule/Slots.ts"

/** One minute on the time line and what a clock on the wall shows. */
interface WallMinute {
  readonly atMillis: number
  readonly hour: number
  readonly minute: number
  /** The clock has shown this before: it was put back. */
  readonly isAgain: boolean
  /** Hours and minutes that were skipped just before: the clock was put forward. */
  readonly skipped: ReadonlyArray<readonly [hour: number, minute: number]>
}

/** Every minute in `(from, from + count]`, by the JavaScript engine's own calendar. */
export const wallMinutes = (zone: string, fromMillis: number, count: number): ReadonlyArray<WallMinute> => {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, dateStyle: "short", timeStyle: "short" })
  const seen = new Set<string>()
  let previous: number | undefined
  return Array.from({ length: count }, (_, index) => {
    const atMillis = fromMillis + (index + 1) * 60_000
    const text = format.format(atMillis)
    const [hour, minute] = text.slice(-5).split(":").map(Number) as [number, number]
    const isAgain = seen.has(text)
    seen.add(text)
    const minuteOfDay = hour * 60 + minute
    const skipped: Array<readonly [number, number]> = []
    if (previous !== undefined && minuteOfDay > previous + 1) {
      for (let m = previous + 1; m < minuteOfDay; m++) skipped.push([Math.floor(m / 60), m % 60])
    }
    previous = minuteOfDay
    return { atMillis, hour, minute, isAgain, skipped }
  })
}

const holds = (field: string, value: number): boolean =>
  field.split(",").some((item) => {
    const [range, step] = item.split("/")
    return range === "*" || range === "0-23" ? value % Number(step ?? 1) === 0 : Number(range) === value
  })

/** The minutes that a schedule of two fields wants, by the rules in words. */
export const wanted = (minutes: ReadonlyArray<WallMinute>, minuteField: string, hourField: string): Array<number> => {
  const matches = (hour: number, minute: number) => holds(hourField, hour) && holds(minuteField, minute)
  const runsThroughTheDay = minuteField.startsWith("*") || /[*/]/.test(hourField)
  return minutes
    .filter(
      ({ hour, isAgain, minute, skipped }) =>
        (matches(hour, minute) && (!isAgain || runsThroughTheDay)) ||
        (hourField !== "*" && skipped.some(([h, m]) => matches(h, m)))
    )
    .map(({ atMillis }) => atMillis)
}

/** All slots in `(from, from + minutes]`, one by one. */
export const walked = (slots: Slots.Slots, fromMillis: number, minutes: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  let at = Slots.next(slots, fromMillis)
  while (at !== undefined && at <= fromMillis + minutes * 60_000) {
    found.push(at)
    at = Slots.next(slots, at)
  }
  return found
}
