import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as ManifestFile from "../../src/manifest/ManifestFile.ts"
import * as SetIndex from "../../src/manifest/SetIndex.ts"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import type { ObjectKey, ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { idOf, owner, slot } from "./stories.ts"
import { aRequest, attempt, fill, layer, world } from "./world.ts"

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

const replace = (store: ObjectStoreShape, key: ObjectKey, bytes: Uint8Array) =>
  Effect.andThen(store.delete(key), store.put(key, [bytes]))

/** The store, and the manifests that were read from it. */
const watching = (store: ObjectStoreShape) => {
  const read: Array<string> = []
  const watched: ObjectStoreShape = {
    ...store,
    read: (key) => Stream.suspend(() => (read.push(key), store.read(key)))
  }
  return { read, watched }
}

const remedy = /raise spec\.resources\.limits\.memory, or run kafka-backup prune on a machine with more memory$/

describe("A manifest that is longer than there is memory for", () => {
  it.live("is not read and is no damage, and proves nothing: nothing goes for it, and a note says what to do", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (const hour of [1, 2]) yield* full(hour)
      yield* large(3)
      const { read, watched } = watching(store)
      const pass = withinTwice(1, RetentionPass.run(watched, owner, { keep: 1 }, "run"))
      const { blocked, damaged, kept, notes, removed } = yield* pass
      assert.deepStrictEqual([blocked, kept, removed], [[], [idOf(1), idOf(2), idOf(3)], []])
      assert.strictEqual(damaged?.sets, 0)
      assert.lengthOf(notes, 2)
      assert.match(notes[0]!, new RegExp(`^${idOf(3)} was not checked: .*for which the memory limit is too small$`))
      assert.match(notes[1]!, new RegExp(`^${idOf(1)} and 1 more backup stay although no rule keeps them, `))
      assert.match(notes[1]!, remedy)
      assert.notInclude(read, BackupKeys.manifest(idOf(3)))
      const { advice } = yield* withinTwice(1, Effect.flip(Catalogue.openById(store, idOf(3))))
      assert.match(advice, /^raise spec\.resources\.limits\.memory, or use a machine with more memory/)
      // Others come first next time.
      const last = (yield* SetIndex.indexed(store, owner)).find(({ backupId }) => backupId === idOf(3))
      assert.deepStrictEqual(Object.keys(last!.check!), ["atMillis"])
      // As the note says.
      const elsewhere = yield* RetentionPass.run(store, owner, { keep: 1 }, "everything")
      assert.deepStrictEqual([elsewhere.removed, elsewhere.notes], [[idOf(1), idOf(2)], []])
    }).pipe(Effect.provide(layer))
  )

  it.live("lets others go where one that stays was found whole, and its own facts say that it is complete", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (const hour of [1, 2]) yield* full(hour)
      yield* large(3)
      const facts = BackupKeys.facts(idOf(3))
      const right = yield* store.get(facts)
      // The index knows the backup.
      yield* RetentionPass.run(store, owner, { keep: 9 }, "run")
      yield* replace(store, facts, Buffer.from("{}"))
      const pass = withinTwice(1, RetentionPass.run(store, owner, { keep: 2 }, "run"))
      const unproven = yield* pass
      assert.deepStrictEqual([unproven.blocked, unproven.removed], [[], []])
      assert.match(unproven.notes.at(-1)!, remedy)
      yield* replace(store, facts, right)
      const { notes, removed } = yield* pass
      assert.deepStrictEqual(removed, [idOf(1)])
      assert.lengthOf(notes, 1)
      assert.match(notes[0]!, new RegExp(`^${idOf(3)} was not checked: `))
    }).pipe(Effect.provide(layer))
  )

  it.live("lets a damaged backup go only for a newer one that was found whole", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (const hour of [1, 2, 3]) yield* full(hour)
      yield* large(4)
      const segments = yield* Stream.runCollect(store.list(`${idOf(2)}/topics/`))
      yield* store.delete(segments[0]!.key)
      const found = yield* RetentionPass.run(store, owner, { keep: 9, checkedPercent: 100 }, "run")
      assert.strictEqual(found.damaged?.sets, 1)
      const rules = { keep: 1, annotatedPins: idOf(1) }
      const { kept, notes, removed } = yield* withinTwice(1, RetentionPass.run(store, owner, rules, "run"))
      assert.deepStrictEqual([kept, removed], [[idOf(1), idOf(2), idOf(4)], [idOf(3)]])
      assert.isTrue(notes.some((note) => note.startsWith(`${idOf(2)} stays although no rule keeps it, `)))
      const later = yield* RetentionPass.run(store, owner, rules, "run")
      assert.deepStrictEqual(later.removed, [idOf(2)])
    }).pipe(Effect.provide(layer))
  )

  it.live("is looked for behind others that are too long, until one is found whole", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (const hour of [1, 2]) yield* full(hour)
      yield* large(3)
      for (let hour = 4; hour < 16; hour++) yield* attempt(aRequest(slot(hour)), { segmentBytes: 512 })
      // The short one was checked last.
      yield* RetentionPass.run(store, owner, { keep: 99, annotatedPins: idOf(2) }, "run")
      yield* RetentionPass.run(store, owner, { keep: 13, annotatedPins: idOf(2) }, "run")
      const rules = { keep: 12, annotatedPins: idOf(2) }
      const { notes, removed } = yield* withinTwice(2, RetentionPass.run(store, owner, rules, "run"))
      assert.deepStrictEqual(removed, [idOf(3)])
      assert.match(notes[0]!, /^\S+ and \d+ more backups were not checked: /)
    }).pipe(Effect.provide(layer))
  )

  it.live("is proven by the run that has just made the backup", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (const hour of [1, 2]) yield* full(hour)
      const { size } = yield* store.head(BackupKeys.manifest(idOf(1)))
      const request = aRequest(slot(3), { retainedBackups: 1 })
      const { retention } = yield* attempt(request, { segmentBytes: 128 }).pipe(
        Effect.provideService(ManifestFile.Affordable, Math.floor(1.2 * size))
      )
      assert.isAbove((yield* store.head(BackupKeys.manifest(idOf(3)))).size, 1.2 * size)
      assert.deepStrictEqual(retention.removed, [idOf(1), idOf(2)])
      assert.match(retention.notes.join(), new RegExp(`^${idOf(3)} was not checked: `))
    }).pipe(Effect.provide(layer))
  )

  it.live("keeps the backups in whose folders it may name objects, and no others, until it can be read", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      for (const hour of [1, 2]) yield* full(hour)
      const { facts } = yield* large(3, {})
      assert.strictEqual(facts.base?.backupId, idOf(2))
      yield* attempt(aRequest(slot(4)), { segmentBytes: 65_536 })
      const pass = withinTwice(1, RetentionPass.run(store, owner, { keep: 2 }, "run"))
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
