import { Cause, Effect, Exit, FiberMap, Queue, Random, type Scope, Semaphore } from "effect"
import type { Key } from "./InformerCache.ts"
import type { ReconcileResult } from "./ReconcileContext.ts"

export interface FiberSettings {
  /** Reconciles at the same time, over all resources. */
  readonly parallel: number
  /** How often every resource is reconciled even if nothing happens, give or take a tenth. */
  readonly resyncMillis: number
  /** Wait after the first failed reconcile; doubles with each further one up to `longestBackoffMillis`. */
  readonly firstBackoffMillis: number
  readonly longestBackoffMillis: number
}

export const defaults: FiberSettings = {
  parallel: 16,
  resyncMillis: 600_000,
  firstBackoffMillis: 500,
  // Every resource recovers within this time after an outage, and during one a thousand resources cause 17 reconciles a
  // second.
  longestBackoffMillis: 60_000
}

export interface ReconcileFibers {
  /** Something happened to the resource: reconcile it soon. Many calls before the reconcile count as one. */
  readonly wake: (key: Key) => void
  /** Resources that wait to be reconciled now. */
  readonly depth: () => number
  readonly size: () => number
}

/**
 * One fiber per resource, for as long as the scope lasts: it sleeps until its resource is woken, until the time that
 * the last reconcile named, or until the resync, and then reconciles. So one resource is never reconciled twice at
 * once, however often it is woken, and a resource whose reconciles fail backs off alone. `onFailure` is called for
 * every failed reconcile, defects included; it may answer how long to wait at least before the next one, in
 * milliseconds.
 */
export const make = <E>(
  reconcile: (key: Key) => Effect.Effect<ReconcileResult, E>,
  onFailure: (key: Key, cause: Cause.Cause<E>) => Effect.Effect<number | void>,
  settings: FiberSettings = defaults
): Effect.Effect<ReconcileFibers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const fibers = yield* FiberMap.make<Key>()
    const wakeups = new Map<Key, Queue.Queue<void>>()
    const permits = yield* Semaphore.make(settings.parallel)
    const services = yield* Effect.context<never>()
    const fork = Effect.runForkWith(services)
    let depth = 0

    const loop = Effect.fnUntraced(function* (key: Key, wakeup: Queue.Queue<void>) {
      let failures = 0
      while (true) {
        depth++
        const exit = yield* permits.withPermit(
          Effect.andThen(
            Effect.sync(() => void depth--),
            Effect.exit(reconcile(key))
          )
        )
        // Interrupted: the scope closes, and this fiber with it.
        if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) return
        let millis = yield* resync(settings.resyncMillis)
        if (Exit.isFailure(exit)) {
          const leastMillis = (yield* onFailure(key, exit.cause)) ?? 0
          millis = yield* backoff(settings, failures++)
          // The API server asked for this pause: no wake-up shortens it.
          if (leastMillis > 0) yield* Effect.sleep(leastMillis)
          millis = Math.max(0, millis - leastMillis)
        } else {
          failures = 0
          if (exit.value._tag === "Gone") {
            // Before anything else can run: a wake-up of this key from now on makes a new fiber.
            wakeups.delete(key)
            return
          }
          millis = Math.min(millis, Math.max(0, exit.value.millis))
        }
        yield* Effect.timeoutOption(Queue.take(wakeup), millis)
        // After a failure the wait matters, woken or not; but what happened may be the cure, so half of it is enough.
        if (Exit.isFailure(exit)) yield* Effect.sleep(Math.min(millis / 2, 1000))
      }
    })

    const wake = (key: Key): void => {
      const known = wakeups.get(key)
      if (known !== undefined) return void Queue.offerUnsafe(known, undefined)
      const wakeup = Effect.runSyncWith(services)(Queue.sliding<void>(1))
      wakeups.set(key, wakeup)
      fork(FiberMap.run(fibers, key, loop(key, wakeup)))
    }

    yield* Effect.addFinalizer(() => Effect.sync(() => wakeups.clear()))
    return { wake, depth: () => depth, size: () => wakeups.size }
  })

const jitter = (millis: number) => Effect.map(Random.next, (r) => Math.round(millis * (0.9 + 0.2 * r)))

const resync = (millis: number) => jitter(millis)

const backoff = ({ firstBackoffMillis, longestBackoffMillis }: FiberSettings, failures: number) =>
  jitter(Math.min(longestBackoffMillis, firstBackoffMillis * 2 ** Math.min(failures, 30)))
