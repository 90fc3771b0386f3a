import { Clock, Effect, Random, Result } from "effect"
import type { KafkaError } from "../KafkaError.ts"

/** How long and how hard a source tries. Every field has a default; see `defaults`. */
export interface SourceOptions {
  /** A read fails when its position has not moved for this long, time held back by a quota not counted. */
  readonly noProgressMillis: number
  /** A read fails when a quota alone has held it back for this long without a byte. */
  readonly throttledMillis: number
  /** How long "no such topic" is taken for stale metadata before the topic counts as deleted. */
  readonly vanishedMillis: number
  /** How long success without a byte must last before the end of a compacted log is looked into. */
  readonly compactedTailMillis: number
  /** Budget of one question that is no fetch: metadata, offsets, configurations, groups. */
  readonly controlMillis: number
  /** How long a broker may hold a fetch when it has nothing to send (fetch.max.wait.ms; Kafka's default as well). */
  readonly maxWaitMillis: number
  /** Ceiling on one fetch when the request names none (max.partition.fetch.bytes; Kafka's default as well). */
  readonly fetchBytes: number
  /** The ceiling is doubled up to this when a batch arrives cut because of it. */
  readonly maxFetchBytes: number
  /** Metadata older than this is asked for again, so that a re-created topic is noticed (metadata.max.age.ms). */
  readonly metadataMillis: number
}

export const defaults: SourceOptions = {
  noProgressMillis: 5 * 60_000,
  throttledMillis: 60 * 60_000,
  vanishedMillis: 30_000,
  compactedTailMillis: 10_000,
  controlMillis: 60_000,
  maxWaitMillis: 500,
  fetchBytes: 1024 * 1024,
  maxFetchBytes: 256 * 1024 * 1024,
  metadataMillis: 5 * 60_000
}

/** Waits before attempt number `failures` + 1: 50 ms, doubling to at most 5 s, of which a random half is left out. */
export const backoff = (failures: number): Effect.Effect<void> =>
  Effect.flatMap(Random.next, (random) =>
    Effect.sleep(Math.round(Math.min(5000, 50 * 2 ** Math.min(failures, 10)) * (0.5 + random / 2)))
  )

/** Repeats a question while waiting may cure its failure, for at most `budgetMillis`; then the last failure stands. */
export const retried =
  (budgetMillis: number) =>
  <A>(question: Effect.Effect<A, KafkaError>): Effect.Effect<A, KafkaError> =>
    Effect.gen(function* () {
      const startedMillis = yield* Clock.currentTimeMillis
      for (let failures = 0; ; failures++) {
        const answer = yield* Effect.result(question)
        if (Result.isSuccess(answer)) return answer.success
        const spentMillis = (yield* Clock.currentTimeMillis) - startedMillis
        if (!answer.failure.isRetryable || spentMillis >= budgetMillis) return yield* answer.failure
        yield* backoff(failures)
      }
    })
