/** Numbers as people read them: `1.4 GB`, `2,097,152`, `1m 12s`. Decimal units, as storage is sold and billed. */

const units = ["B", "kB", "MB", "GB", "TB", "PB"]

export const bytes = (n: number): string => {
  let value = n
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${units[unit]}`
}

export const count = (n: number): string => n.toLocaleString("en-US", { maximumFractionDigits: 0 })

export const duration = (millis: number): string => {
  const seconds = Math.max(0, Math.round(millis / 1000))
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}

export const instant = (millis: number): string => new Date(millis).toISOString().replace(/\.000Z$/, "Z")
