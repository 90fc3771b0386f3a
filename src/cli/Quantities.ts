/** Numbers as people read them: `1.40 GB`, `2,097,152`, `1m 12s`. Decimal units, as storage is sold and billed. */

/** The same words as in a status. */
export { bytes, count } from "../status/Format.ts"

/** Tenths below ten seconds, then seconds, then minutes. */
export const duration = (millis: number): string => {
  if (millis < 9950) return `${(Math.max(0, millis) / 1000).toFixed(1)}s`
  const seconds = Math.round(millis / 1000)
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}

/** RFC 3339, whole seconds, UTC. */
export const instant = (millis: number): string => new Date(millis).toISOString().replace(/\.\d{3}Z$/, "Z")

/** `offset 20`, `offsets 20-29`; `until` is the first one that does not count. */
export const offsets = (from: number, until: number): string =>
  until - from === 1 ? `offset ${from}` : `offsets ${from}-${until - 1}`
