import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import * as WholeRemoval from "../../src/backup/WholeRemoval.ts"
import type { Owner } from "../../src/identity/RunIdentity.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Readers from "../../src/manifest/Readers.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { ObjectStoreError, StorageAuthorizationFailed } from "../../src/storage/ObjectStoreError.ts"
import * as ByReference from "./byReference.ts"
import { dyingAt, layer, world } from "./world.ts"

const owner: Owner = { uid: "uid-1", namespace: "kafka", name: "nightly" }
const other: Owner = { uid: "uid-2", namespace: "kafka", name: "nightly" }
const start = Date.UTC(2026, 10, 23)
const hour = 3_600_000
const at = (n: number) => ({ owner, slotMillis: start + n * hour })

const states = (store: ObjectStoreShape) =>
  Effect.map(Catalogue.entries(store), (entries) => entries.map((entry) => `${entry.backupId.slice(-6)} ${entry._tag}`))

/** Four sets, each on the one before: it leaves out one segment of the first, and joins nothing. */
const chain = Effect.fnUntraced(function* (store: ObjectStoreShape, changes: Partial<ByReference.Making> = {}) {
  const sets: Array<ByReference.MadeSet> = []
  for (let n = 1; n <= 4; n++) {
    sets.push(yield* ByReference.make(store, { ...at(n), base: sets.at(-1), own: n === 1 ? 4 : 1, ...changes }))
  }
  return sets
})

/** What is read of each key. */
const reading = (store: ObjectStoreShape) => {
  const keys: Array<string> = []
  const met = (key: string) => keys.push(key)
  const counted: ObjectStoreShape = {
    ...store,
    get: (key) => Effect.suspend(() => (met(key), store.get(key))),
    read: (key) => Stream.suspend(() => (met(key), store.read(key)))
  }
  return { store: counted, keys }
}

const refusing = (
  store: ObjectStoreShape,
  isRefused: (key: string) => boolean,
  isLocked: boolean
): ObjectStoreShape => ({
  ...store,
  delete: (key) =>
    isRefused(key)
      ? Effect.fail(
          new ObjectStoreError({
            operation: "delete",
            location: store.location,
            reason: new StorageAuthorizationFailed({
              detail: `${key} may not be deleted`,
              advice: "grant it",
              ...(isLocked ? { locked: {} } : {})
            })
          })
        )
      : store.delete(key)
})

