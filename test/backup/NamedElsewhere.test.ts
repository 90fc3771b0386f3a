import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as BackupId from "../../src/identity/BackupId.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Damage from "../../src/manifest/Damage.ts"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
import { aRequest, attempt, fill, layer, world } from "./world.ts"

const slot = (hour: number) => `2026-11-23T${String(hour).padStart(2, "0")}:00:00Z`
const idOf = (hour: number) => BackupId.forSlot("nightly", Date.parse(slot(hour)))

const run = (hour: number, isIncremental: boolean) =>
  attempt(aRequest(slot(hour), { percentPerRun: 100, ...(isIncremental ? { incremental: {} } : {}) }))

describe("An object that a backup names whose documents are torn", () => {
  it.live("is read again as another backup says that names it, and found damaged", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      for (const hour of [1, 2, 3]) yield* run(hour, true)
      // Nothing newer names what these three share.
      yield* run(4, false)
      const { manifest } = yield* Catalogue.open(store, idOf(1))
      const key = ObjectKey.make(manifest.topics.find(({ name }) => name === "orders")!.partitions[0]!.segments[0]!.key)
      yield* memory.tamper(key, (bytes) => bytes.map((byte, n) => (n === 40 ? byte ^ 1 : byte)))
      yield* memory.tamper(BackupKeys.facts(idOf(3)), (bytes) => bytes.subarray(0, 50))
      const { verificationNotes } = yield* run(5, false)
      assert.match(
        verificationNotes.join("\n"),
        /^objects that no backup but nightly-20261123-030000 names are not read/u
      )
      for (const hour of [1, 2]) {
        const recorded = yield* Damage.read(store, idOf(hour))
        assert.deepStrictEqual(
          recorded.map((one) => one.key),
          [key as string]
        )
      }
    }).pipe(Effect.provide(layer))
  )
})
