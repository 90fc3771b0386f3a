import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import type { Owner } from "../../src/identity/RunIdentity.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Pins from "../../src/manifest/Pins.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import * as ByReference from "./byReference.ts"
import { layer, world } from "./world.ts"

const owner: Owner = { uid: "uid-1", namespace: "kafka", name: "nightly" }
const stranger: Owner = { uid: "uid-9", namespace: "other", name: "stranger" }
const start = Date.UTC(2026, 10, 23)
const hour = 3_600_000

/** Four sets, each on the one before: the last one names four objects of the first. */
const chain = Effect.fnUntraced(function* (store: ObjectStoreShape) {
  yield* TestClock.setTime(start)
  const sets: Array<ByReference.MadeSet> = []
  for (let n = 1; n <= 4; n++) {
    const slotMillis = start + n * hour
    sets.push(yield* ByReference.make(store, { owner, slotMillis, base: sets.at(-1), own: n === 1 ? 4 : 1 }))
  }
  return sets
})

const keysOf = (store: ObjectStoreShape, { backupId }: ByReference.MadeSet) =>
  Effect.map(Stream.runCollect(store.list(`${backupId}/`)), (found) => found.map(({ key }) => key))

/** The manifest is lost; with `facts`, these and the report, too. */
const lose = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  { backupId }: ByReference.MadeSet,
  what: "manifest" | "documents"
) {
  yield* store.delete(BackupKeys.manifest(backupId))
  if (what === "manifest") return
  yield* store.delete(BackupKeys.facts(backupId))
  yield* store.delete(BackupKeys.report(backupId))
})

describe("A backup whose manifest was lost", () => {
  for (const thoroughness of ["run", "everything"] as const) {
    for (const what of ["manifest", "documents"] as const) {
      it.effect(`keeps what others name, for years: ${thoroughness}, without its ${what}`, () =>
        Effect.gen(function* () {
          const { store } = yield* world
          const sets = yield* chain(store)
          yield* lose(store, sets[0]!, what)
          const notes: Array<string> = []
          for (let pass = 0; pass < 3; pass++) {
            yield* TestClock.adjust("400 days")
            notes.push(...(yield* RetentionPass.run(store, owner, { keep: 4 }, thoroughness)).notes)
          }
          assert.deepStrictEqual(yield* ByReference.missing(store, sets[2]!), [])
          assert.deepStrictEqual(yield* ByReference.missing(store, sets[3]!), [])
          assert.include(notes.join("\n"), `${sets[0]!.backupId} has no manifest`)
        }).pipe(Effect.provide(layer))
      )

      it.effect(
        `keeps what others name when another resource's backups are removed, without its ${what} (${thoroughness})`,
        () =>
          Effect.gen(function* () {
            const { store } = yield* world
            const sets = yield* chain(store)
            yield* lose(store, sets[0]!, what)
            yield* TestClock.adjust("8 days")
            yield* RetentionPass.run(store, stranger, { keep: 1 }, thoroughness)
            assert.deepStrictEqual(yield* ByReference.missing(store, sets[3]!), [])
          }).pipe(Effect.provide(layer))
      )
    }
  }

  it.effect("stays while it is pinned, and while what another backup needs is unknown", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      yield* TestClock.setTime(start)
      const first = yield* ByReference.make(store, { owner, slotMillis: start + hour })
      const second = yield* ByReference.make(store, { owner, slotMillis: start + 2 * hour, base: first })
      yield* lose(store, first, "documents")
      const before = yield* keysOf(store, first)
      yield* store.put(BackupKeys.manifest(second.backupId), [Buffer.from("damaged")])
      yield* store.put(BackupKeys.facts(second.backupId), [Buffer.from("damaged")])
      yield* TestClock.adjust("8 days")
      yield* RetentionPass.run(store, stranger, { keep: 1 })
      assert.deepStrictEqual(yield* keysOf(store, first), before)
      yield* lose(store, second, "documents")
      yield* Pins.create(store, first.backupId, { reason: "mine", who: "me" })
      yield* TestClock.adjust("8 days")
      yield* RetentionPass.run(store, stranger, { keep: 1 })
      assert.deepStrictEqual(yield* keysOf(store, first), before)
      // Nothing stands for it any more: it looks like a run that was abandoned.
      yield* Pins.remove(store, first.backupId)
      yield* RetentionPass.run(store, stranger, { keep: 1 })
      assert.deepStrictEqual(yield* keysOf(store, first), [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is named when retention finds it gone", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      const sets = yield* chain(store)
      yield* RetentionPass.run(store, owner, { keep: 4 }, "run")
      yield* store.delete(BackupKeys.manifest(sets[2]!.backupId))
      const { notes } = yield* RetentionPass.run(store, owner, { keep: 2 }, "run")
      assert.include(notes.join("\n"), `${sets[2]!.backupId} has no manifest`)
      const entries = yield* Catalogue.entries(store)
      assert.deepStrictEqual(
        entries.filter(({ _tag }) => _tag === "Complete").map(({ backupId }) => backupId),
        [sets[1]!.backupId, sets[3]!.backupId]
      )
    }).pipe(Effect.provide(layer))
  )
})
