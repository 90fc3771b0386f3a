import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as Pinning from "../../src/backup/Pinning.ts"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as OwnerLock from "../../src/manifest/OwnerLock.ts"
import * as Pins from "../../src/manifest/Pins.ts"
import { BackupId } from "../../src/identity/BackupId.ts"
import { aRequest, attempt, fill, layer, world } from "./world.ts"

const slot = (hour: number) => `2026-11-23T0${hour}:00:00Z`
const id = (hour: number) => BackupId.make(`nightly-20261123-0${hour}0000`)
const owner = aRequest(slot(0)).identity.owner
const why = { reason: "before the migration", who: "ann on desk" }

const fourSets = Effect.gen(function* () {
  const { cluster } = yield* world
  yield* fill(cluster)
  for (const hour of [1, 2, 3, 4]) yield* attempt(aRequest(slot(hour), { topics: ["payments"] }))
})
const stored = Effect.flatMap(world, ({ store }) =>
  Effect.map(Catalogue.entries(store), (entries) => entries.map(({ backupId }) => backupId))
)

describe("a pin", () => {
  it.live("keeps a backup that no rule keeps, and counts towards none, until it is taken back", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      yield* fourSets
      assert.isTrue(yield* Pinning.pin(store, owner, id(1), why))
      assert.isFalse(yield* Pinning.pin(store, owner, id(1), { reason: undefined, who: "bob" }))
      assert.deepInclude(yield* Pins.read(store, id(1)), { ...why, backupId: id(1) })
      const preview = yield* RetentionPass.preview(store, owner, { keep: 2, annotatedPins: `${id(4)},` })
      assert.deepStrictEqual([preview.kept, preview.removed], [[id(1), id(2), id(3), id(4)], []])
      yield* attempt(aRequest(slot(5), { topics: ["payments"], retainedBackups: 1 }))
      assert.deepStrictEqual(yield* stored, [id(1), id(5)])
      yield* Pins.remove(store, id(1))
      const { catalogue, removed } = yield* RetentionPass.run(store, owner, { keep: 1 })
      assert.deepStrictEqual([removed, catalogue?.pinned], [[id(1)], undefined])
    }).pipe(Effect.provide(layer))
  )

  it.live("in the annotation of the resource does the same, and says which backups are not there", () =>
    Effect.gen(function* () {
      yield* fourSets
      const pinned = `${id(2)}, ${id(9)}`
      const { report } = yield* Effect.map(
        attempt(aRequest(slot(5), { topics: ["payments"], retainedBackups: 1, pinned })),
        (success) => ({ report: success.retention })
      )
      assert.deepStrictEqual(yield* stored, [id(2), id(5)])
      assert.propertyVal("catalogue" in report ? report.catalogue : {}, "pinned", 1)
      assert.include(report.notes.join(), `kafka.oso.sh/pin pins backups that this resource does not have: ${id(9)}`)
    }).pipe(Effect.provide(layer))
  )

  it.live("that is damaged pins all the same, and one of a backup that is gone pins nothing", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      yield* fourSets
      yield* store.put(BackupKeys.pin(id(2)), [Buffer.from("{")])
      yield* store.put(BackupKeys.pin(id(8)), [Buffer.from("{")])
      yield* RetentionPass.run(store, owner, { keep: 1 })
      assert.deepStrictEqual(yield* stored, [id(2), id(4)])
      yield* Pins.removeStray(store, "nightly")
      assert.deepStrictEqual([...(yield* Pins.all(store))], [id(2)])
    }).pipe(Effect.provide(layer))
  )

  it.live("waits for a removal that is on, and pins nothing that this has removed", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      yield* fourSets
      const isHeld = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const removal = Deferred.succeed(isHeld, undefined).pipe(
        Effect.andThen(Deferred.await(goOn)),
        Effect.andThen(RetentionPass.run(store, owner, { keep: 1 }))
      )
      const removing = yield* Effect.forkChild(OwnerLock.holding(store, owner, "a run", removal))
      yield* Deferred.await(isHeld)
      const pinning = yield* Effect.forkChild(Effect.flip(Pinning.pin(store, owner, id(1), why)))
      yield* Effect.yieldNow
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(removing)
      assert.include((yield* Fiber.join(pinning)).message, `there is no backup ${id(1)}`)
      assert.lengthOf([...(yield* Pins.all(store))], 0)
    }).pipe(Effect.provide(layer))
  )
})
