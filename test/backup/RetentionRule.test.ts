import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Retention from "../../src/backup/Retention.ts"

const set = (slot: number, isOwnVerifiedSuccess = true) => ({
  backupId: `b-${slot}`,
  slotMillis: slot,
  isOwnVerifiedSuccess
})
const Sets = Schema.Array(
  Schema.Struct({ backupId: Schema.String, slotMillis: Schema.Int, isOwnVerifiedSuccess: Schema.Boolean })
)

describe("Retention.expired", () => {
  it("returns the oldest successes beyond those that are kept", () => {
    assert.deepStrictEqual(
      Retention.expired(
        [3, 1, 4, 2].map((slot) => set(slot)),
        2
      ).map((s) => s.slotMillis),
      [1, 2]
    )
  })

  it("does not let a failed backup push out a successful one", () => {
    assert.deepStrictEqual(Retention.expired([set(1), set(2, false), set(3, false)], 1), [])
  })

  it("keeps everything without a limit", () => {
    assert.deepStrictEqual(Retention.expired([set(1), set(2)], undefined), [])
  })

  it.prop(
    "never removes the newest success, nor what is not ours, and leaves as many as asked for",
    [Sets, Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))],
    ([sets, keep]) => {
      const doomed = Retention.expired(sets, keep)
      const own = sets.filter((s) => s.isOwnVerifiedSuccess)
      assert.isTrue(doomed.every((s) => s.isOwnVerifiedSuccess))
      assert.strictEqual(own.length - doomed.length, Math.min(own.length, Math.max(1, keep)))
      const newest = Math.max(...own.map((s) => s.slotMillis))
      if (own.length > 0) assert.isTrue(own.some((s) => s.slotMillis === newest && !doomed.includes(s)))
    }
  )
})
