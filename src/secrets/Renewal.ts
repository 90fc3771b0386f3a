import { Clock, Effect, Equal, Semaphore } from "effect"

/**
 * How long refused credentials may wait for their Secret to change, in milliseconds. A mounted Secret follows its resource
 * within the kubelet's sync period, a minute by default, and what its cache adds to that. Source: Kubernetes
 * documentation, Secrets, "Mounted Secrets are updated automatically".
 */
export const patienceMillis = 120_000

const lookMillis = 2_000

/** Credentials, or whatever holds them, that may be replaced at their source while they are in use. */
export interface Renewal<A> {
  /**
   * What stands at the source now, if it differs from what was given last; to be asked when that was refused. Where nothing
   * has changed yet, `isWorthWaiting` waits for that, for two minutes in all; after them, as without it, the answer is
   * undefined at once, until something changes.
   */
  readonly renewed: (isWorthWaiting: boolean) => Effect.Effect<A | undefined>
}

/**
 * `first` was read and is in use. A source that cannot be read, as in the middle of an update, has not changed. Values are
 * compared by content, `Redacted` ones by what they hide.
 */
export const make = <A, E>(first: A, read: Effect.Effect<A, E>): Renewal<A> => {
  const asking = Semaphore.makeUnsafe(1)
  let last = first
  let isPatient = true

  const changed = Effect.map(
    Effect.catch(read, () => Effect.succeed(last)),
    (now) => {
      if (Equal.equals(now, last)) return undefined
      last = now
      isPatient = true
      return now
    }
  )

  const waited = Effect.gen(function* () {
    const begunMillis = yield* Clock.currentTimeMillis
    while ((yield* Clock.currentTimeMillis) - begunMillis < patienceMillis) {
      yield* Effect.sleep(lookMillis)
      const now = yield* changed
      if (now !== undefined) return now
    }
    isPatient = false
    return undefined
  })

  return {
    renewed: (isWorthWaiting) =>
      asking.withPermit(
        Effect.flatMap(changed, (now) =>
          now !== undefined || !isPatient || !isWorthWaiting ? Effect.succeed(now) : waited
        )
      )
  }
}
