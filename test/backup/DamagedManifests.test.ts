import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Ledger from "../../src/manifest/Ledger.ts"
import * as SetIndex from "../../src/manifest/SetIndex.ts"
import type { ObjectKey, ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import { idOf, owner, slot } from "./stories.ts"
import { aRequest, attempt, fill, layer, world } from "./world.ts"

const more = (cluster: InMemoryCluster, n: number) =>
  cluster.produce("orders", n % 3, [{ key: `more-${n}`, value: `value ${n} `.repeat(200) }])

/** One more record, and a run that builds on the backup before. */
const run = Effect.fnUntraced(function* (hour: number, changes: Parameters<typeof aRequest>[1] = {}) {
  yield* more((yield* world).cluster, hour)
  return yield* attempt(aRequest(slot(hour), { incremental: {}, percentPerRun: 100, ...changes }))
})

const edit = Effect.fnUntraced(function* (store: ObjectStoreShape, key: ObjectKey, change: (text: string) => string) {
  const before = Buffer.from(yield* store.get(key)).toString("utf8")
  const after = change(before)
  assert.notStrictEqual(after, before)
  yield* store.put(key, [Buffer.from(after)])
})

const cutOff = (text: string) => text.slice(0, -30)

/** What may happen to a manifest, and what people read then. */
const harm = [
  [
    "gone",
    /has no manifest any more; put manifest.json back/,
    (store: ObjectStoreShape, key: ObjectKey) => store.delete(key)
  ],
  ["cut off", /manifest.json cannot be read/, (store: ObjectStoreShape, key: ObjectKey) => edit(store, key, cutOff)],
  [
    "altered",
    /manifest.json is not the one that was committed/,
    (store: ObjectStoreShape, key: ObjectKey) =>
      edit(store, key, (text) => text.replace(/"created_at":(\d+)/, (_all, n) => `"created_at":${Number(n) + 1}`))
  ]
] as const

describe("A manifest that is damaged", () => {
  for (const [what, text, spoil] of harm) {
    it.live(
      `is found by the next run although no backup expires, and by every later one, until it is right: ${what}`,
      () =>
        Effect.gen(function* () {
          const { cluster, store } = yield* world
          yield* fill(cluster)
          for (let hour = 1; hour <= 3; hour++) yield* run(hour)
          const key = BackupKeys.manifest(idOf(2))
          const copy = yield* store.get(key)
          yield* spoil(store, key)
          for (let hour = 4; hour <= 5; hour++) {
            const { retention } = yield* run(hour)
            assert.strictEqual(retention.damaged?.sets, 1)
            assert.strictEqual(retention.damaged?.newest, idOf(2))
            assert.match(retention.damaged?.text ?? "", text)
            assert.match(retention.notes.join("\n"), text)
            assert.deepStrictEqual(retention.blocked, [])
          }
          // A command that removes nothing does not forget it.
          const pruned = yield* RetentionPass.run(store, owner, { keep: undefined })
          assert.strictEqual(pruned.damaged?.sets, 1)
          yield* store.put(key, [copy])
          const { retention } = yield* run(6)
          assert.strictEqual(retention.damaged?.sets, 0)
          assert.deepStrictEqual(retention.notes, [])
        }).pipe(Effect.provide(layer))
    )
  }

  it.live(
    "is found within ceil(100 / share) runs: each looks at its share of the backups, the ones of longest ago first",
    () =>
      Effect.gen(function* () {
        const { cluster, store } = yield* world
        yield* fill(cluster)
        for (let hour = 1; hour <= 6; hour++) yield* run(hour, { percentPerRun: 0 })
        yield* edit(store, BackupKeys.manifest(idOf(2)), cutOff)
        const found: Array<number | undefined> = []
        for (let hour = 7; hour <= 10; hour++) {
          const { retention } = yield* run(hour, { percentPerRun: 25 })
          found.push(retention.damaged?.sets)
        }
        assert.strictEqual(found.at(-1), 1)
        const { sets } = yield* SetIndex.known(store, owner, "index")
        const unchecked = sets.flatMap(({ backupId, check }) => (check === undefined ? [backupId] : []))
        assert.notIncludeMembers(unchecked, [1, 2, 3, 4, 5, 6].map(idOf))
      }).pipe(Effect.provide(layer))
  )

  it.live("does not count: the backups that it would have pushed out stay", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (let hour = 1; hour <= 3; hour++) yield* run(hour)
      yield* edit(store, BackupKeys.manifest(idOf(3)), cutOff)
      const { removed, kept, damaged, blocked } = yield* RetentionPass.run(store, owner, { keep: 2 })
      assert.deepStrictEqual(blocked, [])
      assert.deepStrictEqual(removed, [])
      assert.deepStrictEqual(kept, [idOf(1), idOf(2), idOf(3)])
      assert.strictEqual(damaged?.newest, idOf(3))
      assert.strictEqual(damaged?.newestWhole, idOf(2))
    }).pipe(Effect.provide(layer))
  )

  it.live("keeps everything where it decides what another one needs, and is told as damage all the same", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (let hour = 1; hour <= 4; hour++) yield* run(hour)
      // The oldest that stays speaks for those that were built on it.
      yield* edit(store, BackupKeys.manifest(idOf(2)), cutOff)
      const outcome = yield* RetentionPass.run(store, owner, { keep: 1, annotatedPins: idOf(2) })
      assert.lengthOf(outcome.blocked, 1)
      assert.match(
        outcome.blocked.join(),
        /retention removed nothing, because a backup of this resource cannot be read/
      )
      assert.lengthOf(outcome.kept, 4)
      assert.strictEqual(outcome.damaged?.sets, 1)
      const indexed = yield* SetIndex.indexed(store, owner)
      assert.match(indexed.find(({ backupId }) => backupId === idOf(2))?.check?.damage ?? "", /cannot be read/)
    }).pipe(Effect.provide(layer))
  )

  it.live("counts as damage where the facts beside it are unreadable, too, and no index names it", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (let hour = 1; hour <= 2; hour++) yield* run(hour)
      yield* edit(store, BackupKeys.manifest(idOf(2)), cutOff)
      yield* edit(store, BackupKeys.facts(idOf(2)), cutOff)
      yield* SetIndex.removeAll(store, owner)
      const { blocked, damaged } = yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
      assert.lengthOf(blocked, 1)
      assert.strictEqual(damaged?.sets, 1)
      assert.strictEqual(damaged?.newest, idOf(2))
    }).pipe(Effect.provide(layer))
  )

  it.live("facts that cannot be read keep everything, and are told as damage", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (let hour = 1; hour <= 3; hour++) yield* run(hour)
      yield* edit(store, BackupKeys.facts(idOf(1)), cutOff)
      const { blocked, damaged, kept } = yield* RetentionPass.run(store, owner, { keep: 1 }, "run")
      assert.lengthOf(blocked, 1)
      assert.lengthOf(kept, 3)
      assert.strictEqual(damaged?.newest, idOf(1))
    }).pipe(Effect.provide(layer))
  )

  it.live("does not keep the objects of others from being read again, however many are damaged", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const full = { incremental: undefined, percentPerRun: 0 }
      for (let hour = 0; hour < 13; hour++) yield* run(hour, full)
      for (let hour = 0; hour < 10; hour++) yield* edit(store, BackupKeys.manifest(idOf(hour)), cutOff)
      yield* run(13, { ...full, percentPerRun: 1 })
      const { sets } = yield* Ledger.read(store, owner)
      const held = sets.flatMap(({ heldMillis, id }) => (heldMillis === undefined ? [] : [id]))
      assert.includeMembers(held, [10, 11, 12, 13].map(idOf))
    }).pipe(Effect.provide(layer))
  )
})
