import { Clock, Effect } from "effect"

/**
 * A clock whose wall time is read once, and from then on advances with the monotonic clock: whoever steps the machine's
 * clock, by a second or a day, changes no duration that is measured with it.
 */
export const make = (clock: Clock.Clock): Clock.Clock => {
  const originMillis = clock.currentTimeMillisUnsafe()
  const originNanos = clock.monotonicTimeNanosUnsafe()
  const elapsedNanos = () => clock.monotonicTimeNanosUnsafe() - originNanos
  const currentTimeMillisUnsafe = () => originMillis + Number(elapsedNanos() / 1_000_000n)
  const currentTimeNanosUnsafe = () => BigInt(originMillis) * 1_000_000n + elapsedNanos()
  return {
    currentTimeMillisUnsafe,
    currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
    currentTimeNanosUnsafe,
    currentTimeNanos: Effect.sync(currentTimeNanosUnsafe),
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) => clock.sleep(duration)
  }
}

/**
 * Runs the effect on a steady clock: rate limits, breakers, sealing and patience keep their pace whatever the machine's
 * clock does.
 */
export const steadily = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Clock.clockWith((clock) => Effect.provideService(effect, Clock.Clock, make(clock)))
