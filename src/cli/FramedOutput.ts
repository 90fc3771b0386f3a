import { Effect } from "effect"
import { OutputEnded } from "./StandardOutput.ts"

/*
 * Kubernetes keeps both outputs of a container as one log. A process that is told so marks what it writes to standard
 * output: lines of JSON, `{"stdout":"…"}`, and at its end `{"stdoutLength":n}`, the UTF-16 units of all of them. Every
 * other line is of standard error. Whoever reads the log has the result exactly as it was written, or knows that it is
 * cut off.
 */

/** Environment variable of the process that is to do so, and its value. */
export const variable = "KAFKA_BACKUP_OUTPUT"
export const framed = "framed"

/** Longest text in one line, in UTF-16 units: container runtimes cut lines at 16 KiB and have to join them again. */
const longest = 2048

const line = (text: string): string => `${JSON.stringify({ stdout: text })}\n`

/** Pieces that do not cut a character in two. */
const pieces = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (let at = 0; at < text.length;) {
    let until = Math.min(text.length, at + longest)
    const isHigh = /[\uD800-\uDBFF]/u.test(text[until - 1]!)
    if (isHigh && until < text.length) until--
    found.push(text.slice(at, until))
    at = until
  }
  return found
}

export const encode = (text: string): string => pieces(text).map(line).join("")

export const ending = (length: number): string => `${JSON.stringify({ stdoutLength: length })}\n`

/** A writer that marks what it is given, and what ends it. */
export const writer = (write: (text: string) => Effect.Effect<void, OutputEnded>) => {
  let length = 0
  return {
    write: (text: string): Effect.Effect<void, OutputEnded> =>
      Effect.suspend(() => {
        length += text.length
        return write(encode(text))
      }),
    end: Effect.suspend(() => write(ending(length)))
  }
}

/** One line of a log. */
export type Line =
  | { readonly _tag: "Output"; readonly text: string }
  | { readonly _tag: "End"; readonly length: number }
  | { readonly _tag: "Other"; readonly text: string }

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Total: what is no mark is a line of standard error. */
export const decode = (text: string): Line => {
  const other: Line = { _tag: "Other", text }
  if (!text.startsWith('{"stdout')) return other
  const found = parsed(text)
  if (typeof found !== "object" || found === null) return other
  if ("stdout" in found && typeof found.stdout === "string") return { _tag: "Output", text: found.stdout }
  if ("stdoutLength" in found && typeof found.stdoutLength === "number")
    return { _tag: "End", length: found.stdoutLength }
  return other
}
