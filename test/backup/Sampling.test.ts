import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Sampling from "../../src/backup/Sampling.ts"

interface Stored {
  readonly id: number
  readonly size: number
}

const Size = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
const Percent = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))
/** What happens between two runs: objects that are new, and which of the others go. */
const Change = Schema.Struct({ added: Schema.Array(Size), removed: Schema.Array(Schema.Int) })

const bytesOf = (queue: ReadonlyArray<Stored>) => queue.reduce((n, { size }) => n + size, 0)
const due = (queue: ReadonlyArray<Stored>, percent: number) =>
  Sampling.due(
    queue.map(({ size }) => size),
    queue.length,
    percent
  )

describe("Sampling", () => {
  it.prop(
    "reads every object of the queue again within ceil(100 / share) runs, whatever comes and goes, while there is no less of it",
    [Schema.NonEmptyArray(Size), Schema.NonEmptyArray(Change), Percent],
    ([sizes, changes, percent]) => {
      let id = 0
      let queue: ReadonlyArray<Stored> = sizes.map((size) => ({ id: id++, size }))
      const before = bytesOf(queue)
      const waiting = new Set(queue.map((one) => one.id))
      const runs = Math.ceil(100 / percent)
      for (let run = 0; run < runs; run++) {
        const rows = due(queue, percent)
        assert.deepStrictEqual(
          rows,
          rows.map((_, n) => n)
        )
        for (const row of rows) waiting.delete(queue[row]!.id)
        queue = [...queue.slice(rows.length), ...queue.slice(0, rows.length)]
        const { added, removed } = changes[run % changes.length]!
        const going = new Set(removed.map((n) => Math.abs(n) % queue.length))
        const left = queue.filter((_, n) => !going.has(n))
        const next = [...left, ...added.map((size) => ({ id: id++, size }))]
        // What became less is made up for by one more object.
        const missing = before - bytesOf(next)
        queue = missing > 0 ? [...next, { id: id++, size: missing }] : next
        for (const gone of waiting) if (!queue.some((one) => one.id === gone)) waiting.delete(gone)
      }
      assert.deepStrictEqual([...waiting], [])
    }
  )

  it.prop(
    "reads its share of the bytes, and no object more than it needs",
    [Schema.NonEmptyArray(Size), Percent],
    ([sizes, percent]) => {
      const rows = Sampling.due(sizes, sizes.length, percent)
      const needed = Sampling.shareBytes(
        sizes.reduce((n, size) => n + size, 0),
        percent
      )
      const read = rows.reduce((n, row) => n + sizes[row]!, 0)
      assert.isAtLeast(read, needed)
      assert.isBelow(read - sizes[rows.at(-1)!]!, Math.max(1, needed))
    }
  )

  it("reads at least one object, all with 100, none with 0, and none of nothing", () => {
    assert.deepStrictEqual(Sampling.due([1000, 1], 2, 1), [0])
    assert.deepStrictEqual(Sampling.due([0, 0, 5], 3, 100), [0, 1, 2])
    assert.deepStrictEqual(Sampling.due([5, 5], 2, 0), [])
    assert.deepStrictEqual(Sampling.due([], 0, 2), [])
  })

  it("passes over what cannot be read, and reads its share of the others", () => {
    assert.deepStrictEqual(
      Sampling.due([10, 10, 10, 10], 4, 50, (row) => row < 2),
      [2, 3]
    )
  })

  it("says in how many runs the front of the queue is read", () => {
    assert.strictEqual(Sampling.runsUntilRead([10, 10, 10, 10], 4, 25, 4), 4)
    assert.strictEqual(Sampling.runsUntilRead([10, 10, 10, 10], 4, 50, 3), 2)
    assert.strictEqual(Sampling.runsUntilRead([10, 10, 10, 10], 4, 100, 0), 0)
    assert.strictEqual(Sampling.runsUntilRead([1000, 1, 1, 1], 4, 1, 4), 2)
  })
})
