import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Sampling from "../../src/backup/Sampling.ts"

interface Stored {
  readonly id: number
  readonly size: number
}

const Size = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
/** For whole histories: three times at most 20 runs. */
const Share = Schema.Int.check(Schema.isBetween({ minimum: 5, maximum: 100 }))
const Percent = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))
/** What happens between two runs: objects that are new, and which of the others go. */
const Change = Schema.Struct({ added: Schema.Array(Size), removed: Schema.Array(Schema.Int) })

const bytesOf = (queue: ReadonlyArray<Stored>) => queue.reduce((n, { size }) => n + size, 0)
const due = (queue: ReadonlyArray<Stored>, percent: number, earlier: ReadonlyArray<number>) =>
  Sampling.due(
    queue.map(({ size }) => size),
    queue.length,
    percent,
    { earlier }
  )

describe("Sampling", () => {
  it.prop(
    "reads every object of the queue again within ceil(100 / share) runs, whatever comes and goes",
    [Schema.NonEmptyArray(Size), Schema.NonEmptyArray(Change), Share],
    ([sizes, changes, percent]) => {
      let id = 0
      let queue: ReadonlyArray<Stored> = sizes.map((size) => ({ id: id++, size }))
      let totals: ReadonlyArray<number> = []
      const deadlines = new Map<number, number>()
      const runs = Math.ceil(100 / percent)
      for (let run = 0; run < 3 * runs && queue.length > 0; run++) {
        // What is in the queue before a run is read by it, or by one of those that follow.
        for (const one of queue) if (!deadlines.has(one.id)) deadlines.set(one.id, run + runs)
        const rows = due(queue, percent, totals)
        totals = Sampling.window(totals, bytesOf(queue), percent)
        assert.isAtMost(totals.length, runs)
        assert.deepStrictEqual(
          rows,
          rows.map((_, n) => n)
        )
        for (const row of rows) {
          assert.isBelow(run, deadlines.get(queue[row]!.id)!)
          deadlines.delete(queue[row]!.id)
        }
        for (const one of queue) assert.isAbove(deadlines.get(one.id) ?? Infinity, run + 1, `${one.id} is late`)
        queue = [...queue.slice(rows.length), ...queue.slice(0, rows.length)]
        const { added, removed } = changes[run % changes.length]!
        const going = new Set(removed.map((n) => Math.abs(n) % queue.length))
        queue = [...queue.filter((_, n) => !going.has(n)), ...added.map((size) => ({ id: id++, size }))]
      }
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

  it("reads what waits in time though all that was read is removed after each run", () => {
    let queue: ReadonlyArray<Stored> = Array.from({ length: 100 }, (_, id) => ({ id, size: 1 }))
    let totals: ReadonlyArray<number> = []
    const left: Array<number> = []
    for (let run = 0; run < 4; run++) {
      const rows = due(queue, 25, totals)
      totals = Sampling.window(totals, bytesOf(queue), 25)
      queue = queue.slice(rows.length)
      left.push(queue.length)
    }
    assert.deepStrictEqual(left, [75, 50, 25, 0])
  })

  it("keeps its pace for a while when the bytes become fewer", () => {
    assert.deepStrictEqual(Sampling.due([10, 10, 10, 10], 4, 25, { earlier: [80, 40] }), [0, 1])
    assert.deepStrictEqual(Sampling.due([10, 10, 10, 10], 4, 25, { earlier: [80, 40, 40, 40] }), [0])
    assert.deepStrictEqual(Sampling.due([10], 1, 25, { earlier: [800] }), [0])
  })

  it("passes over what cannot be read, and reads its share of the others", () => {
    assert.deepStrictEqual(Sampling.due([10, 10, 10, 10], 4, 50, { isPassedOver: (row) => row < 2 }), [2, 3])
  })

  it("says in how many runs the front of the queue is read", () => {
    assert.strictEqual(Sampling.runsUntilRead([10, 10, 10, 10], 4, 25, 4), 4)
    assert.strictEqual(Sampling.runsUntilRead([10, 10, 10, 10], 4, 50, 3), 2)
    assert.strictEqual(Sampling.runsUntilRead([10, 10, 10, 10], 4, 100, 0), 0)
    assert.strictEqual(Sampling.runsUntilRead([1000, 1, 1, 1], 4, 1, 4), 2)
    assert.strictEqual(Sampling.runsUntilRead([10, 10, 10, 10], 4, 25, 4, [80]), 2)
    assert.strictEqual(Sampling.runsUntilRead([10, 10, 10, 10], 4, 25, 4, [80, 40, 40, 40]), 4)
  })
})
