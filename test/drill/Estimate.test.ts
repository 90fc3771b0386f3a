import { assert, describe, it } from "@effect/vitest"
import * as DrillRequest from "../../src/drill/DrillRequest.ts"
import * as Estimate from "../../src/drill/Estimate.ts"

describe("Estimate.wholeRestoreMillis", () => {
  it("is the bytes of the backup at the rate of the drill", () => {
    const measured = { bytes: 1000, millis: 2000, fillingMillis: 0 }
    assert.strictEqual(Estimate.wholeRestoreMillis(measured, { bytes: 50_000, fillingMillis: 0 }), 100_000)
  })

  it("counts the time for offsets without a record once, not for every byte", () => {
    const measured = { bytes: 1000, millis: 12_000, fillingMillis: 10_000 }
    assert.strictEqual(Estimate.wholeRestoreMillis(measured, { bytes: 50_000, fillingMillis: 30_000 }), 130_000)
    const quick = { bytes: 1000, millis: 1000, fillingMillis: 60_000 }
    assert.strictEqual(Estimate.wholeRestoreMillis(quick, { bytes: 1000, fillingMillis: 60_000 }), 60_100)
  })

  it("is unknown where nothing was restored", () => {
    assert.isUndefined(
      Estimate.wholeRestoreMillis({ bytes: 0, millis: 10, fillingMillis: 0 }, { bytes: 5, fillingMillis: 0 })
    )
  })
})

describe("DrillRequest.numberOf", () => {
  it.each([
    ["hourly", 3_600_000],
    ["daily", 86_400_000],
    ["weekly", 7 * 86_400_000]
  ])("is one more at the next %s slot, also when it starts late", (_, interval) => {
    const slot = Date.parse("2026-11-29T03:00:00Z")
    const numbers = [0, 1, 2, 3].map((n) => DrillRequest.numberOf(slot + n * interval, interval))
    assert.deepStrictEqual(
      numbers.map((number) => number - numbers[0]!),
      [0, 1, 2, 3]
    )
  })
})
