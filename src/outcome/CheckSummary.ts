import { Schema } from "effect"

/** One thing that a run needs and that does not work, with what to do. */
export const CheckFailure = Schema.Struct({
  side: Schema.Literals(["storage", "kafka"]),
  reason: Schema.String,
  message: Schema.String,
  advice: Schema.String
})
export type CheckFailure = typeof CheckFailure.Type

/** What the command check found: of each side the first failure; none where everything works. */
export const CheckSummary = Schema.Struct({ failures: Schema.Array(CheckFailure) })
export type CheckSummary = typeof CheckSummary.Type

/** Most characters of a message and of an advice, so that two failures fit beside the rest of a summary. */
const longest = { reason: 64, message: 400, advice: 200 }

const short = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/u, "")}…`

/** The first failure of each side, with texts of at most two kilobytes together at a share of 1. */
export const shortened = ({ failures }: CheckSummary, share: number): CheckSummary => ({
  failures: (["storage", "kafka"] as const).flatMap((side) => {
    const first = failures.find((failure) => failure.side === side)
    if (first === undefined) return []
    const { advice, message, reason } = first
    return [
      {
        side,
        reason: short(reason, longest.reason),
        message: short(message, longest.message * share),
        advice: short(advice, longest.advice * share)
      }
    ]
  })
})
