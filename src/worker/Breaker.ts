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
  /** How long a target may go without a success before its failures surface. */
  readonly budgetMillis: number
}

/** Least time without a success after which a run gives up: ten minutes. */
const leastBudgetMillis = 10 * 60_000

/**
 * The settings of a spec; undefined where it switches breakers off. A run gives up on a target after ten minutes without
 * a success, or after two reset times and a minute where that is longer, so that at least two probes are made.
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

/** What a breaker makes of one port's failures. */
export interface FailureClassifier<E> {
  /** `blamed`: waiting may cure it. `answered`: the target works, whatever it said. `unrelated`: says nothing of it. */
  readonly verdict: (error: E) => "blamed" | "answered" | "unrelated"
  /** How long the target asked us to wait. */
  readonly retryAfterMillis: (error: E) => number | undefined
  /** The last failure as it surfaces after `millis` without a success. */
  readonly givenUp: (error: E, millis: number) => E
}

/** Something to do now and then while a call is held back; its failure becomes the call's. */
export interface WhileWaiting<E> {
  readonly everyMillis: number
  readonly look: Effect.Effect<void, E>
}

/** The breaker of one target. */
export interface Breaker<E extends Error> {
  /** One attempt, made as soon as the breaker lets it through; fails with the last cause when the budget ends first. */
  readonly attempt: <A>(call: Effect.Effect<A, E>, whileWaiting?: WhileWaiting<E>) => Effect.Effect<A, E>
  /**
   * Attempts until one succeeds or fails for good: between them jittered waits of 200 ms, doubling to 8 s, never less
   * than the target asked for; none while the breaker is open. Gives up when the target, or this call while the breaker
   * is closed, has gone without a success for the whole budget, or when the target asks to wait for longer than that.
   */
  readonly persist: <A>(once: (earlier: number) => Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** The breakers of one run, one for each target. */
export interface Breakers {
  readonly of: <E extends Error>(target: string, classifier: FailureClassifier<E>) => Breaker<E>
}

/** How often those who wait look whether the one probe is over. */
const probePollMillis = 250

type Entered<A, E> =
  | { readonly _tag: "Made"; readonly exit: Exit.Exit<A, E>; readonly waitedMillis: number }
  | { readonly _tag: "Spent"; readonly error: E }

/** What went wrong since the last success. */
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

  const classify = (exit: Exit.Exit<unknown, E>): CircuitBreaker.Outcome => {
    if (Exit.isSuccess(exit)) return CircuitBreaker.success
    const error = errorOf(exit)
    if (error === undefined) return CircuitBreaker.ignored
    switch (classifier.verdict(error)) {
      case "blamed": {
        const retryAfter = classifier.retryAfterMillis(error)
        return CircuitBreaker.failure(retryAfter === undefined ? {} : { retryAfter })
      }
      case "answered":
        return CircuitBreaker.success
      case "unrelated":
        return CircuitBreaker.ignored
    }
  }

  /** Takes note of an outcome, and tells when it opened or closed the breaker. */
  const note = Effect.fnUntraced(function* (exit: Exit.Exit<unknown, E>) {
    const outcome = classify(exit)
    const isNothingNew = outcome._tag === "Success" && outage === undefined && !isOpen
    if (isNothingNew || outcome._tag === "Ignored") return
    const nowMillis = yield* Clock.currentTimeMillis
    if (outcome._tag === "Success") {
      outage = undefined
      // A success of a call that was on its way before the breaker opened does not close it.
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
    journal.opened(target, error.message, nowMillis + pauseMillis, nowMillis)
    if (isOpen) return
    isOpen = true
    yield* Effect.logWarning("paused: the target does not answer").pipe(
      Effect.annotateLogs({ target, cause: error.message, pauseMillis })
    )
  })

  /** Waits until the breaker lets `call` through, and makes it. */
  const enter = <A>(call: Effect.Effect<A, E>, whileWaiting?: WhileWaiting<E>): Effect.Effect<Entered<A, E>, E> =>
    Effect.suspend(() => {
      let isHeld = false
      let begunMillis = 0
      // The exit travels as a value, so that a refusal of the breaker is never taken for a failure of the call.
      const once = circuits.execute(Effect.exit(call), {
        key: target,
        classify: (outer) => (Exit.isSuccess(outer) ? classify(outer.value) : CircuitBreaker.ignored)
      })
      const loop: Effect.Effect<Entered<A, E>, E> = Effect.gen(function* () {
        for (;;) {
          const made = yield* Effect.result(once)
          const nowMillis = yield* Clock.currentTimeMillis
          if (made._tag === "Success") {
            yield* note(made.success)
            return { _tag: "Made", exit: made.success, waitedMillis: isHeld ? nowMillis - begunMillis : 0 } as const
          }
          const { reason } = made.failure
          if (reason._tag === "CircuitBreakerStoreError") return yield* Effect.die(made.failure)
          if (!isHeld) {
            isHeld = true
            begunMillis = nowMillis
            journal.held(target, nowMillis)
          }
          const leftMillis = outage === undefined ? Infinity : outage.sinceMillis + budgetMillis - nowMillis
          if (outage !== undefined && leftMillis <= 0) {
            return { _tag: "Spent", error: classifier.givenUp(outage.last, nowMillis - outage.sinceMillis) } as const
          }
          const shutMillis = reason._tag === "CircuitOpen" ? Duration.toMillis(reason.retryAfter) : probePollMillis
          yield* Effect.sleep(Math.max(1, Math.min(shutMillis, leftMillis, whileWaiting?.everyMillis ?? Infinity)))
          if (whileWaiting !== undefined) yield* whileWaiting.look
        }
      })
      const release = Effect.flatMap(Clock.currentTimeMillis, (nowMillis) =>
        Effect.sync(() => {
          if (isHeld) journal.released(target, nowMillis)
        })
      )
      return Effect.ensuring(loop, release)
    })

  const attempt: Breaker<E>["attempt"] = (call, whileWaiting) =>
    Effect.flatMap(enter(call, whileWaiting), (entered) =>
      entered._tag === "Spent" ? Effect.fail(entered.error) : entered.exit
    )

  const persist: Breaker<E>["persist"] = Effect.fnUntraced(function* (once) {
    let failedSinceMillis: number | undefined
    let heldMillis = 0
    let inARow = 0
    for (let earlier = 0; ; earlier++) {
      const entered = yield* enter(once(earlier))
      if (entered._tag === "Spent") return yield* Effect.fail(entered.error)
      const { exit, waitedMillis } = entered
      if (Exit.isSuccess(exit)) return exit.value
      const error = errorOf(exit)
      if (error === undefined || classifier.verdict(error) !== "blamed") return yield* exit
      const nowMillis = yield* Clock.currentTimeMillis
      heldMillis += waitedMillis
      if (waitedMillis > 0) inARow = 0
      failedSinceMillis ??= nowMillis
      const ofCall = nowMillis - failedSinceMillis - heldMillis
      const ofTarget = outage === undefined ? 0 : nowMillis - outage.sinceMillis
      const spentMillis = Math.max(ofCall, ofTarget)
      const asked = classifier.retryAfterMillis(error)
      if (spentMillis >= budgetMillis || (asked ?? 0) > budgetMillis - spentMillis) {
        return yield* Effect.fail(classifier.givenUp(error, spentMillis))
      }
      yield* Effect.sleep(Retry.delayMillis(++inARow, yield* Random.next, asked))
    }
  })

  return { attempt, persist }
}
