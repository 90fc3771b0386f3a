import { Cause, Clock, Duration, Effect, Exit, Option, Random, type Scope } from "effect"
import { CircuitBreaker } from "effect/persistence"
import type { CircuitBreakerSpec } from "../resource/LimitsSpec.ts"
import * as Retry from "../storage/Retry.ts"
import type { Journal } from "./BreakerJournal.ts"

export interface BreakerSettings {
  /** Failures in a row that open a breaker. */
  readonly failureThreshold: number
  /** How long an open breaker lets nothing through. */
  readonly resetMillis: number
  /** How long a target may go without a success before calls to it fail. */
  readonly budgetMillis: number
}

/** Least time without a success after which a run gives up: ten minutes. */
const leastBudgetMillis = 10 * 60_000

/**
 * The settings of a spec; undefined if it disables breakers. A run gives up on a target after ten minutes without a
 * success, or after two reset times plus one minute if that is longer, so that at least two probes are made.
 */
export const settings = (spec: CircuitBreakerSpec): BreakerSettings | undefined => {
  if (!spec.enabled) return undefined
  const resetMillis = spec.resetTimeoutSecs * 1000
  return {
    failureThreshold: spec.failureThreshold,
    resetMillis,
    budgetMillis: Math.max(leastBudgetMillis, 2 * resetMillis + 60_000)
  }
}

/** What a failure shows about its target: waiting may help, the target works and has answered, or neither. */
export type FailureClass = "unavailable" | "answered" | "unrelated"

/** How the failures of one port count for a breaker. */
export interface FailureClassifier<E> {
  readonly classify: (error: E) => FailureClass
  /** How long the target asked its clients to wait. */
  readonly retryAfterMillis: (error: E) => number | undefined
  /** The error that a call ends with when its target had no success for `millis`; `last` is the last failure. */
  readonly timedOut: (last: E, millis: number) => E
}

/** A check to repeat while a call is held back; its failure becomes the failure of the call. */
export interface WhileWaiting<E> {
  readonly everyMillis: number
  readonly check: Effect.Effect<void, E>
}

/** The breaker of one target. */
export interface Breaker<E extends Error> {
  /**
   * Makes the call once, as soon as the breaker lets it through; fails with the last failure if the budget ends first.
   */
  readonly attempt: <A>(call: Effect.Effect<A, E>, whileWaiting?: WhileWaiting<E>) => Effect.Effect<A, E>
  /**
   * Repeats the call until it succeeds or fails for good. Waits 200 ms, doubling to 8 s, with jitter, and never less
   * than the target asked for; time at an open breaker replaces these waits. Gives up when the target, or this call
   * while the breaker is closed, has had no success for the whole budget, or when the target asks to wait for longer
   * than that.
   */
  readonly retry: <A>(once: (earlier: number) => Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** The breakers of one run, one for each target. */
export interface Breakers {
  readonly of: <E extends Error>(target: string, classifier: FailureClassifier<E>) => Breaker<E>
}

/** How often waiting calls check whether the probe has ended. */
const probePollMillis = 250

/** How a call that had to pass the breaker went: it was made, or the budget ended before it could be. */
type Passage<A, E> =
  | { readonly _tag: "Made"; readonly exit: Exit.Exit<A, E>; readonly waitedMillis: number }
  | { readonly _tag: "TimedOut"; readonly error: E }

/** The failures since the last success. */
interface Outage<E> {
  readonly sinceMillis: number
  readonly last: E
}

export const make = (settings: BreakerSettings, journal: Journal): Effect.Effect<Breakers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const circuits = yield* CircuitBreaker.make({
      tripPolicy: CircuitBreaker.consecutive(settings.failureThreshold),
      openDuration: settings.resetMillis
    })
    return { of: (target, classifier) => makeOne(circuits, settings, journal, target, classifier) } satisfies Breakers
  }).pipe(Effect.provide(CircuitBreaker.layerStoreMemory({ idleTimeToLive: "1 day" }), { local: true }))

