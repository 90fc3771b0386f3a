import { Cause, Formatter, Logger, References } from "effect"

/** The text of a value that JSON has no form for, or that JSON would empty; everything else as it is. */
const plain = (value: unknown): unknown => {
  if (value instanceof Error) return value.message
  return typeof value === "function" || typeof value === "symbol" ? String(value) : value
}

const text = (value: unknown): string => {
  const shown = plain(value)
  return typeof shown === "string" ? shown : Formatter.formatJson(shown)
}

/** `name`, or `fields.name` where the line has that key already: no value takes the place of another. */
const freeKey = (line: Readonly<Record<string, unknown>>, name: string): string =>
  Object.hasOwn(line, name) ? freeKey(line, `fields.${name}`) : name

/**
 * One log entry as one flat line of JSON: `time` (RFC 3339), `level` (lower case), `msg`, `error` where there is a
 * cause (its text, with the stack where there is one), then the annotations under their own names, and spans in
 * milliseconds. What is empty is left out. An annotation called like one of the first four becomes `fields.<name>`.
 */
export const format: Logger.Logger<unknown, string> = Logger.make(({ cause, date, fiber, logLevel, message }) => {
  const line: Record<string, unknown> = {
    time: date.toISOString(),
    level: logLevel.toLowerCase(),
    msg: (Array.isArray(message) ? message : [message]).map(text).join(" ")
  }
  if (cause.reasons.length > 0) line["error"] = Cause.pretty(cause)
  for (const [name, value] of Object.entries(fiber.getRef(References.CurrentLogAnnotations))) {
    if (value !== undefined) line[freeKey(line, name)] = plain(value)
  }
  for (const [name, startedMillis] of fiber.getRef(References.CurrentLogSpans)) {
    line[freeKey(line, `${name}Millis`)] = date.getTime() - startedMillis
  }
  return Formatter.formatJson(line)
})
