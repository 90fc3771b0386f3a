import { assert, describe, it } from "@effect/vitest"
import * as FetchRoom from "../../src/backup/FetchRoom.ts"

const MiB = 1024 * 1024

describe("room for answers", () => {
  it("is that of all open partitions, shared by those that are left, and at most 8 MiB for one", () => {
    const limits = (partitions: number, open: number) => {
      const room = FetchRoom.make(partitions, open, MiB)
      return Array.from({ length: partitions }, () => {
        const limit = room.limit() / MiB
        room.ended()
        return limit
      })
    }
    assert.deepStrictEqual(
      limits(10, 4).slice(0, 8),
      [1, 1, 1, 1, 1, 1, 1, 4 / 3].map((n) => Math.floor(n * MiB) / MiB)
    )
    assert.deepStrictEqual(limits(4, 8), [2, Math.floor((8 / 3) * MiB) / MiB, 4, 8])
    assert.deepStrictEqual(limits(1, 64), [8])
  })

  it("is never more than the open partitions have together, nor less for one than without", () => {
    for (let open = 1; open <= 16; open++) {
      for (let partitions = 1; partitions <= 40; partitions++) {
        const room = FetchRoom.make(partitions, open, MiB)
        for (let left = partitions; left > 0; left--) {
          assert.isAtMost(room.limit() * Math.min(left, open), open * MiB)
          assert.isAtLeast(room.limit(), MiB)
          room.ended()
        }
      }
    }
  })
})
