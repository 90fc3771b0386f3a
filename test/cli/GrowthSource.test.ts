import { assert, describe, it } from "@effect/vitest"
import * as GrowthSource from "../../src/cli/GrowthSource.ts"
import { BackupId } from "../../src/identity/BackupId.ts"

const made = (hour: number, startedMillis: number) => ({
  backupId: BackupId.make(`nightly-20261123-${hour}0000`),
  startedMillis
})
const [first, second] = [made(12, 0), made(13, 3_600_000)]
const of = (nowMillis: number, earlier?: typeof first, newest = earlier) => {
  const { from, notes } = GrowthSource.of(earlier, newest, nowMillis, 10)
  return [from?.backupId, ...notes]
}
const young = (backupId: string, age: string) =>
  `${backupId} is only ${age} old, too young to show how fast topics grow`

describe("The growth of topics is measured", () => {
  it("since the newest backup, from one minute on", () => {
    assert.deepStrictEqual(of(60_000, first), [first.backupId])
    assert.deepStrictEqual(of(9_000_000, first), [first.backupId])
  })

  it("since the one before where the newest is too young, and says so", () => {
    assert.deepStrictEqual(of(3_601_000, first, second), [
      first.backupId,
      `${young(second.backupId, "1.0s")}: growth is measured since ${first.backupId}`
    ])
  })

  it("since the only one where that is longer than a look, and says that it is little", () => {
    assert.deepStrictEqual(of(20_000, first), [
      first.backupId,
      `growth says little: ${young(first.backupId, "20s")}; --rate gives a growth that is known`
    ])
  })

  it("by two looks where there is no backup, or one that has just begun, and says which", () => {
    assert.deepStrictEqual(of(0), [undefined])
    assert.deepStrictEqual(of(9_000, first), [
      undefined,
      `${young(first.backupId, "9.0s")}: it was measured for 10 seconds instead; --rate gives a growth that is known`
    ])
  })
})
