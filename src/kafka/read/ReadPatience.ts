import { reasonFor } from "./ErrorCodeClass.ts"
import { ErrorCode } from "../ErrorCode.ts"
import type { FetchOutcome } from "./FetchOutcome.ts"
import { KafkaError, type KafkaReason, LogTruncated, Stalled, TopicVanished } from "../KafkaError.ts"
import type { ReadRequest } from "../KafkaSource.ts"
import type { SourceOptions } from "./SourceOptions.ts"

/** When to make the next attempt after one without progress. */
export type NextAttempt =
  | { readonly _tag: "AtOnce" }
  | { readonly _tag: "After"; readonly millis: number }
  /** After the wait that follows this number of earlier failures. */
  | { readonly _tag: "BackedOff"; readonly failures: number }
  | { readonly _tag: "Never"; readonly error: KafkaError }

/** The state of the reader at the time of an outcome. */
export interface ReadState {
  readonly nowMillis: number
  readonly position: number
  readonly maxBytes: number
  /** The newest metadata still names the topic. */
  readonly isNamed: boolean
}

/** Decides after each attempt at one position whether to go on. Has no effects and no clock. */
export interface ReadPatience {
  readonly next: (outcome: FetchOutcome, state: ReadState) => NextAttempt
  /** How long answers have been successful and empty, in milliseconds; undefined if the last one was not. */
  readonly emptyMillis: (nowMillis: number) => number | undefined
}

/** How often an invalid answer is fetched again before its error is reported. */
const unsoundRefetches = 2
/** Redirections followed at once; further ones are followed with waits, in case brokers redirect in circles. */
const freeRedirects = 2
/** Answers with data but without progress before the read fails. */
const stuckAnswers = 2

const atOnce: NextAttempt = { _tag: "AtOnce" }
const never = (error: KafkaError): NextAttempt => ({ _tag: "Never", error })

/** `startedMillis`: when the first attempt at this position began. */
export const makeReadPatience = (
  options: SourceOptions,
  { topic, partition, until }: ReadRequest,
  startedMillis: number
): ReadPatience => {
  let failures = 0
  let unsound = 0
  let stuck = 0
  let redirects = 0
  let throttledMillis = 0
  let missingSince: number | undefined
  let emptySince: number | undefined

  const backedOff = (): NextAttempt => ({ _tag: "BackedOff", failures: failures++ })
  const failed = (reason: KafkaReason) => never(new KafkaError({ operation: "fetch", reason }))

  const next = (outcome: FetchOutcome, { nowMillis, position, maxBytes, isNamed }: ReadState): NextAttempt => {
    const stalled = (detail: string) => failed(new Stalled({ topic, partition, position, until, detail }))
    const isSpent = nowMillis - startedMillis - throttledMillis >= options.noProgressMillis
    missingSince = outcome._tag === "Missing" ? (missingSince ?? nowMillis) : undefined
    emptySince = outcome._tag === "Empty" ? (emptySince ?? nowMillis) : undefined
    switch (outcome._tag) {
      case "Progress":
        return atOnce
      case "Failed":
        return never(outcome.error)
      case "Moved":
        return isSpent ? never(outcome.error) : backedOff()
      case "OutOfRange":
        // The reader asks the leader for its offsets; without an answer the outcome counts like a moved leader.
        return isSpent
          ? stalled(`the broker reports offset ${position} as out of range and in range alternately`)
          : backedOff()
      case "Missing":
        if (!isNamed && nowMillis - missingSince! >= options.vanishedMillis) return failed(new TopicVanished({ topic }))
        if (!isSpent) return backedOff()
        if (!isNamed) return stalled("metadata names the topic and omits it alternately")
        return failed(
          reasonFor(ErrorCode.unknownTopicOrPartition, topic, "Read", `fetching ${topic}[${partition}] from its leader`)
        )
      case "Redirected":
        if (isSpent) return stalled("each broker redirects the fetch to another one")
        return failures > 0 || ++redirects > freeRedirects ? backedOff() : atOnce
      case "CutShort":
        if (outcome.neededBytes <= options.maxFetchBytes && maxBytes < options.maxFetchBytes) return atOnce
        return stalled(
          `the next batch has ${outcome.neededBytes} bytes, and a fetch returns at most ${options.maxFetchBytes} bytes`
        )
      case "Throttled":
        throttledMillis += outcome.millis
        if (!isSpent && throttledMillis < options.throttledMillis) return { _tag: "After", millis: outcome.millis }
        return stalled(`the quota of the broker throttled the fetches for ${throttledMillis} ms, and no data arrived`)
      case "Empty": {
        const { highWatermark: logEnd } = outcome
        const isTruncated = logEnd >= 0 && logEnd < until
        if (isTruncated && nowMillis - emptySince! >= options.vanishedMillis) {
          return failed(new LogTruncated({ topic, partition, position: until, logEnd }))
        }
        return isSpent ? stalled("the leader answers without an error, but sends no data") : backedOff()
      }
      case "Stuck":
        if (++stuck < stuckAnswers) return atOnce
        return stalled(`an answer of ${outcome.bytes} bytes holds no record at or beyond the requested offset`)
      case "Unsound":
        return ++unsound > unsoundRefetches ? never(outcome.error) : { _tag: "BackedOff", failures: unsound }
    }
  }

  return { next, emptyMillis: (nowMillis) => (emptySince === undefined ? undefined : nowMillis - emptySince) }
}
