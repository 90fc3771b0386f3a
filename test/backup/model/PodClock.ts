import { Clock, Duration, Effect } from "effect"

/*
 * The clock of a machine that differs from the true time, and whose waiting takes no time: who waits for less than
 * half a minute, as for a lock, gets the answer at once, and time has passed. What waits longer (the renewal of locks,
 * the age of segments) never comes to its turn: no step of a history takes so long.
 */

/** The true time of a history. */
export interface Time {
  nowMillis: number
}

const longestWaitMillis = 30_000

/** Turns of the event loop in which work in memory comes to its end. */
const turns = 24

const turn = Effect.callback<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

export interface Waiting {
  /** Before a wait begins: this process stands still. */
  readonly frozen?: Effect.Effect<void>
  /** Somebody waits: whoever stands still may go on. */
  readonly giveWay?: Effect.Effect<void>
}

export const make = (time: Time, skewMillis: number, { frozen, giveWay }: Waiting = {}): Clock.Clock => {
  const millis = () => time.nowMillis + skewMillis
  const nanos = () => BigInt(millis()) * 1_000_000n
  const monotonic = () => BigInt(time.nowMillis) * 1_000_000n
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: monotonic,
    monotonicTimeNanos: Effect.sync(monotonic),
    sleep: (duration) =>
      Effect.gen(function* () {
        const waitMillis = Duration.toMillis(duration)
        if (waitMillis >= longestWaitMillis) return yield* Effect.never
        if (frozen !== undefined) yield* frozen
        for (let n = 0; n < turns; n++) yield* turn
        if (giveWay !== undefined) yield* giveWay
        time.nowMillis += waitMillis
      })
  }
}
