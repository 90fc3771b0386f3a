import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Option, References } from "effect"
import * as Breaker from "../../src/worker/Breaker.ts"
import * as BreakerGuards from "../../src/worker/BreakerGuards.ts"
import { exitCodes } from "../../src/outcome/ExitCodes.ts"
import * as FailureReasons from "../../src/outcome/FailureReasons.ts"
import * as Opening from "../../src/worker/Opening.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import { BrokerUnreachable, KafkaError } from "../../src/kafka/KafkaError.ts"
import { ObjectStoreError, StoreUnavailable } from "../../src/storage/ObjectStoreError.ts"
import { inTime } from "../backup/inTime.ts"

const quiet = Layer.succeed(References.MinimumLogLevel, "None")
const spec = { enabled: true, failureThreshold: 5, resetTimeoutSecs: 60 }

const away = new ObjectStoreError({
  operation: "open",
  location: "s3 bucket kafka-backups",
  reason: new StoreUnavailable({ detail: "the connection was refused" })
})

const brokerGone = (transient: boolean) =>
  new KafkaError({
    operation: "connect",
    reason: new BrokerUnreachable({ detail: "kafka-0:9092: the connection was refused", advice: "start it", transient })
  })

/** Something that can be opened from its `opensAt`-th attempt on, with a socket that must be closed again. */
const door = <E>(opensAt: number, error: E) => {
  const seen = { attempts: 0, open: 0 }
  const open = Effect.gen(function* () {
    yield* Effect.acquireRelease(
      Effect.sync(() => seen.open++),
      () => Effect.sync(() => seen.open--)
    )
    if (++seen.attempts < opensAt) return yield* Effect.fail(error)
    return "opened"
  })
  return { seen, open }
}

const guardsOf = (circuitBreaker: typeof spec, progress: RunProgress.RunProgress, isScheduled = false) =>
  BreakerGuards.make(Breaker.settings(circuitBreaker), progress, isScheduled)

const codeOf = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit)
    ? FailureReasons.exitCode(Option.getOrThrow(Cause.findErrorOption(exit.cause)) as FailureReasons.Failure)
    : exitCodes.success

describe("A run that begins while storage is down", () => {
  it.effect("waits visibly, opens storage when it is back, and leaves no socket of failed attempts open", () =>
    Effect.gen(function* () {
      const progress = RunProgress.make()
      const { open, seen } = door(9, away)
      let openDuring = 0
      const paused: Array<string> = []
      const work = Effect.gen(function* () {
        const guards = yield* guardsOf(spec, progress)
        const opened = yield* Opening.retried(open, guards.opening)
        openDuring = seen.open
        return opened
      }).pipe(Effect.scoped, Effect.provide(quiet))
      const exit = yield* inTime(work, 600, () => {
        if (progress.paused !== undefined) paused.push(RunProgress.pausedText(progress.paused, 0))
      })
      assert.deepStrictEqual(exit, Exit.succeed("opened"))
      assert.strictEqual(openDuring, 1)
      assert.strictEqual(seen.open, 0)
      assert.match(paused[0]!, /^paused: storage does not answer, next try in \d+ s .*the connection was refused/)
      assert.isAtLeast(progress.interruptions[0]!.waitedMillis, 60_000)
    })
  )

  it.effect("gives up after ten minutes with exit code 20", () =>
    Effect.gen(function* () {
      const { open, seen } = door(Infinity, away)
      const work = Effect.gen(function* () {
        const guards = yield* guardsOf(spec, RunProgress.make())
        return yield* Opening.retried(open, guards.opening)
      }).pipe(Effect.scoped, Effect.provide(quiet))
      const exit = yield* inTime(work, 900)
      assert.strictEqual(codeOf(exit), exitCodes.temporary)
      assert.include(String(exit), "the connection was refused")
      assert.isAbove(seen.attempts, 10)
      assert.strictEqual(seen.open, 0)
    })
  )
})

describe("A run that begins while no name server knows the host of its store", () => {
  const unknown = new ObjectStoreError({
    operation: "open",
    location: "s3 bucket kafka-backups",
    reason: new StoreUnavailable({ detail: "no such host: minio", isUnknownHost: true })
  })
  const opening = (isScheduled: boolean, open: Effect.Effect<string, ObjectStoreError>) =>
    Effect.gen(function* () {
      const guards = yield* guardsOf(spec, RunProgress.make(), isScheduled)
      return yield* Opening.retried(open, guards.opening)
    }).pipe(Effect.scoped, Effect.provide(quiet))

  it.effect("waits for it in a scheduled run, and fails at once in any other", () =>
    Effect.gen(function* () {
      const late = door(7, unknown)
      assert.deepStrictEqual(yield* inTime(opening(true, Effect.scoped(late.open)), 600), Exit.succeed("opened"))
      const typo = door(7, unknown)
      const exit = yield* inTime(opening(false, Effect.scoped(typo.open)), 5)
      assert.strictEqual(codeOf(exit), exitCodes.temporary)
      assert.include(String(exit), "no such host: minio")
      assert.strictEqual(typo.seen.attempts, 1)
    })
  )
})

describe("A run that begins while no broker answers", () => {
  const connect = (circuitBreaker: typeof spec, open: Effect.Effect<string, KafkaError, never>) =>
    Effect.gen(function* () {
      const guards = yield* guardsOf(circuitBreaker, RunProgress.make())
      return yield* Opening.retried(open, guards.connecting)
    }).pipe(Effect.scoped, Effect.provide(quiet))

  it.effect("connects when the cluster is back", () =>
    Effect.gen(function* () {
      const { open } = door(8, brokerGone(true))
      assert.deepStrictEqual(yield* inTime(connect(spec, Effect.scoped(open)), 600), Exit.succeed("opened"))
    })
  )

  it.effect("fails at once if waiting cannot help or the breaker is disabled", () =>
    Effect.gen(function* () {
      const wrong = door(2, brokerGone(false))
      assert.strictEqual(codeOf(yield* inTime(connect(spec, Effect.scoped(wrong.open)), 5)), exitCodes.clusterUnusable)
      const gone = door(2, brokerGone(true))
      const exit = yield* inTime(connect({ ...spec, enabled: false }, Effect.scoped(gone.open)), 5)
      assert.strictEqual(codeOf(exit), exitCodes.temporary)
      assert.deepStrictEqual([wrong.seen.attempts, gone.seen.attempts], [1, 1])
    })
  )
})
