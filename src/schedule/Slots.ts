import { Cron, DateTime, Option, Result } from "effect"
import type { Problem } from "../resource/Problem.ts"
import * as Schedule from "../resource/Schedule.ts"
import * as WallClock from "./WallClock.ts"

/** The slots of a schedule: the instants at which it wants a run, in its zone. Instants are milliseconds since 1970. */
export interface Slots {
  /** The schedule on a clock that knows no summer time. */
  readonly wall: Cron.Cron
  readonly zone: DateTime.TimeZone.Named
  /** Runs all through the day, so in both showings of a doubled hour; a fixed time runs in the first only. */
  readonly isThroughTheDay: boolean
}

interface Scheduled {
  readonly schedule: string
  /** IANA zone; UTC when absent. */
  readonly timeZone?: string | undefined
}

/** The slots of a schedule, or what is wrong with it. */
export const of = (spec: Scheduled): Result.Result<Slots, ReadonlyArray<Problem>> =>
  Result.map(Schedule.cron(spec), () => {
    // Parsed again in UTC: that is the wall clock.
    const wall = Result.getOrThrow(Schedule.cron({ schedule: spec.schedule }))
    const zone = Option.getOrThrow(DateTime.zoneMakeNamed(spec.timeZone ?? "UTC"))
    return { wall, zone, isThroughTheDay: wall.onDstOverlap === "both" }
  })

const nextWall = (wall: Cron.Cron, afterMillis: number): number | undefined =>
  Result.getOrUndefined(Result.try(() => Cron.next(wall, afterMillis).getTime()))

/**
 * The first slot after an instant; `undefined` when there is none. Clocks put back: a schedule that runs all through
 * the day has slots in both showings of the doubled span, a fixed time in the first. Clocks put forward: a slot that
 * would be skipped is at the first instant after, save where the schedule runs in every hour anyway.
 */
export const next = (slots: Slots, afterMillis: number): number | undefined => {
  const span = WallClock.doubled(slots.zone, afterMillis)
  if (span === undefined) return nextShown(slots, afterMillis + WallClock.offsetMillis(slots.zone, afterMillis))
  const first = nextShown(
    slots,
    afterMillis < span.againMillis
      ? afterMillis + WallClock.offsetMillis(slots.zone, afterMillis)
      : span.untilMillis + span.offsetMillis - 1
  )
  const second = slots.isThroughTheDay ? nextShownAgain(slots, span, afterMillis) : undefined
  return second === undefined || (first !== undefined && first < second) ? first : second
}

const nextShown = (slots: Slots, afterWallMillis: number): number | undefined => {
  let wallMillis = nextWall(slots.wall, afterWallMillis)
  while (wallMillis !== undefined) {
    const instant = WallClock.instant(slots.zone, wallMillis)
    if (instant._tag === "Shown" || !runsInEveryHour(slots)) return instant.atMillis
    wallMillis = nextWall(slots.wall, wallMillis)
  }
  return undefined
}

const nextShownAgain = (slots: Slots, span: WallClock.Doubled, afterMillis: number): number | undefined => {
  const wallMillis = nextWall(slots.wall, Math.max(afterMillis, span.againMillis - 1) + span.offsetMillis)
  if (wallMillis === undefined) return undefined
  const atMillis = wallMillis - span.offsetMillis
  return atMillis < span.untilMillis ? atMillis : undefined
}

/** An empty set of hours is every hour. */
const runsInEveryHour = (slots: Slots): boolean => slots.wall.hours.size === 0

/** The last slot in `(after, until]`. */
export const latest = (slots: Slots, afterMillis: number, untilMillis: number): number | undefined => {
  const slotWithin = (after: number) => {
    const slot = next(slots, after)
    return slot !== undefined && slot <= untilMillis ? slot : undefined
  }
  let found = slotWithin(afterMillis)
  if (found === undefined || slotWithin(found) === undefined) return found
  // Halving, not walking: a schedule of every minute has half a million slots in a year.
  let noneAfter = untilMillis
  while (noneAfter - found > 1000) {
    const middle: number = Math.floor((found + noneAfter) / 2)
    const slot = slotWithin(middle)
    if (slot === undefined) noneAfter = middle
    else found = slot
  }
  return found
}

/** A run of slots, in order of time. */
export interface Passed {
  readonly firstMillis: number
  readonly lastMillis: number
  readonly count: number
  /** True when there are more than `count`: counting ends at `countLimit`. */
  readonly isAtLeast: boolean
}

/** Slots that are counted one by one; beyond, "at least". The same limit as a CronJob's. */
export const countLimit = 100

/** The slots in `(after, until]`; `undefined` when there are none. */
export const passed = (slots: Slots, afterMillis: number, untilMillis: number): Passed | undefined => {
  const lastMillis = latest(slots, afterMillis, untilMillis)
  const firstMillis = next(slots, afterMillis)
  if (lastMillis === undefined || firstMillis === undefined) return undefined
  let count = 1
  for (let at: number | undefined = firstMillis; at !== undefined && at < lastMillis && count < countLimit; count++) {
    at = next(slots, at)
    if (at === lastMillis) return { firstMillis, lastMillis, count: count + 1, isAtLeast: false }
  }
  return { firstMillis, lastMillis, count, isAtLeast: firstMillis !== lastMillis }
}

/** Seconds between the next two slots after an instant; `undefined` when there are no two. */
export const intervalSeconds = (slots: Slots, afterMillis: number): number | undefined => {
  const first = next(slots, afterMillis)
  const second = first === undefined ? undefined : next(slots, first)
  return first === undefined || second === undefined ? undefined : (second - first) / 1000
}
