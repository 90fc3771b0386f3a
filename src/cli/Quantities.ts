/** Numbers as people read them: `1.40 GB`, `2,097,152`, `1m 12s`. Decimal units, as storage is sold and billed. */

const units = ["B", "kB", "MB", "GB", "TB", "PB"]

/** Three digits that count. */
export const bytes = (n: number): string => {
  let value = n
  let unit = 0
  // 999,950 B would round up to 1000 kB.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${units[unit]}`
}

export const count = (n: number): string => n.toLocaleString("en-US", { maximumFractionDigits: 0 })

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
