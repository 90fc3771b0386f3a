import { assert, describe, it } from "@effect/vitest"
import * as RetentionProof from "../../src/backup/RetentionProof.ts"

interface Set {
  readonly backupId: string
  readonly completedMillis: number
  readonly proof?: RetentionProof.Proof
  readonly isDamaged?: boolean
}

const kept = (hour: number, proof: RetentionProof.Proof): Set => ({
  backupId: `kept-${hour}`,
  completedMillis: hour,
  proof
})
const going = (hour: number, isDamaged = false): Set => ({
  backupId: `going-${hour}`,
  completedMillis: hour,
  isDamaged
})

/** The hours of those that may go. */
const hours = (staying: ReadonlyArray<Set>, expired: ReadonlyArray<Set>) => {
  const { goes, stays } = RetentionProof.of(
    { kept: staying, expired },
    ({ isDamaged }) => isDamaged === true,
    ({ proof }) => proof ?? "Unknown"
  )
  assert.sameMembers([...goes, ...stays], [...expired])
  return goes.map(({ completedMillis }) => completedMillis)
}

describe("the backups that no rule keeps", () => {
  const expired = [going(1), going(2, true), going(4)]

  it.each([
    ["go for the newest one if it is whole", [kept(9, "Whole")], [1, 2, 4]],
    ["go for the newest one, whatever is known of others", [kept(9, "Whole"), kept(8, "Unknown")], [1, 2, 4]],
    ["go if the newest is complete and another newer one is whole", [kept(9, "Complete"), kept(8, "Whole")], [1, 2, 4]],
    ["stay if none is whole", [kept(9, "Complete"), kept(8, "Complete")], []],
    ["stay if nothing says that the newest is complete", [kept(9, "Unknown"), kept(8, "Whole")], []],
    ["stay if none stays", [], []],
    ["go for an older one that is whole, but for damaged ones", [kept(9, "Complete"), kept(0, "Whole")], [1, 4]],
    ["go for one in between, with damaged ones that are older", [kept(9, "Complete"), kept(3, "Whole")], [1, 2, 4]],
    ["are asked about in any order", [kept(8, "Whole"), kept(9, "Unknown")], []]
  ] as const)("%s", (_, staying, gone) => {
    assert.deepStrictEqual(hours(staying, expired), [...gone])
  })

  it("are told apart by their ids where two were completed at once", () => {
    const [a, b] = ["a", "b"].map((backupId): Set => ({ backupId, completedMillis: 5 }))
    const newest = kept(9, "Complete")
    assert.deepStrictEqual(hours([newest, { ...b!, proof: "Whole" }], [{ ...a!, isDamaged: true }]), [5])
    assert.deepStrictEqual(hours([newest, { ...a!, proof: "Whole" }], [{ ...b!, isDamaged: true }]), [])
  })
})
