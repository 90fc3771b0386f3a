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

describe("the notes about backups that there was no memory to check", () => {
  const [first, second] = [1, 2].map((hour) => damaged(hour, "").backupId as string)

  it("name the first, with the reason, and how many more", () => {
    const why = "it has more than 9 MiB"
    assert.deepStrictEqual(RetentionWords.unchecked(new Map()), [])
    assert.deepStrictEqual(RetentionWords.unchecked(new Map([[first!, why]])), [`${first} was not checked: ${why}`])
    assert.deepStrictEqual(
      RetentionWords.unchecked(
        new Map([
          [first!, why],
          [second!, "other"]
        ])
      ),
      [`${first} and 1 more backup were not checked: ${why}`]
    )
  })

  it("say what stays for that reason, and what to do", () => {
    assert.deepStrictEqual(RetentionWords.unproven([]), [])
    const [note] = RetentionWords.unproven([first!, second!, "third"])
    assert.strictEqual(
      note,
      `${first} and 2 more backups stay although no rule keeps them, because the memory limit is too small to check ` +
        "newer backups: raise spec.resources.limits.memory, or run kafka-backup prune on a machine with more memory"
    )
    assert.match(RetentionWords.unproven([first!])[0]!, new RegExp(`^${first} stays although no rule keeps it, `))
  })
})
