import * as Format from "../status/Format.ts"

/** Times and offsets on a terminal. Sizes, counts and instants are written as in a status: `status/Format`. */

/** `4.2s`, `12s`, `1m 12s`, `2h 5m`. */
export const duration = (millis: number): string => {
  if (millis < 9950) return `${(Math.max(0, millis) / 1000).toFixed(1)}s`
  const seconds = Math.round(millis / 1000)
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}

/** `1 topic`, `1,200 topics`. */
export const counted = (n: number, one: string): string => `${Format.count(n)} ${one}${n === 1 ? "" : "s"}`

/** `offset 20`, `offsets 20-29`; `until` is exclusive. */
export const offsets = (from: number, until: number): string =>
  until - from === 1 ? `offset ${from}` : `offsets ${from}-${until - 1}`
