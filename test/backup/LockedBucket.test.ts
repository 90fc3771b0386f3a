import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import * as RunReporting from "../../src/backup/RunReporting.ts"
import * as RunDisplay from "../../src/cli/RunDisplay.ts"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as SetLocks from "../../src/manifest/SetLocks.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { aRequest, assertHoldsAll, attempt, dyingAt, fill, layer, someTopics, world } from "./world.ts"

const slots = ["2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z", "2026-11-23T14:00:00Z"] as const
const oneKept = (slot: string) => aRequest(slot, { retainedBackups: 1 })

const keys = (store: ObjectStoreShape, prefix: string) =>
  Effect.map(Stream.runCollect(store.list(prefix)), (found) => found.map(({ key }) => key))

const complete = (store: ObjectStoreShape) =>
  Effect.map(Catalogue.entries(store), (entries) =>
    entries.filter(({ _tag }) => _tag === "Complete").map(({ backupId }) => backupId)
  )

/** The same store, and whatever it is asked to remove. */
const watched = (store: ObjectStoreShape) => {
  const removed: Array<string> = []
  const watching: ObjectStoreShape = {
    ...store,
    delete: (key, options) =>
      Effect.andThen(
        store.delete(key, options),
        Effect.sync(() => void removed.push(key))
      )
  }
  return { removed, store: watching }
}

describe("A bucket that locks every object by a default of its own, and hides what is deleted", () => {
  it.effect("keeps what is past retention whole, lets bookkeeping go, and is free of it when the lock has ended", () =>
    Effect.gen(function* () {
      const { cluster, memory, store: plain } = yield* world
      yield* fill(cluster)
      const untilMillis = (yield* Clock.currentTimeMillis) + 86_400_000
      const why = `locked until ${new Date(untilMillis).toISOString()}`
      yield* memory.protect(() => ({ untilMillis }))
      const { removed, store } = watched(plain)
      const ids = []
      for (const slot of slots) {
        const { facts, retention } = yield* attempt(oneKept(slot), { store })
        assert.deepStrictEqual([retention.removed, retention.notes], [[], []])
        assert.deepStrictEqual(
          retention.locked,
          ids.map((backupId) => ({ backupId, why, lock: { untilMillis } }))
        )
        ids.push(facts.backupId)
      }
      for (const id of ids) yield* assertHoldsAll(cluster, store, id, someTopics)
      assert.deepStrictEqual(yield* complete(store), ids)
      const ofSets = removed.filter((key) => !key.startsWith("_kafka-backup/") && !key.includes("/checkpoint/"))
      assert.deepStrictEqual(ofSets, [], "nothing of a set was hidden")
      assert.deepStrictEqual(yield* keys(store, "_kafka-backup/locks/"), [])
      assert.deepStrictEqual(yield* keys(store, "_kafka-backup/preflight/"), [])
      assert.deepStrictEqual(yield* SetLocks.ofYoungest(store, ids[0]!), { untilMillis })

      const owner = { ...oneKept(slots[0]).identity.owner, adopting: undefined }
      const planned = yield* RetentionPass.preview(store, owner, { keep: 1 })
      assert.deepStrictEqual([planned.removed, planned.locked.length], [[], 2])

      yield* TestClock.adjust("2 days")
      const due = yield* RetentionPass.preview(store, owner, { keep: 1 })
      assert.deepStrictEqual([due.removed, due.locked], [ids.slice(0, 2), []])
      assert.include(due.afterlife, "noncurrent versions")
      const last = oneKept("2026-11-23T15:00:00Z")
      const progress = RunProgress.make()
      const success = yield* attempt(last, { store, progress })
      const { facts, retention } = success
      assert.deepStrictEqual([retention.removed, retention.locked], [ids, []])
      const run = { startedMillis: 0, progress, parts: new Map(), backup: undefined, identity: last.identity, store }
      const report = RunReporting.ofSuccess(run, 0, success)
      assert.strictEqual(report.retention?.afterlife, due.afterlife)
      assert.include(RunDisplay.closing(report), `note: what is removed still costs space: ${due.afterlife}`)
      assert.deepStrictEqual(yield* complete(store), [facts.backupId])
      for (const id of ids) assert.deepStrictEqual(yield* keys(store, `${id}/`), [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("never marks a locked set as going, also one whose report was never stored", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      const first = (yield* attempt(oneKept(slots[0]))).facts.backupId
      yield* store.delete(BackupKeys.report(first))
      const untilMillis = (yield* Clock.currentTimeMillis) + 86_400_000
      yield* memory.protect((key) => (key.startsWith(`${first}/`) ? { untilMillis } : undefined))
      const before = (yield* memory.calls).length
      const { retention } = yield* attempt(oneKept(slots[1]))
      assert.deepStrictEqual(
        retention.locked.map(({ backupId }) => backupId),
        [first]
      )
      const touched = (yield* memory.calls)
        .slice(before)
        .filter(({ key, operation }) => key.startsWith(`${first}/`) && (operation === "put" || operation === "delete"))
      assert.deepStrictEqual(touched, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("leaves a set whole of which somebody holds one segment, and removes the others", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      const first = (yield* attempt(oneKept(slots[0]))).facts.backupId
      const [segment] = yield* keys(store, `${first}/topics/`)
      yield* memory.protect((key) => (key === segment ? { isHeld: true } : undefined))
      const second = yield* attempt(oneKept(slots[1]))
      assert.deepStrictEqual(second.retention.locked, [
        { backupId: first, why: "locked by a hold", lock: { isHeld: true } }
      ])
      yield* assertHoldsAll(cluster, store, first, someTopics)
      const third = yield* attempt(oneKept(slots[2]))
      assert.deepStrictEqual(third.retention.removed, [second.facts.backupId])
      yield* memory.protect(undefined)
      const fourth = yield* attempt(oneKept("2026-11-23T15:00:00Z"))
      assert.deepStrictEqual(fourth.retention.removed, [first, third.facts.backupId])
    }).pipe(Effect.provide(layer))
  )

  it.effect("keeps in sight what killed attempts have left, until it goes with the set", () =>
    Effect.gen(function* () {
      const { cluster, memory, store: plain } = yield* world
      yield* fill(cluster)
      const untilMillis = (yield* Clock.currentTimeMillis) + 86_400_000
      yield* memory.protect(() => ({ untilMillis }))
      const { removed, store } = watched(plain)
      yield* Effect.exit(attempt(oneKept(slots[0]), { store: dyingAt(store, 45, "after").store }))
      yield* attempt(oneKept(slots[0]), { store })
      assert.deepStrictEqual(
        removed.filter((key) => key.includes("/topics/")),
        []
      )
    }).pipe(Effect.provide(layer))
  )
})
