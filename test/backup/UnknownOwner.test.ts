import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import * as WholeRemoval from "../../src/backup/WholeRemoval.ts"
import type { Owner } from "../../src/identity/RunIdentity.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as SetRemoval from "../../src/manifest/SetRemoval.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import * as ByReference from "./byReference.ts"
import { layer, world } from "./world.ts"

const owner: Owner = { uid: "uid-1", namespace: "kafka", name: "nightly" }
const other: Owner = { ...owner, uid: "uid-2" }
const start = Date.UTC(2026, 10, 23)
const hour = 3_600_000
const at = (n: number) => ({ owner, slotMillis: start + n * hour })
const torn = (bytes: Uint8Array) => bytes.subarray(0, 30)

const states = (store: ObjectStoreShape) =>
  Effect.map(Catalogue.entries(store), (entries) => entries.map((entry) => `${entry.backupId.slice(-6)} ${entry._tag}`))

describe("a folder of which one document no longer says whose it is", () => {
  it.effect("is removed to its end by retention where the tombstone is torn, because the claim says it", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const first = yield* ByReference.make(store, at(1))
      yield* ByReference.make(store, at(2))
      yield* SetRemoval.condemn(store, first.backupId, owner)
      yield* memory.tamper(BackupKeys.tombstone(first.backupId), torn)
      assert.deepStrictEqual(yield* states(store), ["010000 BeingRemoved", "020000 Complete"])
      yield* RetentionPass.run(store, other, { keep: 1 }, "run")
      assert.deepStrictEqual(yield* states(store), ["010000 BeingRemoved", "020000 Complete"], "another resource")
      yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
      assert.deepStrictEqual(yield* states(store), ["020000 Complete"])
    }).pipe(Effect.provide(layer))
  )

  it.effect("stays where neither tombstone nor claim can be read", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const first = yield* ByReference.make(store, at(1))
      yield* ByReference.make(store, at(2))
      yield* SetRemoval.condemn(store, first.backupId, owner)
      for (const key of [BackupKeys.tombstone(first.backupId), BackupKeys.claim(first.backupId)]) {
        yield* memory.tamper(key, torn)
      }
      yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
      assert.deepStrictEqual(yield* states(store), ["010000 BeingRemoved", "020000 Complete"])
    }).pipe(Effect.provide(layer))
  )

  it.effect("holds nothing back any more after seven days where it is a run that cannot go on", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const base = yield* ByReference.make(store, at(1))
      const run = yield* ByReference.begin(store, { owner: other, slotMillis: start + 2 * hour, base })
      yield* memory.tamper(BackupKeys.claim(run.backupId), torn)
      yield* ByReference.make(store, { ...at(3), own: 12 })
      yield* TestClock.adjust("6 days")
      const early = yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
      assert.deepStrictEqual(early.notes, [
        `${base.backupId} stays for now: the unfinished run ${run.backupId} builds on it`
      ])
      assert.lengthOf((yield* WholeRemoval.preview(store, owner)).locked, 1)
      yield* TestClock.adjust("2 days")
      assert.deepStrictEqual((yield* WholeRemoval.preview(store, owner)).locked, [])
      yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
      assert.deepStrictEqual(yield* states(store), ["020000 Incomplete", "030000 Complete"])
      yield* WholeRemoval.run(store, owner)
      assert.deepStrictEqual(yield* states(store), ["020000 Incomplete"])
    }).pipe(Effect.provide(layer))
  )
})
