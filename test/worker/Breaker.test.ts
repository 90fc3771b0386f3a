import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Option } from "effect"
import * as Breaker from "../../src/worker/Breaker.ts"
import * as BreakerGuards from "../../src/worker/BreakerGuards.ts"
import { exitCodes } from "../../src/outcome/ExitCodes.ts"
import * as FailureReasons from "../../src/outcome/FailureReasons.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import { Misconfigured, StoreUnavailable } from "../../src/storage/ObjectStoreError.ts"
import { inTime } from "../backup/inTime.ts"
import { aRequest, assertHoldsAll, attempt, fill, layer, someTopics, world } from "../backup/world.ts"

const noon = "2026-11-23T12:00:00Z"
const spec = { enabled: true, failureThreshold: 5, resetTimeoutSecs: 60 }
const unavailable = new StoreUnavailable({ detail: "no route to the store" })

/** One attempt of a run behind the guards of a spec, as the command line wires it. */
const guardedAttempt = Effect.fnUntraced(function* (
  circuitBreaker: typeof spec,
  progress: RunProgress.RunProgress,
  slot = noon
) {
  const { store } = yield* world
  const guards = yield* BreakerGuards.make(Breaker.settings(circuitBreaker), progress, false)
  return yield* attempt(aRequest(slot), { store: guards.store(store), progress, guards: guards.brokers })
}, Effect.scoped)

const codeOf = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit)
    ? FailureReasons.exitCode(Option.getOrThrow(Cause.findErrorOption(exit.cause)) as FailureReasons.Failure)
    : exitCodes.success

describe("Breaker.settings", () => {
  it("give a target ten minutes, or two reset times and a minute if that is longer", () => {
    const budgetOf = (resetTimeoutSecs: number) => Breaker.settings({ ...spec, resetTimeoutSecs })?.budgetMillis
    assert.deepStrictEqual([1, 60, 3600].map(budgetOf), [600_000, 600_000, 7_260_000])
    assert.isUndefined(Breaker.settings({ ...spec, enabled: false }))
  })
})

