import { reasonFor } from "./ErrorCodeClass.ts"
import { ErrorCode } from "../ErrorCode.ts"
import type { FetchOutcome } from "./FetchOutcome.ts"
import { KafkaError, type KafkaReason, LogTruncated, Stalled, TopicVanished } from "../KafkaError.ts"
import type { ReadRequest } from "../KafkaSource.ts"
import type { SourceOptions } from "./SourceOptions.ts"

/** When to ask again after an attempt without progress. */
export type NextAttempt =
  | { readonly _tag: "AtOnce" }
  | { readonly _tag: "After"; readonly millis: number }
  /** After the wait that belongs to this many failures before. */
  | { readonly _tag: "BackedOff"; readonly failures: number }
  | { readonly _tag: "Never"; readonly error: KafkaError }

/** What the reader knows at the moment of an outcome. */
export interface ReadState {
  readonly nowMillis: number
  readonly position: number
  readonly maxBytes: number
  /** The newest metadata still names the topic. */
  readonly isNamed: boolean
}

/** Decides, attempt after attempt at one position, whether to go on; no effects, no clock of its own. */
export interface ReadPatience {
  readonly next: (outcome: FetchOutcome, situation: ReadState) => NextAttempt
  /** How long answers have been successful and empty, in milliseconds; undefined when the last one was not. */
  readonly emptyMillis: (nowMillis: number) => number | undefined
}

/** Refetches of an unsound answer before it is believed. */
const unsoundRefetches = 2
/** Redirections followed at once; what sends us around in circles is then followed slowly. */
const freeRedirects = 2
/** Answers with bytes but no movement before the read fails. */
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
        // The reader asks the leader what that means; left unanswered it is like a leader that moved.
        return isSpent ? stalled("the leader finds the offset out of range and in range by turns") : backedOff()
      case "Missing":
        if (!isNamed && nowMillis - missingSince! >= options.vanishedMillis) return failed(new TopicVanished({ topic }))
        if (!isSpent) return backedOff()
        if (!isNamed) return stalled("its topic comes and goes")
        return failed(
          reasonFor(ErrorCode.unknownTopicOrPartition, topic, "Read", `fetching ${topic}[${partition}] from its leader`)
        )
      case "Redirected":
        if (isSpent) return stalled("brokers send us from one to another and none answers")
        return failures > 0 || ++redirects > freeRedirects ? backedOff() : atOnce
      case "CutShort":
        if (outcome.neededBytes <= options.maxFetchBytes && maxBytes < options.maxFetchBytes) return atOnce
        return stalled(
          `the next batch has ${outcome.neededBytes} bytes and arrives cut; we fetch ${options.maxFetchBytes} bytes at most`
        )
      case "Throttled":
        throttledMillis += outcome.millis
        if (!isSpent && throttledMillis < options.throttledMillis) return { _tag: "After", millis: outcome.millis }
        return stalled(`the broker's quota held us back for ${throttledMillis} ms without a byte`)
      case "Empty": {
        const { highWatermark: logEnd } = outcome
        const isTruncated = logEnd >= 0 && logEnd < until
        if (isTruncated && nowMillis - emptySince! >= options.vanishedMillis) {
          return failed(new LogTruncated({ topic, partition, position: until, logEnd }))
        }
        return isSpent ? stalled("the leader answers without an error and without a byte") : backedOff()
      }
      case "Stuck":
        if (++stuck < stuckAnswers) return atOnce
        return stalled(`answers of ${outcome.bytes} bytes hold nothing at or beyond the offset asked for`)
      case "Unsound":
        return ++unsound > unsoundRefetches ? never(outcome.error) : { _tag: "BackedOff", failures: unsound }
    }
  }

  return { next, emptyMillis: (nowMillis) => (emptySince === undefined ? undefined : nowMillis - emptySince) }
}
