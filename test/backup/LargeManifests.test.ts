import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as BackupId from "../../src/identity/BackupId.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as ManifestFile from "../../src/manifest/ManifestFile.ts"
import * as SetIndex from "../../src/manifest/SetIndex.ts"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { aRequest, attempt, fill, layer, world } from "./world.ts"

const slot = (hour: number) => `2026-11-23T${String(hour).padStart(2, "0")}:00:00Z`
const idOf = (hour: number) => BackupId.forSlot("nightly", Date.parse(slot(hour)))
const { owner } = aRequest(slot(1)).identity

const full = (hour: number) => attempt(aRequest(slot(hour)))

/** A backup whose manifest is several times as long as those of the others. */
const large = Effect.fnUntraced(function* (hour: number, incremental?: object) {
  const { cluster } = yield* world
  for (let n = 0; n < 200; n++) yield* cluster.produce("orders", 0, [{ key: `${n}`, value: `value ${n} `.repeat(50) }])
  const request = aRequest(slot(hour), incremental === undefined ? {} : { incremental })
  return yield* attempt(request, { segmentBytes: 512 })
})

/** With memory for manifests of twice the length of this backup's. */
const withinTwice = Effect.fnUntraced(function* <A, E, R>(hour: number, work: Effect.Effect<A, E, R>) {
  const { store } = yield* world
  const { size } = yield* store.head(BackupKeys.manifest(idOf(hour)))
  return yield* work.pipe(Effect.provideService(ManifestFile.Affordable, 2 * size))
})

/** The store, and the manifests that were read from it. */
const watching = (store: ObjectStoreShape) => {
  const read: Array<string> = []
  const watched: ObjectStoreShape = {
    ...store,
    read: (key) => Stream.suspend(() => (read.push(key), store.read(key)))
  }
  return { read, watched }
}

describe("A manifest that is longer than there is memory for", () => {
  it.live("is not read and is no damage: its backup counts as whole, and a note says that it was not checked", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (const hour of [1, 2]) yield* full(hour)
      yield* large(3)
      const { read, watched } = watching(store)
      const pass = withinTwice(1, RetentionPass.run(watched, owner, { keep: 1 }, "run"))
      const { blocked, damaged, kept, notes, removed } = yield* pass
      assert.deepStrictEqual([blocked, kept, removed], [[], [idOf(3)], [idOf(1), idOf(2)]])
      assert.strictEqual(damaged?.sets, 0)
      assert.lengthOf(notes, 1)
      assert.match(notes[0]!, new RegExp(`^${idOf(3)} was not checked: .*for which the memory limit is too small$`))
      assert.notInclude(read, BackupKeys.manifest(idOf(3)))
      // Others come first next time.
      const [indexed] = yield* SetIndex.indexed(store, owner)
      assert.deepStrictEqual(Object.keys(indexed!.check!), ["atMillis"])
    }).pipe(Effect.provide(layer))
  )

  it.live("keeps the backups in whose folders it may name objects, and no others, until it can be read", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (const hour of [1, 2]) yield* full(hour)
      const { facts } = yield* large(3, {})
      assert.strictEqual(facts.base?.backupId, idOf(2))
      yield* full(4)
      const { watched } = watching(store)
      const pass = withinTwice(1, RetentionPass.run(watched, owner, { keep: 2 }, "run"))
      const { blocked, kept, notes, removed } = yield* pass
      assert.deepStrictEqual([blocked, kept, removed], [[], [idOf(2), idOf(3), idOf(4)], [idOf(1)]])
      const note = notes.find((text) =>
        text.startsWith(`${idOf(2)} stays for now: ${idOf(3)} may need objects of it: `)
      )
      assert.match(note ?? "", /for which the memory limit is too small$/)
      const later = yield* RetentionPass.run(store, owner, { keep: 2 }, "run")
      assert.deepStrictEqual([later.removed, later.notes], [[idOf(2)], []])
    }).pipe(Effect.provide(layer))
  )
})
