import { DateTime } from "effect"

/*
 * What a clock on the wall shows, as milliseconds since 1970 read as if they were UTC: arithmetic on days and hours
 * then knows nothing of summer time, and the zone's changes are dealt with here.
 */

const hour = 3_600_000
const day = 24 * hour

/** How far the zone's clocks are ahead of UTC at an instant. */
export const offsetMillis = (zone: DateTime.TimeZone.Named, atMillis: number): number =>
  zone.id === "UTC" ? 0 : DateTime.zonedOffset(DateTime.makeZonedUnsafe(atMillis, { timeZone: zone }))

/** A change of the zone's offset. Clocks put forward skip wall times, clocks put back show some twice. */
interface Change {
  readonly atMillis: number
  readonly beforeMillis: number
  readonly afterMillis: number
}

/** The change within a span too short for two of them. */
const change = (zone: DateTime.TimeZone.Named, fromMillis: number, untilMillis: number): Change | undefined => {
  const beforeMillis = offsetMillis(zone, fromMillis)
  const afterMillis = offsetMillis(zone, untilMillis)
  if (beforeMillis === afterMillis) return undefined
  let [before, at] = [fromMillis, untilMillis]
  while (at - before > 1) {
    const middle = Math.floor((before + at) / 2)
    if (offsetMillis(zone, middle) === beforeMillis) before = middle
    else at = middle
  }
  return { atMillis: at, beforeMillis, afterMillis }
}

/** Where a wall time lies on the time line; in a doubled span, where it is shown first. */
export type Instant =
  | { readonly _tag: "Shown"; readonly atMillis: number }
  /** Never shown: clocks were put forward over it, at this instant. */
  | { readonly _tag: "SkippedOver"; readonly atMillis: number }

export const instant = (zone: DateTime.TimeZone.Named, wallMillis: number): Instant => {
  const before = offsetMillis(zone, wallMillis - day)
  const after = offsetMillis(zone, wallMillis + day)
  for (const offset of before === after ? [] : [before, after]) {
    const atMillis = wallMillis - offset
    if (offsetMillis(zone, atMillis) === offset) return { _tag: "Shown", atMillis }
  }
  const skip = change(zone, wallMillis - day, wallMillis + day)
  return skip === undefined
    ? { _tag: "Shown", atMillis: wallMillis - before }
    : { _tag: "SkippedOver", atMillis: skip.atMillis }
}

/** A span that the clocks show twice. */
export interface Doubled {
  /** When the clocks are put back: the second showing begins. */
  readonly againMillis: number
  /** End of the second showing, not in it. */
  readonly untilMillis: number
  /** Offset during the second showing. */
  readonly offsetMillis: number
}

/** The doubled span that an instant lies in, in its first or second showing. */
export const doubled = (zone: DateTime.TimeZone.Named, atMillis: number): Doubled | undefined => {
  const turn = change(zone, atMillis - 6 * hour, atMillis + 6 * hour)
  if (turn === undefined) return undefined
  const length = turn.beforeMillis - turn.afterMillis
  const isInside = turn.atMillis - length <= atMillis && atMillis < turn.atMillis + length
  return isInside
    ? { againMillis: turn.atMillis, untilMillis: turn.atMillis + length, offsetMillis: turn.afterMillis }
    : undefined
}