const makeOne = <E extends Error>(
  circuits: CircuitBreaker.CircuitBreaker,
  { budgetMillis }: BreakerSettings,
  journal: Journal,
  target: string,
  classifier: FailureClassifier<E>
): Breaker<E> => {
  let outage: Outage<E> | undefined
  let isOpen = false

  const stateNow = Effect.orDie(circuits.state(target))

  const errorOf = (exit: Exit.Exit<unknown, E>): E | undefined =>
    Exit.isSuccess(exit) ? undefined : Option.getOrUndefined(Cause.findErrorOption(exit.cause))

  const outcomeOf = (exit: Exit.Exit<unknown, E>): CircuitBreaker.Outcome => {
    if (Exit.isSuccess(exit)) return CircuitBreaker.success
    const error = errorOf(exit)
    if (error === undefined) return CircuitBreaker.ignored
    switch (classifier.classify(error)) {
      case "unavailable": {
        const retryAfter = classifier.retryAfterMillis(error)
        return CircuitBreaker.failure(retryAfter === undefined ? {} : { retryAfter })
      }
      case "answered":
        return CircuitBreaker.success
      case "unrelated":
        return CircuitBreaker.ignored
    }
  }

  /** Keeps account of an outcome, and logs when it opens or closes the breaker. */
  const record = Effect.fnUntraced(function* (exit: Exit.Exit<unknown, E>) {
    const outcome = outcomeOf(exit)
    const isUnchanged = outcome._tag === "Success" && outage === undefined && !isOpen
    if (isUnchanged || outcome._tag === "Ignored") return
    const nowMillis = yield* Clock.currentTimeMillis
    if (outcome._tag === "Success") {
      outage = undefined
      // A call that was under way before the breaker opened does not close it by succeeding.
      if (!isOpen || (yield* stateNow)._tag !== "Closed") return
      isOpen = false
      const waitedMillis = journal.closed(target, nowMillis)
      yield* Effect.logInfo("resumed: the target answers again").pipe(Effect.annotateLogs({ target, waitedMillis }))
      return
    }
    const error = errorOf(exit)
    if (error === undefined) return
    outage = { sinceMillis: outage?.sinceMillis ?? nowMillis, last: error }
    const state = yield* stateNow
    if (state._tag !== "Open") return
    const pauseMillis = Duration.toMillis(state.retryAfter)
    journal.opened(target, error.message, nowMillis + pauseMillis, nowMillis, outage.sinceMillis)
    if (isOpen) return
    isOpen = true
    yield* Effect.logWarning("paused: the target does not answer").pipe(
      Effect.annotateLogs({ target, cause: error.message, pauseMillis })
    )
  })

  /** Waits until the breaker lets `call` through, then makes it. */
  const pass = <A>(call: Effect.Effect<A, E>, whileWaiting?: WhileWaiting<E>): Effect.Effect<Passage<A, E>, E> =>
    Effect.suspend(() => {
      let isWaiting = false
      let begunMillis = 0
      // The exit is passed as a value, so that a refusal by the breaker is not mistaken for a failure of the call.
      const once = circuits.execute(Effect.exit(call), {
        key: target,
        classify: (outer) => (Exit.isSuccess(outer) ? outcomeOf(outer.value) : CircuitBreaker.ignored)
      })
      const loop: Effect.Effect<Passage<A, E>, E> = Effect.gen(function* () {
        for (;;) {
          const made = yield* Effect.result(once)
          const nowMillis = yield* Clock.currentTimeMillis
          if (made._tag === "Success") {
            yield* record(made.success)
            return { _tag: "Made", exit: made.success, waitedMillis: isWaiting ? nowMillis - begunMillis : 0 } as const
          }
          const { reason } = made.failure
          if (reason._tag === "CircuitBreakerStoreError") return yield* Effect.die(made.failure)
          if (!isWaiting) {
            isWaiting = true
            begunMillis = nowMillis
            journal.held(target, nowMillis)
          }
          const leftMillis = outage === undefined ? Infinity : outage.sinceMillis + budgetMillis - nowMillis
          if (outage !== undefined && leftMillis <= 0) {
            return {
              _tag: "TimedOut",
              error: classifier.timedOut(outage.last, nowMillis - outage.sinceMillis)
            } as const
          }
          const pauseMillis = reason._tag === "CircuitOpen" ? Duration.toMillis(reason.retryAfter) : probePollMillis
          yield* Effect.sleep(Math.max(1, Math.min(pauseMillis, leftMillis, whileWaiting?.everyMillis ?? Infinity)))
          if (whileWaiting !== undefined) yield* whileWaiting.check
        }
      })
      const release = Effect.flatMap(Clock.currentTimeMillis, (nowMillis) =>
        Effect.sync(() => {
          if (isWaiting) journal.released(target, nowMillis)
        })
      )
      return Effect.ensuring(loop, release)
    })

  const attempt: Breaker<E>["attempt"] = (call, whileWaiting) =>
    Effect.flatMap(pass(call, whileWaiting), (passage) =>
      passage._tag === "TimedOut" ? Effect.fail(passage.error) : passage.exit
    )

  // Not a Schedule: time at an open breaker counts for nothing and starts the waits anew, which depends on each call.
  const retry: Breaker<E>["retry"] = Effect.fnUntraced(function* (once) {
    let firstFailureMillis: number | undefined
    let pausedMillis = 0
    let retries = 0
    for (let earlier = 0; ; earlier++) {
      const passage = yield* pass(once(earlier))
      if (passage._tag === "TimedOut") return yield* Effect.fail(passage.error)
      const { exit, waitedMillis } = passage
      if (Exit.isSuccess(exit)) return exit.value
      const error = errorOf(exit)
      if (error === undefined || classifier.classify(error) !== "unavailable") return yield* exit
      const nowMillis = yield* Clock.currentTimeMillis
      pausedMillis += waitedMillis
      if (waitedMillis > 0) retries = 0
      firstFailureMillis ??= nowMillis
      const callMillis = nowMillis - firstFailureMillis - pausedMillis
      const targetMillis = outage === undefined ? 0 : nowMillis - outage.sinceMillis
      const spentMillis = Math.max(callMillis, targetMillis)
      const askedMillis = classifier.retryAfterMillis(error)
      if (spentMillis >= budgetMillis || (askedMillis ?? 0) > budgetMillis - spentMillis) {
        return yield* Effect.fail(classifier.timedOut(error, spentMillis))
      }
      yield* Effect.sleep(Retry.delayMillis(++retries, yield* Random.next, askedMillis))
    }
  })

  return { attempt, retry }
}