describe("A run whose storage stops answering", () => {
  it.effect("pauses visibly, goes on by itself when storage is back, and holds everything", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      for (const operation of ["put", "get", "head", "list"] as const) {
        yield* memory.disturb({
          _tag: "Fail",
          operation,
          nth: operation === "put" ? 8 : 3,
          times: 9,
          reason: unavailable
        })
      }
      const progress = RunProgress.make()
      const seen: Array<string> = []
      const context = yield* Effect.context<Effect.Services<ReturnType<typeof guardedAttempt>>>()
      const exit = yield* inTime(Effect.provide(guardedAttempt(spec, progress), context), 3600, () => {
        if (progress.paused !== undefined) seen.push(RunProgress.pausedText(progress.paused, 0))
      })
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      yield* assertHoldsAll(cluster, store, progress.backupId!, someTopics)
      assert.isAbove(seen.length, 30)
      assert.match(seen[0]!, /^paused: storage memory backups does not answer, next try in \d+ s .*no route/)
      assert.isUndefined(progress.paused)
      assert.strictEqual(progress.interruptions.length, 1)
      assert.isAtLeast(progress.interruptions[0]!.waitedMillis, 60_000)
    }).pipe(Effect.provide(layer))
  )

  it.effect("fails with exit code 20 when storage stays down, and its next attempt completes the set", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      yield* memory.disturb({ _tag: "Fail", operation: "put", nth: 6, times: Infinity, reason: unavailable })
      const context = yield* Effect.context<Effect.Services<ReturnType<typeof guardedAttempt>>>()
      const first = RunProgress.make()
      const failed = yield* inTime(Effect.provide(guardedAttempt(spec, first), context), 1200)
      assert.strictEqual(codeOf(failed), exitCodes.temporary, String(failed))
      assert.include(String(failed), "no route to the store")
      assert.isAtLeast(first.interruptions[0]!.waitedMillis, 8 * 60_000)
      yield* memory.calm
      const second = RunProgress.make()
      const exit = yield* inTime(Effect.provide(guardedAttempt(spec, second), context), 60)
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      yield* assertHoldsAll(cluster, store, second.backupId!, someTopics)
      assert.deepStrictEqual(second.interruptions, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("without a breaker retries for two minutes and fails, never paused", () =>
    Effect.gen(function* () {
      const { cluster, memory } = yield* world
      yield* fill(cluster)
      yield* memory.disturb({ _tag: "Fail", operation: "put", nth: 6, times: Infinity, reason: unavailable })
      const context = yield* Effect.context<Effect.Services<ReturnType<typeof guardedAttempt>>>()
      const progress = RunProgress.make()
      const exit = yield* inTime(Effect.provide(guardedAttempt({ ...spec, enabled: false }, progress), context), 180)
      assert.strictEqual(codeOf(exit), exitCodes.temporary)
      assert.deepStrictEqual(progress.interruptions, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("waits in the same way whatever the failure looks like, if the store itself said nothing", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      const lost = new Misconfigured({
        detail: "no connection to the store: its certificate is for other names",
        advice: "correct the certificate",
        notFromStore: "connection"
      })
      yield* memory.disturb({ _tag: "Fail", operation: "put", nth: 8, times: 9, reason: lost })
      const progress = RunProgress.make()
      const context = yield* Effect.context<Effect.Services<ReturnType<typeof guardedAttempt>>>()
      const exit = yield* inTime(Effect.provide(guardedAttempt(spec, progress), context), 3600)
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      yield* assertHoldsAll(cluster, store, progress.backupId!, someTopics)
      assert.match(progress.interruptions[0]!.cause, /for other names, although the store answered before/)

      yield* memory.disturb({ _tag: "Fail", operation: "put", nth: 6, times: Infinity, reason: lost })
      const gone = yield* inTime(
        Effect.provide(guardedAttempt(spec, RunProgress.make(), "2026-11-24T12:00:00Z"), context),
        1200
      )
      assert.strictEqual(codeOf(gone), exitCodes.temporary, String(gone))
    }).pipe(Effect.provide(layer))
  )

  it.effect("fails at once when credentials are refused: waiting would not cure that", () =>
    Effect.gen(function* () {
      const { cluster, memory } = yield* world
      yield* fill(cluster)
      const { StorageAuthenticationFailed } = yield* Effect.promise(
        () => import("../../src/storage/ObjectStoreError.ts")
      )
      const refused = new StorageAuthenticationFailed({
        detail: "the key is unknown",
        advice: "check Secret s3-credentials"
      })
      yield* memory.disturb({ _tag: "Fail", operation: "put", nth: 6, times: Infinity, reason: refused })
      const context = yield* Effect.context<Effect.Services<ReturnType<typeof guardedAttempt>>>()
      const exit = yield* inTime(Effect.provide(guardedAttempt(spec, RunProgress.make()), context), 30)
      assert.strictEqual(codeOf(exit), exitCodes.accessRefused)
    }).pipe(Effect.provide(layer))
  )
})

describe("A run whose brokers stop answering", () => {
  it.effect("survives eight minutes without any broker, paused, and holds everything", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const progress = RunProgress.make()
      const context = yield* Effect.context<Effect.Services<ReturnType<typeof guardedAttempt>>>()
      // Answered so far: every partition has been begun, none is finished.
      yield* cluster.inject({ _tag: "ConnectionLost" }, { operation: "fetch", after: 4, times: 1_000_000 })
      yield* cluster.inject({ _tag: "ConnectionLost" }, { operation: "metadata", after: 6, times: 1_000_000 })
      let seconds = 0
      let paused = 0
      const exit = yield* inTime(Effect.provide(guardedAttempt(spec, progress), context), 1200, () => {
        if (progress.paused?.target.includes("kafka") === true) paused++
        if (++seconds === 480) Effect.runSync(cluster.clearFaults)
      })
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assert.isAbove(paused, 300)
      yield* assertHoldsAll(cluster, store, progress.backupId!, someTopics)
      assert.isNotEmpty(progress.interruptions)
      const { releasedTwice, unreleased } = yield* cluster.counters
      assert.deepStrictEqual([unreleased, releasedTwice], [0, 0])
    }).pipe(Effect.provide(layer))
  )
})
