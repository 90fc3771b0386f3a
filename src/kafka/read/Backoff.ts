import { Clock, Effect, Random, Schedule } from "effect"
import type { KafkaError } from "../KafkaError.ts"

const firstMillis = 50
const mostMillis = 5000

/**
 * The wait after `failures` + 1 failures: 50 ms, doubling to at most 5 s, of which a random part of up to half is cut.
 */
const delayMillis = (failures: number) =>
  Effect.map(Random.next, (random) =>
    Math.round(Math.min(mostMillis, firstMillis * 2 ** Math.min(failures, 10)) * (0.5 + random / 2))
  )

/**
 * Waits after `failures` + 1 failures. For loops whose count of failures restarts with every progress, which a Schedule
 * cannot do.
 */
export const wait = (failures: number): Effect.Effect<void> => Effect.flatMap(delayMillis(failures), Effect.sleep)

/** The same waits, one after the other. */
const schedule = Schedule.forever.pipe(Schedule.modifyDelay(({ attempt }) => delayMillis(attempt - 1)))

/**
 * Repeats a request while waiting may cure its failure, for at most `limitMillis`; then the last failure is the answer.
 */
export const retried =
  (limitMillis: number) =>
  <A>(request: Effect.Effect<A, KafkaError>): Effect.Effect<A, KafkaError> =>
    Effect.flatMap(Clock.currentTimeMillis, (startedMillis) =>
      Effect.retry(request, {
        schedule,
        while: ({ isRetryable }) =>
          Effect.map(Clock.currentTimeMillis, (nowMillis) => isRetryable && nowMillis - startedMillis < limitMillis)
      })
    )
