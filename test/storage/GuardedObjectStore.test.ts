import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Random, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Breaker from "../../src/worker/Breaker.ts"
import * as BreakerJournal from "../../src/worker/BreakerJournal.ts"
import * as BreakerClassifiers from "../../src/worker/BreakerClassifiers.ts"
import * as GuardedObjectStore from "../../src/storage/GuardedObjectStore.ts"
import { InMemoryObjectStores, type InMemoryStore } from "../../src/storage/InMemoryObjectStore.ts"
import type { ObjectKey, ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import {
  StorageAuthorizationFailed,
  ObjectStoreError,
  OutOfSpace,
  StoreUnavailable
} from "../../src/storage/ObjectStoreError.ts"
import type { Operation } from "../../src/storage/ScriptedFaults.ts"
import { objectStoreContract } from "../contract/objectStore.ts"

const key = (text: string) => text as ObjectKey
const bytes = (text: string) => new TextEncoder().encode(text)
const text = (content: Uint8Array) => new TextDecoder().decode(content)
const unavailable = new StoreUnavailable({ detail: "scripted" })

const stores = InMemoryObjectStores.pipe(Effect.provide(InMemoryObjectStores.layer))
const memory = Effect.flatMap(stores, (named) => named.named("s"))

/** Repeats at once and without end: what is tested is what repeating does, not when. */
const atOnce: GuardedObjectStore.RetryPolicy = (once) => {
  const from = (earlier: number): ReturnType<typeof once> =>
    Effect.catchIf(
      once(earlier),
      (error) => error.isRetryable,
      () => from(earlier + 1)
    )
  return from(0)
}

const guarded = (journal = BreakerJournal.make({ paused: undefined, interruptions: [], outages: [] })) =>
  Effect.map(
    Breaker.make(Breaker.settings({ enabled: true, failureThreshold: 5, resetTimeoutSecs: 60 })!, journal),
    (breakers) => (store: ObjectStoreShape) =>
      GuardedObjectStore.make(store, breakers.of(`storage ${store.location}`, BreakerClassifiers.storage).retry)
  )

objectStoreContract(
  "in memory, with bounded patience",
  Effect.map(stores, ({ named }) => ({
    open: (root) => Effect.map(named(root), ({ store }) => GuardedObjectStore.make(store, GuardedObjectStore.bounded))
  }))
)

objectStoreContract(
  "in memory, behind a circuit breaker",
  Effect.gen(function* () {
    const { named } = yield* stores
    const guard = yield* guarded()
    return { open: (root) => Effect.map(named(root), ({ store }) => guard(store)) }
  })
)

/** Every third call of each kind fails, a put after it was done, and every read breaks after some bytes for a while. */
const shaky = Effect.fnUntraced(function* ({ disturb, store }: InMemoryStore) {
  for (const operation of ["get", "head", "list", "delete", "read"] as const) {
    for (let nth = 1; nth < 3000; nth += 3) yield* disturb({ _tag: "Fail", operation, nth, reason: unavailable })
  }
  for (let nth = 1; nth < 3000; nth += 3) yield* disturb({ _tag: "LoseAnswer", operation: "put", nth })
  for (let nth = 2; nth < 60; nth += 3)
    yield* disturb({ _tag: "Break", operation: "read", nth, afterBytes: nth * 7919 })
  return GuardedObjectStore.make(store, atOnce)
})

objectStoreContract(
  "in memory, shaken: every third call fails or loses its answer",
  Effect.map(stores, ({ named }) => {
    const opened = new Map<string, ObjectStoreShape>()
    return {
      open: (root) =>
        Effect.gen(function* () {
          const known = opened.get(root) ?? (yield* shaky(yield* named(root)))
          opened.set(root, known)
          return known
        })
    }
  })
)

describe("GuardedObjectStore", () => {
  it.effect("takes a create for done whose answer was lost, and another writer's object for another writer's", () =>
    Effect.gen(function* () {
      const { disturb, store } = yield* memory
      const guardedStore = GuardedObjectStore.make(store, atOnce)
      yield* disturb({ _tag: "LoseAnswer", operation: "put", times: 2 })
      yield* guardedStore.put(key("lock"), [bytes("mi"), bytes("ne")], { ifAbsent: true })
      yield* store.put(key("taken"), [bytes("hers")])
      yield* disturb({ _tag: "Fail", operation: "put", reason: unavailable })
      const lost = yield* Effect.flip(guardedStore.put(key("taken"), [bytes("mine")], { ifAbsent: true }))
      assert.strictEqual(lost.reason._tag, "ObjectExists")
      assert.strictEqual(text(yield* store.get(key("taken"))), "hers")
    })
  )

  it.effect("takes a broken read up where it broke, however often, and gives each byte once", () =>
    Effect.gen(function* () {
      const { disturb, store } = yield* memory
      const content = new Uint8Array(500_000).map((_, i) => (i * 31) ^ (i >> 8))
      yield* store.put(key("segment"), [content])
      for (const [nth, afterBytes] of [1, 70_000, 65_536, 300_000, 10, 499_999].entries()) {
        yield* disturb({ _tag: "Break", operation: "read", nth: nth + 1, afterBytes })
      }
      const read = yield* GuardedObjectStore.make(store, atOnce).read(key("segment")).pipe(Stream.runCollect)
      assert.isTrue(Buffer.from(content).equals(Buffer.concat(read)))
    })
  )

  it.effect("fails rather than join two contents when an object is replaced between two parts of a read", () =>
    Effect.gen(function* () {
      for (const [what, replacement] of [
        ["other bytes", new Uint8Array(200_000).fill(2)],
        ["fewer bytes", new Uint8Array(50_000).fill(1)]
      ] as const) {
        const { disturb, store } = yield* memory
        yield* store.put(key("segment"), [new Uint8Array(200_000).fill(1)])
        yield* disturb({ _tag: "Break", operation: "read", afterBytes: 100_000 })
        let isReplaced = false
        const error = yield* GuardedObjectStore.make(store, atOnce)
          .read(key("segment"))
          .pipe(
            Stream.tap(() => {
              if (isReplaced) return Effect.void
              isReplaced = true
              return store.put(key("segment"), [replacement])
            }),
            Stream.runDrain,
            Effect.flip
          )
        assert.strictEqual(error.reason._tag, "ContentMismatch", what)
      }
    })
  )

  it.effect("goes on with a listing behind the last object it gave", () =>
    Effect.gen(function* () {
      const { store } = yield* memory
      const keys = Array.from({ length: 50 }, (_, i) => `set/${String(i).padStart(2, "0")}`)
      yield* Effect.forEach(keys, (each) => store.put(key(each), [bytes("x")]), { discard: true })
      let openings = 0
      const breaking: ObjectStoreShape = {
        ...store,
        list: (prefix) =>
          Stream.suspend(() => {
            const upTo = ++openings * 12
            if (upTo >= keys.length) return store.list(prefix)
            return Stream.concat(
              store.list(prefix).pipe(Stream.take(upTo)),
              Stream.fail(new ObjectStoreError({ operation: "list", location: store.location, reason: unavailable }))
            )
          })
      }
      const found = yield* GuardedObjectStore.make(breaking, atOnce).list("set/").pipe(Stream.runCollect)
      assert.deepStrictEqual(
        found.map((info) => info.key as string),
        keys
      )
      assert.strictEqual(openings, 5)
    })
  )

  it.effect("does not repeat what waiting cannot cure", () =>
    Effect.gen(function* () {
      const { calls, disturb, store } = yield* memory
      const guardedStore = (yield* guarded())(store)
      yield* disturb({ _tag: "Fail", operation: "put", reason: new OutOfSpace({ detail: "full" }) })
      yield* disturb({
        _tag: "Fail",
        operation: "get",
        reason: new StorageAuthorizationFailed({ detail: "no", advice: "ask" })
      })
      assert.strictEqual((yield* Effect.flip(guardedStore.put(key("a"), []))).reason._tag, "OutOfSpace")
      assert.strictEqual((yield* Effect.flip(guardedStore.get(key("a")))).reason._tag, "StorageAuthorizationFailed")
      assert.strictEqual((yield* Effect.flip(guardedStore.get(key("a")))).reason._tag, "ObjectNotFound")
      assert.strictEqual((yield* calls).length, 3)
    })
  )

  it.effect("waits as long as the server asks, and no longer than is bearable without a breaker", () =>
    Effect.gen(function* () {
      const { calls, disturb, store } = yield* memory
      const guardedStore = GuardedObjectStore.make(store, GuardedObjectStore.bounded)
      const busy = new StoreUnavailable({ detail: "busy", retryAfterMillis: 30_000 })
      yield* disturb({ _tag: "Fail", operation: "get", reason: busy })
      yield* store.put(key("a"), [bytes("x")])
      const reading = yield* Effect.forkChild(guardedStore.get(key("a")), { startImmediately: true })
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual((yield* calls).length, 2)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(text(yield* Fiber.join(reading)), "x")
      yield* disturb({ _tag: "Fail", operation: "get", times: Infinity, reason: unavailable })
      const hopeless = yield* Effect.forkChild(Effect.flip(guardedStore.get(key("a"))), { startImmediately: true })
      yield* TestClock.adjust("3 minutes")
      assert.strictEqual((yield* Fiber.join(hopeless)).reason._tag, "StoreUnavailable")
      assert.strictEqual((yield* calls).length, 3 + 8)
    })
  )
})

/** One store behind a breaker of 5 failures and 60 s, with what would be shown of it. */
const world = Effect.gen(function* () {
  const shown: BreakerJournal.Shown = { paused: undefined, interruptions: [], outages: [] }
  const inner = yield* memory
  const store = (yield* guarded(BreakerJournal.make(shown)))(inner.store)
  const down = (operation: Operation, times = Infinity) =>
    inner.disturb({ _tag: "Fail", operation, times, reason: unavailable })
  const requests = Effect.map(inner.calls, (calls) => calls.length)
  return { ...inner, store, shown, down, requests }
})

describe("A circuit breaker around a store", () => {
  it.effect(
    "opens after five failures in a row, pauses visibly, probes once, closes by itself, and all work completes",
    () =>
      Effect.gen(function* () {
        const { calm, down, keys, requests, shown, store } = yield* world
        yield* down("put")
        const names = Array.from({ length: 12 }, (_, i) => `k${String(i).padStart(2, "0")}`)
        const work = yield* Effect.forkChild(
          Effect.forEach(names, (name) => store.put(key(name), [bytes(name)], { ifAbsent: true }), { concurrency: 3 }),
          { startImmediately: true }
        )
        yield* TestClock.adjust("30 seconds")
        const before = yield* requests
        assert.isAtLeast(before, 5)
        assert.isAtMost(before, 5 + 2, "calls that were on their way")
        assert.include(shown.paused?.target, "memory s")
        assert.include(shown.paused?.cause, "scripted")
        assert.isAtLeast(shown.paused!.nextProbeMillis, 60_000)
        yield* TestClock.adjust("35 seconds")
        assert.strictEqual(yield* requests, before + 1, "one probe, not one for everybody who waits")
        yield* TestClock.adjust("50 seconds")
        assert.strictEqual(yield* requests, before + 1)
        yield* calm
        yield* TestClock.adjust("15 seconds")
        yield* Fiber.join(work)
        assert.deepStrictEqual(yield* keys, names.map(key))
        assert.isUndefined(shown.paused)
        assert.strictEqual(shown.interruptions.length, 1)
        assert.strictEqual(shown.interruptions[0]!.openings, 1)
        assert.closeTo(shown.interruptions[0]!.waitedMillis, 120_000, 5000)
      })
  )

  it.effect("never opens because objects are missing or there already", () =>
    Effect.gen(function* () {
      const { requests, shown, store } = yield* world
      yield* store.put(key("there"), [bytes("x")])
      for (let i = 0; i < 20; i++) {
        yield* Effect.flip(store.get(key(`missing-${i}`)))
        yield* Effect.flip(store.put(key("there"), [bytes("y")], { ifAbsent: true }))
      }
      assert.deepStrictEqual(shown.interruptions, [])
      assert.strictEqual(yield* requests, 41)
    })
  )

  it.effect("is closed by a probe that finds an object missing: the store answers", () =>
    Effect.gen(function* () {
      const { calm, down, shown, store } = yield* world
      yield* down("head")
      const asking = yield* Effect.forkChild(Effect.flip(store.head(key("nothing"))), { startImmediately: true })
      yield* TestClock.adjust("20 seconds")
      assert.isDefined(shown.paused)
      yield* calm
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual((yield* Fiber.join(asking)).reason._tag, "ObjectNotFound")
      assert.isUndefined(shown.paused)
    })
  )

  it.effect(
    "gives up after ten minutes without a success, with the last cause, and at once for whoever comes then",
    () =>
      Effect.gen(function* () {
        const { down, requests, store } = yield* world
        yield* down("put")
        const work = yield* Effect.forkChild(Effect.exit(Effect.flip(store.put(key("a"), [bytes("x")]))), {
          startImmediately: true
        })
        yield* TestClock.adjust("9 minutes")
        assert.isUndefined(work.pollUnsafe())
        yield* TestClock.adjust("2 minutes")
        const exit = yield* Fiber.join(work)
        assert.isTrue(exit._tag === "Success" && exit.value.isRetryable)
        assert.include(exit._tag === "Success" ? exit.value.message : "", "scripted")
        assert.include(exit._tag === "Success" ? exit.value.message : "", "no request succeeded for 10 min")
        const before = yield* requests
        assert.isBelow(before, 5 + 15, "it did not hammer")
        yield* down("get")
        const next = yield* Effect.flip(store.get(key("b")))
        assert.strictEqual(next.reason._tag, "StoreUnavailable")
      })
  )

  it.effect("gives up at once when the server asks to wait for longer than that", () =>
    Effect.gen(function* () {
      const { disturb, requests, store } = yield* world
      const busy = new StoreUnavailable({ detail: "busy", retryAfterMillis: 3_600_000 })
      yield* disturb({ _tag: "Fail", operation: "put", times: Infinity, reason: busy })
      const error = yield* Effect.flip(store.put(key("a"), []))
      assert.include(error.message, "the store asks for a wait of 3600 s")
      assert.strictEqual(yield* requests, 1)
    })
  )

  it.effect("does not let one object that always fails take the rest down, and does not try it for ever", () =>
    Effect.gen(function* () {
      const { disturb, store } = yield* world
      yield* disturb({ _tag: "Fail", operation: "put", key: (k) => k === "bad", times: Infinity, reason: unavailable })
      const bad = yield* Effect.forkChild(Effect.flip(store.put(key("bad"), [])), { startImmediately: true })
      const good = yield* Effect.forkChild(
        Effect.forEach(
          Array.from({ length: 700 }, (_, i) => key(`good-${i}`)),
          (each) => Effect.andThen(store.put(each, []), Effect.sleep("1 second"))
        ),
        { startImmediately: true }
      )
      yield* TestClock.adjust("13 minutes")
      assert.strictEqual((yield* Fiber.join(bad)).reason._tag, "StoreUnavailable")
      yield* Fiber.join(good)
    })
  )

  it.effect("resumes a listing and a read that an outage cut in two", () =>
    Effect.gen(function* () {
      const { calm, disturb, down, store } = yield* world
      const content = new Uint8Array(300_000).fill(7)
      yield* store.put(key("set/a"), [content])
      yield* disturb({ _tag: "Break", operation: "read", afterBytes: 200_000 })
      yield* disturb({ _tag: "Fail", operation: "read", nth: 2, times: 20, reason: unavailable })
      const reading = yield* Effect.forkChild(Stream.runCollect(store.read(key("set/a"))), { startImmediately: true })
      yield* TestClock.adjust("50 seconds")
      assert.isUndefined(reading.pollUnsafe())
      yield* calm
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Buffer.concat(yield* Fiber.join(reading)).equals(content))
      yield* down("list", 3)
      const listing = yield* Effect.forkChild(Stream.runCollect(store.list("set/")), { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(listing)).length, 1)
    })
  )

  it.effect("can be interrupted while it waits", () =>
    Effect.gen(function* () {
      const { down, shown, store } = yield* world
      yield* down("put")
      const work = yield* Effect.forkChild(store.put(key("a"), []), { startImmediately: true })
      yield* TestClock.adjust("30 seconds")
      assert.isDefined(shown.paused)
      yield* Fiber.interrupt(work)
      assert.isUndefined(shown.paused)
    })
  )

  it.effect.prop("loses and doubles nothing, whatever fails how often", [Schema.String], ([seed]) =>
    Effect.gen(function* () {
      const { disturb, keys, store } = yield* world
      const random = <A>(items: ReadonlyArray<A>) =>
        Effect.map(Random.nextIntBetween(0, items.length), (i) => items[i]!)
      for (let i = 0; i < 4; i++) {
        const nth = yield* Random.nextIntBetween(1, 12)
        const times = yield* Random.nextIntBetween(1, 4)
        const tag = yield* random(["Fail", "LoseAnswer"] as const)
        yield* disturb(
          tag === "Fail"
            ? { _tag: "Fail", operation: "put", nth, times, reason: unavailable }
            : { _tag: "LoseAnswer", operation: "put", nth, times }
        )
      }
      const names = Array.from({ length: 8 }, (_, i) => key(`k${i}`))
      const work = yield* Effect.forkChild(
        Effect.forEach(names, (name) => store.put(name, [bytes(name)], { ifAbsent: true }), { concurrency: 2 }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("2 hours")
      yield* Fiber.join(work)
      assert.deepStrictEqual(yield* keys, names)
      for (const name of names) assert.strictEqual(text(yield* store.get(name)), name)
    }).pipe(Random.withSeed(seed))
  )
})
