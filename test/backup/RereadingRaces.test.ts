import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream } from "effect"
import * as Damage from "../../src/manifest/Damage.ts"
import * as Ledger from "../../src/manifest/Ledger.ts"
import * as OwnerLock from "../../src/manifest/OwnerLock.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { inTime } from "./inTime.ts"
import { flip, idOf, keysOf, owner, slot } from "./stories.ts"
import { aRequest, attempt, fill, layer, world } from "./world.ts"

/** Runs that read stored backups again while others work on the same ones. */

const run = (hour: number, percentPerRun: number) => aRequest(slot(hour), { percentPerRun })

/** A cluster, a backup of it that is in the record, and an object of that. */
const begun = Effect.gen(function* () {
  const { cluster, store } = yield* world
  yield* fill(cluster)
  yield* attempt(run(1, 100))
  const [key] = yield* keysOf(store, idOf(1))
  return { cluster, key: key!, store }
})

/** Something happens once, when the run takes the owner's lock after its readings. */
const beforeTheLock = (store: ObjectStoreShape, what: Effect.Effect<unknown, unknown>): ObjectStoreShape => {
  let isDue = true
  return {
    ...store,
    put: (key, ...rest) => {
      if (!isDue || !key.startsWith("_kafka-backup/locks/")) return store.put(key, ...rest)
      isDue = false
      return Effect.andThen(Effect.orDie(what), store.put(key, ...rest))
    }
  }
}

