import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import { type ObjectKey, ObjectStores } from "../../src/storage/ObjectStore.ts"
import { OutOfSpace, StoreUnavailable } from "../../src/storage/ObjectStoreError.ts"
import * as StorageBackends from "../../src/storage/StorageBackends.ts"
import { objectStoreContract } from "../contract/objectStore.ts"

const stores = InMemoryObjectStores.pipe(Effect.provide(InMemoryObjectStores.layer))
const key = (text: string) => text as ObjectKey
const bytes = (text: string) => new TextEncoder().encode(text)
const unavailable = new StoreUnavailable({ detail: "scripted" })

objectStoreContract(
  "in memory",
  Effect.map(stores, (stores) => ({ open: (root) => Effect.map(stores.named(root), ({ store }) => store) }))
)

describe("StorageBackends", () => {
  it.effect("finds an in-memory store again by its name, and lets a story reach behind it", () =>
    Effect.gen(function* () {
      const { open } = yield* ObjectStores
      const one = yield* open({ _tag: "InMemory", name: "backups" })
      yield* one.put(key("a"), [bytes("x")])
      const again = yield* open({ _tag: "InMemory", name: "backups" })
      assert.deepStrictEqual(yield* again.get(key("a")), bytes("x"))
      const other = yield* open({ _tag: "InMemory", name: "other" })
      assert.strictEqual((yield* Effect.flip(other.get(key("a")))).reason._tag, "ObjectNotFound")
      const behind = yield* (yield* InMemoryObjectStores).named("backups")
      assert.deepStrictEqual(yield* behind.keys, [key("a")])
    }).pipe(Effect.scoped, Effect.provide(StorageBackends.layer))
  )

  it.effect("refuses a directory or bucket that cannot be, naming it", () =>
    Effect.gen(function* () {
      const { open } = yield* ObjectStores
      const directory = yield* Effect.flip(open({ _tag: "Directory", volume: "/nowhere/at/all" }))
      assert.strictEqual(directory.reason._tag, "TargetMissing")
      const bucket = yield* Effect.flip(open({ _tag: "S3", bucket: "No/Bucket", region: "eu-central-1" }))
      assert.strictEqual(bucket.reason._tag, "Misconfigured")
    }).pipe(Effect.scoped, Effect.provide(StorageBackends.layer))
  )
})

describe("InMemoryObjectStore under scripted faults", () => {
  it.effect("fails the n-th call with the given reason, and only that", () =>
    Effect.gen(function* () {
      const { store, disturb, keys } = yield* (yield* stores).named("s")
      yield* disturb({ _tag: "Fail", operation: "put", nth: 2, reason: new OutOfSpace({ detail: "full" }) })
      yield* store.put(key("1"), [bytes("x")])
      const error = yield* Effect.flip(store.put(key("2"), [bytes("x")]))
      assert.strictEqual(error.reason._tag, "OutOfSpace")
      yield* store.put(key("3"), [bytes("x")])
      assert.deepStrictEqual(yield* keys, [key("1"), key("3")])
    })
  )

  it.effect("fails a row of calls to chosen keys, until it is calmed", () =>
    Effect.gen(function* () {
      const { store, disturb, calm, calls } = yield* (yield* stores).named("s")
      const onlyManifests = (each: string) => each.endsWith("manifest.json")
      yield* disturb({ _tag: "Fail", operation: "put", key: onlyManifests, times: Infinity, reason: unavailable })
      yield* store.put(key("segment"), [bytes("x")])
      for (let i = 0; i < 3; i++) assert.isTrue((yield* Effect.flip(store.put(key("manifest.json"), []))).isRetryable)
      yield* calm
      yield* store.put(key("manifest.json"), [])
      assert.strictEqual((yield* calls).filter((call) => onlyManifests(call.key)).length, 4)
    })
  )

  it.effect("loses the answer after the object was written", () =>
    Effect.gen(function* () {
      const { store, disturb } = yield* (yield* stores).named("s")
      yield* disturb({ _tag: "LoseAnswer", operation: "put" })
      const error = yield* Effect.flip(store.put(key("lock"), [bytes("mine")], { ifAbsent: true }))
      assert.strictEqual(error.reason._tag, "StoreUnavailable")
      assert.deepStrictEqual(yield* store.get(key("lock")), bytes("mine"))
    })
  )

  it.effect("delays, and hangs for ever when asked to", () =>
    Effect.gen(function* () {
      const { store, disturb } = yield* (yield* stores).named("s")
      yield* store.put(key("a"), [bytes("x")])
      yield* disturb({ _tag: "Delay", operation: "get", duration: "1 minute" })
      const slow = yield* Effect.forkChild(store.get(key("a")), { startImmediately: true })
      yield* TestClock.adjust("59 seconds")
      assert.isUndefined(slow.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(slow), bytes("x"))
      yield* disturb({ _tag: "Delay", operation: "head", duration: Duration.infinity })
      const hanging = yield* Effect.forkChild(store.head(key("a")), { startImmediately: true })
      yield* TestClock.adjust("365 days")
      assert.isUndefined(hanging.pollUnsafe())
      yield* Fiber.interrupt(hanging)
    })
  )

  it.effect("breaks a read after so many bytes", () =>
    Effect.gen(function* () {
      const { store, disturb } = yield* (yield* stores).named("s")
      yield* store.put(key("a"), [new Uint8Array(200_000)])
      yield* disturb({ _tag: "Break", operation: "read", afterBytes: 100_000 })
      let seen = 0
      const reading = store
        .read(key("a"))
        .pipe(Stream.runForEach((piece) => Effect.sync(() => void (seen += piece.byteLength))))
      assert.strictEqual((yield* Effect.flip(reading)).reason._tag, "StoreUnavailable")
      assert.strictEqual(seen, 100_000)
      seen = 0
      yield* reading
      assert.strictEqual(seen, 200_000)
    })
  )

  it.effect("rots: content altered behind its back is what readers get, under another fingerprint", () =>
    Effect.gen(function* () {
      const { store, tamper } = yield* (yield* stores).named("s")
      const put = yield* store.put(key("set/segment"), [bytes("abc")])
      yield* tamper(key("set/segment"), (content) => content.fill(0, 1, 2))
      assert.deepStrictEqual(yield* store.get(key("set/segment")), new Uint8Array([97, 0, 99]))
      assert.notStrictEqual((yield* store.head(key("set/segment"))).fingerprint, put.fingerprint)
      yield* tamper(key("set/segment"), () => undefined)
      assert.deepStrictEqual(yield* Stream.runCollect(store.folders), [])
    })
  )
})
