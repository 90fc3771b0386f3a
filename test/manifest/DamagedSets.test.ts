import { assert, describe, it } from "@effect/vitest"
import { BackupId } from "../../src/identity/BackupId.ts"
import * as DamagedSets from "../../src/manifest/DamagedSets.ts"

const set = (n: number, told: DamagedSets.Told = {}): DamagedSets.KnownSet => ({
  backupId: BackupId.make(`nightly-2026112${n}-000000`),
  completedMillis: n * 1000,
  ...told
})
const recorded = { damage: { text: "orders[0] offsets 0-9: is missing" } }

describe("The damaged sets of a resource", () => {
  it("are none, and that is said, where nothing is known of any", () =>
    assert.deepStrictEqual(DamagedSets.summary([set(1), set(2, { check: {} })]), { sets: 0, text: "" }))

  it("are counted, with the newest of them and the newest whole one, whatever their order", () => {
    const sets = [
      set(2, recorded),
      set(4),
      set(1, recorded),
      set(3, { check: { damage: "manifest.json was changed" } })
    ]
    for (const some of [sets, sets.toReversed()]) {
      assert.deepStrictEqual(DamagedSets.summary(some), {
        sets: 3,
        text: "nightly-20261123-000000: manifest.json was changed",
        newest: "nightly-20261123-000000",
        newestWhole: "nightly-20261124-000000"
      })
    }
  })

  it("leave nothing to restore from where all are damaged, and their text is bounded", () => {
    const found = DamagedSets.summary([set(1, { damage: { text: "x".repeat(1000) } })])
    assert.notProperty(found, "newestWhole")
    assert.lengthOf(found.text, 300)
  })

  it("are told by what a reading recorded rather than by a comparison of sizes", () =>
    assert.strictEqual(DamagedSets.damageOf({ ...recorded, check: { damage: "later" } }), recorded.damage.text))
})
