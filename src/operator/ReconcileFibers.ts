import { Cause, Effect, Exit, FiberMap, Queue, Random, type Scope, Semaphore } from "effect"
import type { Key } from "./InformerCache.ts"

/** What a look at a resource asks for. */
export type ReconcileResult =
  /** Nothing is left to look at: the resource is gone. */
  | { readonly _tag: "Gone" }
  /** Look again at the latest then, in milliseconds from now; earlier when something happens. */
  | { readonly _tag: "After"; readonly millis: number }

export interface FiberSettings {
  /** Looks at the same time, over all resources. */
  readonly parallel: number
  /** Everything is looked at this often, whatever happens, give or take a tenth. */
  readonly resyncMillis: number
  /** Wait after the first failed look; doubles with each further one up to `longestBackoffMillis`. */
  readonly firstBackoffMillis: number
  readonly longestBackoffMillis: number
}

export const defaults: FiberSettings = {
  parallel: 16,
  resyncMillis: 600_000,
  firstBackoffMillis: 500,
  // After an outage everything is well again within this time, and during one a thousand resources ask twenty times a second.
  longestBackoffMillis: 60_000
}

export interface ReconcileFibers {
  /** Something happened to the resource: look at it soon. Many calls before the look are one. */
  readonly wake: (key: Key) => void
  /** Resources that wait to be looked at now. */
  readonly depth: () => number
  readonly size: () => number
}

/**
 * One fiber per resource, for as long as the scope lasts: it sleeps until its resource is woken, a time that the last look
 * named, or the resync, and then looks. So one resource is never looked at twice at once, however often it is woken, and a
 * resource whose looks fail backs off alone. `onFailure` hears of every failed look, defects included; it may answer how long nobody is
 * to try again, in milliseconds.
 */
export const make = <E>(
  look: (key: Key) => Effect.Effect<ReconcileResult, E>,
  onFailure: (key: Key, cause: Cause.Cause<E>) => Effect.Effect<number | void>,
  settings: FiberSettings = defaults
): Effect.Effect<ReconcileFibers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const fibers = yield* FiberMap.make<Key>()
    const nudges = new Map<Key, Queue.Queue<void>>()
    const permits = yield* Semaphore.make(settings.parallel)
    const services = yield* Effect.context<never>()
    const fork = Effect.runForkWith(services)
    let depth = 0

    const live = Effect.fnUntraced(function* (key: Key, nudge: Queue.Queue<void>) {
      let failures = 0
      while (true) {
        depth++
        const exit = yield* permits.withPermit(
          Effect.andThen(
            Effect.sync(() => void depth--),
            Effect.exit(look(key))
          )
        )
        // Interrupted: the scope closes, and this fiber with it.
        if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) return
        let millis = yield* resync(settings.resyncMillis)
        if (Exit.isFailure(exit)) {
          const leastMillis = (yield* onFailure(key, exit.cause)) ?? 0
          millis = yield* backoff(settings, failures++)
          // Whatever happens meanwhile: who asked to be left alone is.
          if (leastMillis > 0) yield* Effect.sleep(leastMillis)
          millis = Math.max(0, millis - leastMillis)
        } else {
          failures = 0
          if (exit.value._tag === "Gone") {
            // Before anything else can run: whoever wakes this key from now on makes a new fiber.
            nudges.delete(key)
            return
          }
          millis = Math.min(millis, Math.max(0, exit.value.millis))
        }
        yield* Effect.timeoutOption(Queue.take(nudge), millis)
        // After a failure the wait is the point, nudged or not; yet what happened may well be the cure, so half of it is enough.
        if (Exit.isFailure(exit)) yield* Effect.sleep(Math.min(millis / 2, 1000))
      }
    })

    const wake = (key: Key): void => {
      const known = nudges.get(key)
      if (known !== undefined) return void Queue.offerUnsafe(known, undefined)
      const nudge = Effect.runSyncWith(services)(Queue.sliding<void>(1))
      nudges.set(key, nudge)
      fork(FiberMap.run(fibers, key, live(key, nudge)))
    }

    yield* Effect.addFinalizer(() => Effect.sync(() => nudges.clear()))
    return { wake, depth: () => depth, size: () => nudges.size }
  })

const jitter = (millis: number) => Effect.map(Random.next, (r) => Math.round(millis * (0.9 + 0.2 * r)))

const resync = (millis: number) => jitter(millis)

const backoff = ({ firstBackoffMillis, longestBackoffMillis }: FiberSettings, failures: number) =>
  jitter(Math.min(longestBackoffMillis, firstBackoffMillis * 2 ** Math.min(failures, 30)))
