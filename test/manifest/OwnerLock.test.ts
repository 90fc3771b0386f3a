import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Effect, Exit, Fiber, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as OwnerLock from "../../src/manifest/OwnerLock.ts"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"

const owner = { uid: "u1", name: "nightly" }
const memory = Effect.flatMap(InMemoryObjectStores, (stores) => stores.named("lock"))
const reasonOf = (exit: Exit.Exit<unknown, { readonly reason: { readonly _tag: string } }>) =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.findErrorOption(exit.cause))?.reason._tag : "success"

describe("OwnerLock", () => {
  it.effect("admits one writer of a resource at a time, and the next one after its release", () =>
    Effect.gen(function* () {
      const { keys, store } = yield* memory
      const first = yield* Effect.forkChild(OwnerLock.holding(store, owner, "run", Effect.sleep("10 minutes")), {
        startImmediately: true
      })
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(
        reasonOf(yield* Effect.exit(OwnerLock.holding(store, owner, "prune", Effect.void))),
        "LockHeld"
      )
      assert.strictEqual(
        reasonOf(yield* Effect.exit(OwnerLock.holding(store, { uid: "u2", name: "nightly" }, "other", Effect.void))),
        "success"
      )
      yield* TestClock.adjust("5 minutes")
      yield* Fiber.join(first)
      assert.strictEqual(reasonOf(yield* Effect.exit(OwnerLock.holding(store, owner, "prune", Effect.void))), "success")
      assert.deepStrictEqual(yield* keys, [])
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )

  it.effect("is not held by an epoch that a wrong clock wrote, days ahead", () =>
    Effect.gen(function* () {
      const { store } = yield* memory
      yield* TestClock.adjust("10 days")
      const dead = { ...store, delete: () => Effect.die("killed") }
      yield* Effect.exit(OwnerLock.holding(dead, owner, "run", Effect.die("killed")))
      yield* TestClock.setTime(0)
      assert.strictEqual(reasonOf(yield* Effect.exit(OwnerLock.holding(store, owner, "prune", Effect.void))), "success")
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )

  it.effect("does not delay a writer that is interrupted while the store does not answer", () =>
    Effect.gen(function* () {
      const { store } = yield* memory
      const silent = { ...store, delete: () => Effect.never }
      const work = yield* Effect.forkChild(OwnerLock.holding(silent, owner, "run", Effect.never), {
        startImmediately: true
      })
      const stopping = yield* Effect.forkChild(Fiber.interrupt(work), { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      assert.isDefined(stopping.pollUnsafe())
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )

  it.effect("passes to the next writer when the lock of a dead writer expires", () =>
    Effect.gen(function* () {
      const { store } = yield* memory
      const dead = { ...store, delete: () => Effect.die("killed") }
      yield* Effect.exit(OwnerLock.holding(dead, owner, "run", Effect.die("killed")))
      assert.strictEqual(
        reasonOf(yield* Effect.exit(OwnerLock.holding(store, owner, "prune", Effect.void))),
        "LockHeld"
      )
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(reasonOf(yield* Effect.exit(OwnerLock.holding(store, owner, "prune", Effect.void))), "success")
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )

  it.effect("is waited for by a writer with patience, which takes over from a dead writer", () =>
    Effect.gen(function* () {
      const { store } = yield* memory
      const dead = { ...store, delete: () => Effect.die("killed") }
      yield* Effect.exit(OwnerLock.holding(dead, owner, "run", Effect.die("killed")))
      const prune = yield* Effect.forkChild(
        OwnerLock.holding(store, owner, "prune", Effect.succeed("done"), "fiveMinutes"),
        {
          startImmediately: true
        }
      )
      yield* TestClock.adjust("119 seconds")
      assert.isUndefined(prune.pollUnsafe())
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(yield* Fiber.join(prune), "done")
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )

  it.effect("is not waited for longer than five minutes, nor at all where the store itself fails", () =>
    Effect.gen(function* () {
      const { store } = yield* memory
      const alive = yield* Effect.forkChild(OwnerLock.holding(store, owner, "run", Effect.never), {
        startImmediately: true
      })
      const prune = yield* Effect.forkChild(
        Effect.exit(OwnerLock.holding(store, owner, "prune", Effect.void, "fiveMinutes")),
        { startImmediately: true }
      )
      yield* TestClock.adjust("4 minutes")
      assert.isUndefined(prune.pollUnsafe())
      yield* TestClock.adjust("90 seconds")
      assert.strictEqual(reasonOf(yield* Fiber.join(prune)), "LockHeld")
      yield* Fiber.interrupt(alive)
      const broken = { ...store, list: () => Stream.die("no answer") }
      const exit = yield* Effect.exit(OwnerLock.holding(broken, owner, "prune", Effect.void, "fiveMinutes"))
      assert.isTrue(Exit.isFailure(exit))
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )

  it.effect("is waited for as long as its holder renews it, by who must have it, and not where nobody renews it", () =>
    Effect.gen(function* () {
      const { store } = yield* memory
      const prune = yield* Effect.forkChild(OwnerLock.holding(store, owner, "prune", Effect.sleep("40 minutes")), {
        startImmediately: true
      })
      const commit = Effect.exit(OwnerLock.holding(store, owner, "commit", Effect.void, "whileRenewed"))
      const first = yield* Effect.forkChild(commit, { startImmediately: true })
      yield* TestClock.adjust("39 minutes")
      assert.isUndefined(first.pollUnsafe())
      yield* TestClock.adjust("2 minutes")
      yield* Fiber.join(prune)
      assert.strictEqual(reasonOf(yield* Fiber.join(first)), "success")
      // Its clock is ahead by half an hour, and it is dead.
      const dead = { ...store, delete: () => Effect.die("killed") }
      yield* TestClock.adjust("30 minutes")
      yield* Effect.exit(OwnerLock.holding(dead, owner, "run", Effect.die("killed")))
      yield* TestClock.setTime((yield* Clock.currentTimeMillis) - 1_800_000)
      const second = yield* Effect.forkChild(commit, { startImmediately: true })
      yield* TestClock.adjust("4 minutes")
      assert.isUndefined(second.pollUnsafe())
      yield* TestClock.adjust("90 seconds")
      assert.strictEqual(reasonOf(yield* Fiber.join(second)), "LockHeld")
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )

  it.effect("stops the work of a writer whose lock another one has taken", () =>
    Effect.gen(function* () {
      const { store } = yield* memory
      // The first cannot renew in time: its writes hang for four minutes, as on a paused node.
      let isPaused = false
      const paused = {
        ...store,
        put: (...args: Parameters<typeof store.put>) =>
          isPaused ? Effect.delay(store.put(...args), "4 minutes") : store.put(...args)
      }
      const zombie = yield* Effect.forkChild(Effect.exit(OwnerLock.holding(paused, owner, "zombie", Effect.never)), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 second")
      isPaused = true
      yield* TestClock.adjust("3 minutes")
      const successor = yield* Effect.forkChild(OwnerLock.holding(store, owner, "successor", Effect.never), {
        startImmediately: true
      })
      yield* TestClock.adjust("3 minutes")
      assert.strictEqual(reasonOf(yield* Fiber.join(zombie)), "LockHeld")
      assert.isUndefined(successor.pollUnsafe())
      yield* Fiber.interrupt(successor)
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )
})
