import { assert, describe, it } from "@effect/vitest"
import { BackupId } from "../../src/identity/BackupId.ts"
import * as RetentionWords from "../../src/backup/RetentionWords.ts"

const damaged = (hour: number, damage: string, isExpired = false): RetentionWords.Damaged => ({
  backupId: BackupId.make(`nightly-20261123-0${hour}0000`),
  damage,
  isExpired
})

describe("the notes about damaged backups", () => {
  it("say once what several backups share, and name three of them", () => {
    const shared = "orders[0] offsets 0-99: the object is missing"
    assert.deepStrictEqual(
      RetentionWords.damaged([
        damaged(1, shared, true),
        damaged(2, shared),
        damaged(3, "orders[1] offsets 5-9: the object is missing"),
        damaged(4, shared),
        damaged(5, shared),
        damaged(6, shared),
        damaged(7, shared, true)
      ]),
      [
        `nightly-20261123-010000 and nightly-20261123-070000 are damaged and go, because no rule would keep them if they were whole, and newer whole backups stay (describe says what they lack): ${shared}`,
        `nightly-20261123-020000, nightly-20261123-040000, nightly-20261123-050000 and 1 more are damaged and do not count for retention: ${shared}`,
        "nightly-20261123-030000 is damaged and does not count for retention: orders[1] offsets 5-9: the object is missing"
      ]
    )
    assert.deepStrictEqual(RetentionWords.damaged([]), [])
  })
})
