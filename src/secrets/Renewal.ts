import { Effect, Equal, Semaphore } from "effect"

/**
 * How long to wait for a Secret to change after its credentials were refused, in milliseconds. A mounted Secret follows
 * its resource within the kubelet's sync period, one minute by default, plus the delay of its cache. Source: Kubernetes
 * documentation, Secrets, "Mounted Secrets are updated automatically".
 */
export const limitMillis = 120_000

const pollMillis = 2_000

/** Credentials, or a value that holds them, that may change at their source while they are in use. */
export interface Renewal<A> {
  /**
   * The present value at the source if it differs from the last one; to be called when the last one was refused. If
   * nothing has changed, `isWorthWaiting` waits up to two minutes for a change. Without it, and after the two minutes
   * until the next change, the answer is undefined at once.
   */
  readonly renewed: (isWorthWaiting: boolean) => Effect.Effect<A | undefined>
}

/**
 * `first` was read and is in use. A source that cannot be read, as in the middle of an update, counts as unchanged.
 * Values are compared by content, `Redacted` values by the hidden content.
 */
export const make = <A, E>(first: A, read: Effect.Effect<A, E>): Renewal<A> => {
  const asking = Semaphore.makeUnsafe(1)
  let last = first
  let mayWait = true

  const changed = Effect.map(
    Effect.catch(read, () => Effect.succeed(last)),
    (now) => {
      if (Equal.equals(now, last)) return undefined
      last = now
      mayWait = true
      return now
    }
  )

  const waited = Effect.gen(function* () {
    const poll = Effect.delay(changed, pollMillis)
    const now = yield* Effect.repeat(poll, {
      until: (value) => value !== undefined,
      times: limitMillis / pollMillis - 1
    })
    if (now === undefined) mayWait = false
    return now
  })

  return {
    renewed: (isWorthWaiting) =>
      asking.withPermit(
        Effect.flatMap(changed, (now) =>
          now !== undefined || !mayWait || !isWorthWaiting ? Effect.succeed(now) : waited
        )
      )
  }
}