describe("Sets that name objects of earlier sets", () => {
  it.effect("keep what they need of a removed one, which is collected with the last of them", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const [first, second, third, fourth] = yield* chain(store)
      yield* RetentionPass.run(store, owner, { keep: 1 })
      assert.deepStrictEqual(yield* states(store), [
        "010000 Retired",
        "020000 Retired",
        "030000 Retired",
        "040000 Complete"
      ])
      assert.deepStrictEqual(yield* ByReference.missing(store, fourth!), [])
      assert.deepStrictEqual(
        (yield* memory.keys).filter((key) => key.startsWith(`${first!.backupId}/`)),
        [BackupKeys.retired(first!.backupId), ...first!.segments.map(({ key }) => ObjectKey.make(key))]
      )
      // A full set pushes the last one out that needs anything.
      const full = yield* ByReference.make(store, { ...at(5), own: 8 })
      yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
      assert.deepStrictEqual(yield* states(store), ["050000 Complete"])
      assert.deepStrictEqual(yield* ByReference.missing(store, full), [])
      for (const { backupId } of [first!, second!, third!, fourth!]) {
        assert.isFalse((yield* memory.keys).some((key) => key.startsWith(`${backupId}/`)))
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("give back what nobody needs of a retired one, once a tenth would be won", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const first = yield* ByReference.make(store, { ...at(1), own: 20 })
      const second = yield* ByReference.make(store, { ...at(2), base: first, own: 1 })
      yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
      const third = yield* ByReference.make(store, { ...at(3), base: second, drop: 1, own: 1 })
      const left = Effect.map(memory.keys, (keys) => keys.filter((key) => key.startsWith(`${first.backupId}/topics/`)))
      yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
      assert.lengthOf(yield* left, 20, "a twentieth is not worth while")
      const fourth = yield* ByReference.make(store, { ...at(4), base: third, drop: 2, own: 1 })
      yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
      assert.lengthOf(yield* left, 17)
      assert.deepStrictEqual(yield* ByReference.missing(store, fourth), [])
      const [entry] = yield* Catalogue.entries(store)
      assert.deepInclude(entry, { _tag: "Retired", objects: 17, bytes: 1700 })
    }).pipe(Effect.provide(layer))
  )

  it.effect("have one manifest of the chain read when one is removed, and none where nothing is", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      const sets = yield* chain(store)
      yield* RetentionPass.run(store, owner, { keep: 4 }, "run")
      const idle = reading(store)
      yield* Catalogue.entries(idle.store)
      yield* RetentionPass.run(idle.store, owner, { keep: 4 }, "run")
      assert.deepStrictEqual(
        idle.keys.filter((key) => key.endsWith("/manifest.json")),
        []
      )
      const one = reading(store)
      yield* RetentionPass.run(one.store, owner, { keep: 3 }, "run")
      const opened = one.keys.filter((key) => key.endsWith("/manifest.json"))
      // Those that stay are compared with storage before anything is removed; the needs are read from the oldest of
      // them.
      const times = (n: number) => opened.filter((key) => key.startsWith(`${sets[n]!.backupId}/`)).length
      assert.deepStrictEqual([times(0), times(1) > times(2), times(2) === times(3)], [0, true, true])
      for (const set of sets.slice(1)) assert.deepStrictEqual(yield* ByReference.missing(store, set), [])
    }).pipe(Effect.provide(layer))
  )

  it.effect.each(["run", "everything"] as const)(
    "lose nothing when a removal dies at any call, and leave no more than one that went through (%s)",
    (thoroughness) =>
      Effect.gen(function* () {
        const { memory, store } = yield* world
        const sets = yield* chain(store, { drop: 1 })
        yield* RetentionPass.run(store, owner, { keep: 3 }, thoroughness)
        const content = yield* Effect.forEach(yield* memory.keys, (key) =>
          Effect.map(store.get(key), (bytes) => [key, bytes] as const)
        )
        const asBefore = Effect.gen(function* () {
          for (const key of yield* memory.keys) yield* store.delete(key)
          for (const [key, bytes] of content) yield* store.put(key, [bytes])
        })
        const left = Effect.map(memory.keys, (keys) => keys.filter((key) => !key.startsWith("_kafka-backup/index/")))
        yield* RetentionPass.run(store, owner, { keep: 1 }, "everything")
        const expected = yield* left
        for (const when of ["before", "after"] as const) {
          for (let n = 1; ; n++) {
            yield* asBefore
            const exit = yield* Effect.exit(
              RetentionPass.run(dyingAt(store, n, when).store, owner, { keep: 1 }, thoroughness)
            )
            for (const { backupId, _tag } of yield* Catalogue.entries(store)) {
              const set = sets.find((one) => one.backupId === backupId)
              if (_tag === "Complete") assert.deepStrictEqual(yield* ByReference.missing(store, set!), [], `call ${n}`)
            }
            yield* RetentionPass.run(store, owner, { keep: 1 }, "everything")
            assert.deepStrictEqual(yield* left, expected, `${when} call ${n}`)
            if (Exit.isSuccess(exit)) break
          }
        }
      }).pipe(Effect.provide(layer))
  )

  it.effect("leave nothing when all are removed, from a death at any call", () =>
    Effect.gen(function* () {
      for (const when of ["before", "after"] as const) {
        for (let n = 1; ; n++) {
          const isOver = yield* Effect.gen(function* () {
            const { memory, store } = yield* world
            yield* chain(store, { drop: 1 })
            yield* RetentionPass.run(store, owner, { keep: 2 }, "run")
            const exit = yield* Effect.exit(WholeRemoval.run(dyingAt(store, n, when).store, owner))
            yield* WholeRemoval.run(store, owner)
            assert.deepStrictEqual(yield* memory.keys, [], `${when} call ${n}`)
            return Exit.isSuccess(exit)
          }).pipe(Effect.provide(layer))
          if (isOver) break
        }
      }
    })
  )

  it.effect("of a resource that is created again leave nothing of the earlier one, from a death at any call", () =>
    Effect.gen(function* () {
      const heir = { ...other, adopting: { sourceClusterId: undefined, createdMillis: start + 10 * hour } }
      for (let n = 1; ; n++) {
        const isOver = yield* Effect.gen(function* () {
          const { memory, store } = yield* world
          yield* TestClock.setTime(start + 100 * hour)
          const sets = yield* chain(store)
          yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
          yield* ByReference.make(store, { owner: other, slotMillis: start + 11 * hour, base: sets[3], own: 1 })
          const exit = yield* Effect.exit(WholeRemoval.run(dyingAt(store, n, "after").store, heir))
          // The lock of the one that died ends.
          yield* TestClock.adjust("1 hour")
          yield* WholeRemoval.run(store, heir)
          const left = (yield* memory.keys).filter((key) => !key.startsWith("_kafka-backup/locks/"))
          assert.deepStrictEqual(left, [], `call ${n}`)
          return Exit.isSuccess(exit)
        }).pipe(Effect.provide(layer))
        if (isOver) break
      }
    })
  )

  it.effect("leave nothing of one whose retired.json was damaged, nor take what others need of it", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const [first, , , fourth] = yield* chain(store)
      yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
      yield* store.put(BackupKeys.retired(first!.backupId), [Buffer.from("damaged")])
      const { notes } = yield* RetentionPass.run(store, owner, { keep: 1 }, "everything")
      assert.include(notes.join("\n"), `${first!.backupId} is no backup`)
      assert.deepStrictEqual(yield* ByReference.missing(store, fourth!), [])
      // It is as it was, and nobody speaks of it any more.
      assert.include(yield* states(store), "010000 Retired")
      assert.deepStrictEqual((yield* RetentionPass.run(store, owner, { keep: 1 }, "everything")).notes, [])
      yield* store.put(BackupKeys.retired(first!.backupId), [Buffer.from("damaged again")])
      yield* WholeRemoval.run(store, owner)
      assert.deepStrictEqual(yield* memory.keys, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("of another resource keep what they need, and the one who removes everything is told", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      const first = yield* ByReference.make(store, { ...at(1), own: 3 })
      const theirs = yield* ByReference.make(store, { owner: other, slotMillis: start + 2 * hour, base: first })
      const said = yield* WholeRemoval.preview(store, owner)
      const done = yield* WholeRemoval.run(store, owner)
      assert.deepStrictEqual(done, said)
      assert.deepStrictEqual(done.removed, [first.backupId])
      assert.deepStrictEqual(done.notes, [
        `300 bytes of ${first.backupId} stay: ${theirs.backupId} of another resource need them`
      ])
      assert.deepStrictEqual(yield* ByReference.missing(store, theirs), [])
      assert.deepStrictEqual(yield* states(store), ["010000 Retired", "020000 Complete"])
      yield* WholeRemoval.run(store, other)
      yield* WholeRemoval.run(store, owner)
      assert.deepStrictEqual(yield* states(store), [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("keep what they need when the store does not let them go", () =>
    Effect.gen(function* () {
      for (const isLocked of [true, false]) {
        yield* Effect.gen(function* () {
          const { store } = yield* world
          const [first, second] = yield* chain(store)
          yield* ByReference.make(store, { ...at(5), own: 9 })
          const held = refusing(store, (key) => key.startsWith(`${second!.backupId}/`), isLocked)
          const { locked, notes, removed } = yield* RetentionPass.run(held, owner, { keep: 1 }, "run")
          assert.deepStrictEqual(notes, [])
          assert.deepStrictEqual(
            locked.map(({ backupId }) => backupId),
            [second!.backupId]
          )
          if (!isLocked) assert.match(locked[0]!.why, /^permission denied: .*report.json may not be deleted$/)
          assert.lengthOf(removed, 3)
          assert.deepStrictEqual(yield* states(store), ["010000 Retired", "020000 Complete", "050000 Complete"])
          assert.deepStrictEqual(yield* ByReference.missing(store, second!), [])
          yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
          assert.deepStrictEqual(yield* states(store), ["050000 Complete"])
          assert.isNotEmpty(yield* ByReference.missing(store, first!))
        }).pipe(Effect.provide(layer))
      }
    })
  )

  it.effect("stay as long as an unfinished run builds on them, and are said to", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      const [, , third] = yield* chain(store)
      const run = yield* ByReference.begin(store, { ...at(5), base: third! })
      yield* ByReference.make(store, { ...at(6), own: 12 })
      const pass = (thoroughness: "run" | "everything") => RetentionPass.run(store, owner, { keep: 1 }, thoroughness)
      const { notes } = yield* pass("run")
      assert.deepStrictEqual(notes, [
        `${third!.backupId} stays for now: the unfinished run ${run.backupId} builds on it`
      ])
      yield* pass("everything")
      const made = yield* ByReference.finish(store, run, { own: 1 })
      assert.deepStrictEqual(yield* ByReference.missing(store, made), [])
      yield* pass("run")
      assert.deepStrictEqual(
        (yield* states(store)).filter((state) => state.endsWith("Complete")),
        ["060000 Complete"]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("stay while an unfinished run of another resource builds on them, also when everything is removed", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      const first = yield* ByReference.make(store, at(1))
      const run = yield* ByReference.begin(store, { owner: other, slotMillis: start + 2 * hour, base: first })
      const { locked, removed } = yield* WholeRemoval.run(store, owner)
      assert.deepStrictEqual(removed, [])
      assert.deepStrictEqual(locked, [
        { backupId: first.backupId, why: `the unfinished run ${run.backupId} builds on it` }
      ])
      const made = yield* ByReference.finish(store, run, {})
      yield* WholeRemoval.run(store, owner)
      assert.deepStrictEqual(yield* ByReference.missing(store, made), [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("go although somebody reads them when everything is removed, which is said, and leave nothing", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const made = yield* ByReference.make(store, at(1))
      yield* Readers.register(store, made.backupId, "restore kafka/back")
      const { notes, removed } = yield* WholeRemoval.run(store, owner)
      assert.deepStrictEqual(removed, [made.backupId])
      assert.deepStrictEqual(notes, [`${made.backupId} is removed although restore kafka/back reads it`])
      assert.deepStrictEqual(yield* memory.keys, [])
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("are all kept while the manifest that says what one needs is not the one that was committed", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const first = yield* ByReference.make(store, { ...at(1), own: 4 })
      const sets = [
        first,
        yield* ByReference.make(store, { ...at(2), own: 5 }),
        yield* ByReference.make(store, { ...at(3), own: 6 }),
        yield* ByReference.make(store, { ...at(4), base: first, own: 3 })
      ]
      // The newest, which does not count then, and stays.
      yield* memory.tamper(BackupKeys.manifest(sets[3]!.backupId), (bytes) =>
        Buffer.from(Buffer.from(bytes).toString("utf8").replaceAll("segment-00000000000000000000", "segment-elsewhere"))
      )
      const { blocked, removed } = yield* RetentionPass.run(store, owner, { keep: 1 })
      assert.deepStrictEqual(removed, [])
      assert.match(blocked.join(), /retention removed nothing.*manifest.json/)
      for (const set of sets) assert.deepStrictEqual(yield* ByReference.missing(store, set), [])
    }).pipe(Effect.provide(layer))
  )
})
