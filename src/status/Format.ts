/** Sizes, numbers and times as texts of a status: for people, and always the same text for the same value. */

const units = ["B", "kB", "MB", "GB", "TB", "PB"]

/** `1.07 GB`: three significant digits in decimal units, as storage is sold and as the command line shows it. */
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

/** `1,000,000`. */
export const count = (n: number): string => n.toLocaleString("en-US", { maximumFractionDigits: 0 })

/** `12s`, `5m12s`, `2h5m`. */
export const duration = (millis: number): string => {
  const seconds = Math.max(0, Math.round(millis / 1000))
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes}m${seconds % 60}s` : `${Math.floor(minutes / 60)}h${minutes % 60}m`
}

const lastMillis = Date.parse("9999-12-31T23:59:59Z")

/** An instant as Kubernetes writes it: RFC 3339, UTC, fractions of the second cut off. */
export const time = (millis: number): string =>
  new Date(Math.min(lastMillis, Math.max(0, millis))).toISOString().replace(/[.][0-9]+Z$/, "Z")

/** Milliseconds since 1970 of a text that `time` wrote. */
export const millis = (time: string): number => Date.parse(time)

const utf8 = new TextEncoder()

/** Bytes of a text in UTF-8. */
export const byteLength = (text: string): number => utf8.encode(text).length

/**
 * The text, or as much of its front as fits into this many bytes of UTF-8, ending in `…`. Cutting twice changes
 * nothing.
 */
export const cut = (text: string, maxBytes: number): string => {
  if (byteLength(text) <= maxBytes) return text
  const room = maxBytes - 3
  let used = 0
  let kept = ""
  for (const character of text) {
    used += byteLength(character)
    if (used > room) break
    kept += character
  }
  return `${kept}…`
}

/** The text on one line: a server may send anything. */
export const line = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").trim()

/** `a.` and `a` become `a.`, so that sentences can follow one another. */
export const sentence = (text: string): string => (/[.!?…]$/u.test(text.trim()) ? text.trim() : `${text.trim()}.`)
