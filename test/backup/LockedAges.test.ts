import { assert, describe, it } from "@effect/vitest"
import * as KeptAges from "../../src/backup/KeptAges.ts"
import * as LockedAges from "../../src/backup/LockedAges.ts"
import * as EstimateOutput from "../../src/cli/EstimateOutput.ts"

const day = 86_400_000

describe("LockedAges.of", () => {
  it("counts every backup that is younger than the lock, and those that the rules keep longer", () => {
    assert.deepStrictEqual(LockedAges.of([0, day, 40 * day], 3, day), {
      ages: [0, day, 2 * day, 40 * day],
      isCut: false
    })
    assert.deepStrictEqual(LockedAges.of([0, day, 2 * day], 2, day).ages, [0, day, 2 * day])
    assert.deepStrictEqual(LockedAges.of([0], 1, 2 * day).ages, [0])
  })

  it("leaves out what nobody could count", () => {
    const { ages, isCut } = LockedAges.of([0], 36_500, 60_000)
    assert.deepStrictEqual([ages.length, isCut], [1_000_000, true])
  })
})

describe("kafka-backup estimate with a lock", () => {
  const text = (lockDays: number) =>
    EstimateOutput.text({
      figures: {
        partitions: [{ bytes: 1e9, bytesPerSecond: 1000 }],
        sentPerByte: 1,
        storedPerByte: 0.5,
        bytesPerSecond: 1e8,
        intervalMillis: day,
        keptAgesMillis: KeptAges.of({ keep: 7 }, day, Date.UTC(2026, 10, 30)).ages,
        checkpointMillis: 30_000,
        sampledPercent: 0
      },
      topics: 1,
      lockDays,
      isEndless: false,
      source: { _tag: "Given" },
      isStoredMeasured: true,
      isSpeedMeasured: true,
      notes: []
    })

  it("says how many backups it keeps beyond the rules, and what they add", () => {
    // 23 more copies of half of 1 GB.
    assert.match(
      text(30),
      /^Note: the lock of 30 days keeps 23 backups that spec\.retention would remove, which adds 11\.[56] GB with full copies and \d[\d.]* [kM]?B with new data only/mu
    )
    assert.include(text(5), "the lock of 5 days adds nothing: spec.retention keeps every backup as long")
    assert.notInclude(text(0), "lock")
  })
})