describe("A run that reads stored backups again while somebody holds the lock of the resource", () => {
  it.effect("records no damage and says so; the next run does", () =>
    Effect.gen(function* () {
      const { key, store } = yield* begun
      yield* flip(store, key)
      const other = yield* Effect.forkChild(OwnerLock.holding(store, owner, "a prune", Effect.never), {
        startImmediately: true
      })
      const context = yield* Effect.context<Effect.Services<ReturnType<typeof attempt>>>()
      const exit = yield* inTime(Effect.provide(attempt(run(2, 100)), context), 900)
      assert.isTrue(Exit.isSuccess(exit))
      const { retention, verification, verificationNotes } = Exit.isSuccess(exit) ? exit.value : assert.fail()
      assert.lengthOf(verificationNotes, 1)
      assert.match(
        verificationNotes[0]!,
        new RegExp(`^${key} .*: not recorded as damage, because another process works on the backups; the next run`)
      )
      assert.match(retention.notes.join(), /^retention did not finish: a prune holds the storage lock/)
      assert.deepStrictEqual(yield* Damage.read(store, idOf(1)), [])
      // What was right is remembered: all but the one.
      const { count } = (yield* Ledger.read(store, owner)).entries
      assert.deepStrictEqual([verification!.objects, verification!.isCutShort], [count - 1, true])
      yield* Fiber.interrupt(other)
      yield* attempt(run(3, 100))
      assert.deepStrictEqual(
        (yield* Damage.read(store, idOf(1))).map((object) => object.key),
        [key as string]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("remembers nothing as right while damage is recorded: it may be that, and the next run takes it back", () =>
    Effect.gen(function* () {
      const { key, store } = yield* begun
      const right = yield* store.get(key)
      yield* flip(store, key)
      yield* attempt(run(2, 100))
      assert.lengthOf(yield* Damage.read(store, idOf(1)), 1)
      yield* store.put(key, [right])
      const other = yield* Effect.forkChild(OwnerLock.holding(store, owner, "a prune", Effect.never), {
        startImmediately: true
      })
      const context = yield* Effect.context<Effect.Services<ReturnType<typeof attempt>>>()
      const exit = yield* inTime(Effect.provide(attempt(run(3, 100)), context), 900)
      const { verification } = Exit.isSuccess(exit) ? exit.value : assert.fail()
      assert.deepStrictEqual([verification!.objects, verification!.isCutShort], [0, true])
      assert.lengthOf(yield* Damage.read(store, idOf(1)), 1)
      yield* Fiber.interrupt(other)
      yield* attempt(run(4, 50))
      assert.deepStrictEqual(yield* Damage.read(store, idOf(1)), [])
    }).pipe(Effect.provide(layer))
  )
})

describe("An object that was not right when a run read it twice", () => {
  it.live.each([
    ["put back", (right: Uint8Array) => right, 0],
    ["altered once more", (right: Uint8Array) => right.with(30, right[30]! ^ 1), 1]
  ] as const)("is left to the next run if it was %s before the run had the lock", ([, bytes, damaged]) =>
    Effect.gen(function* () {
      const { key, store } = yield* begun
      const right = yield* store.get(key)
      yield* flip(store, key)
      const changing = beforeTheLock(store, store.put(key, [bytes(right)]))
      const { retention, verification, verificationNotes } = yield* attempt(run(2, 100), { store: changing })
      assert.deepStrictEqual([yield* Damage.read(store, idOf(1)), retention.damaged!.sets], [[], 0])
      assert.deepStrictEqual(verificationNotes, [])
      const { count } = (yield* Ledger.read(store, owner)).entries
      assert.strictEqual(verification!.objects, count - 1)
      // It is the first that is due.
      yield* attempt(run(3, 1))
      assert.lengthOf(yield* Damage.read(store, idOf(1)), damaged)
    }).pipe(Effect.provide(layer))
  )
})

describe("Two runs of one resource that read again at the same time", () => {
  it.live("record what one of them read; what the other one read is due again, and nothing is lost", () =>
    Effect.gen(function* () {
      const { store } = yield* begun
      let isDue = true
      let inner: Effect.Success<ReturnType<typeof attempt>> | undefined
      const context = yield* Effect.context<Effect.Services<ReturnType<typeof attempt>>>()
      const meanwhile = Effect.gen(function* () {
        isDue = false
        inner = yield* Effect.orDie(attempt(run(2, 100)))
      }).pipe(Effect.provide(context))
      const paused: ObjectStoreShape = {
        ...store,
        read: (key) =>
          isDue && key.startsWith(`${idOf(1)}/topics/`)
            ? Stream.unwrap(Effect.as(meanwhile, store.read(key)))
            : store.read(key)
      }
      const outer = yield* attempt(run(3, 100), { store: paused })
      assert.deepStrictEqual(inner!.verificationNotes, [])
      assert.deepStrictEqual(outer.verificationNotes, [
        "another run recorded what it read again at the same time: what this one read is due again"
      ])
      assert.deepStrictEqual([outer.verification!.objects, outer.verification!.isCutShort], [0, true])
      const before = yield* Ledger.read(store, owner)
      assert.strictEqual(before.run?.backupId, idOf(2))
      const { verification, verificationNotes } = yield* attempt(run(4, 100))
      assert.deepStrictEqual(verificationNotes, [])
      const named = new Set<string>()
      for (const hour of [1, 2, 3, 4]) for (const key of yield* keysOf(store, idOf(hour))) named.add(key)
      assert.deepStrictEqual(
        [verification!.objects, (yield* Ledger.read(store, owner)).entries.count],
        [named.size, named.size]
      )
      for (const hour of [1, 2, 3, 4]) assert.deepStrictEqual(yield* Damage.read(store, idOf(hour)), [])
    }).pipe(Effect.provide(layer))
  )
})

describe("A run that would have to open the manifests of many backups", () => {
  it.live("opens twenty beside its own, and the next run begins with the others", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders", { partitions: 1 })
      yield* cluster.produce("orders", 0, [{ key: "k", value: "v" }])
      const [earlier, opened] = [23, 20]
      // Each run enters its own, and reads the one object that is due.
      for (let hour = 1; hour <= earlier; hour++) yield* attempt(run(hour % 24, 1))
      const readBy = (at: string, percentPerRun: number) =>
        Effect.gen(function* () {
          const read: Array<string> = []
          const watched: ObjectStoreShape = {
            ...store,
            read: (key) => Stream.suspend(() => (read.push(key), store.read(key)))
          }
          const { verification } = yield* attempt(aRequest(at, { percentPerRun }), { store: watched })
          const folders = read.filter((key) => key.includes("/topics/")).map((key) => key.split("/", 1)[0]!)
          return { folders: new Set(folders), verification: verification! }
        })
      const first = yield* readBy("2026-11-24T01:00:00Z", 100)
      assert.strictEqual(first.verification.objects, opened + 1)
      const second = yield* readBy("2026-11-24T02:00:00Z", 1)
      const left = Array.from({ length: earlier }, (_, n) => idOf((n + 1) % 24)).filter((id) => !first.folders.has(id))
      assert.lengthOf(left, earlier - opened)
      assert.isTrue([...second.folders].some((id) => left.some((one) => one === id)))
    }).pipe(Effect.provide(layer))
  )
})
