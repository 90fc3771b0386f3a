import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Pacing from "../../src/backup/Pacing.ts"
import type { FetchedBatches } from "../../src/kafka/KafkaSource.ts"
import * as RateLimit from "../../src/worker/RateLimit.ts"

/** A fetch of batches with so many records each, from `from` on. */
const fetchOf = (from: number, counts: ReadonlyArray<number>) => {
  const state = { released: 0 }
  let at = from
  const batches = counts.map((recordCount) => {
    const baseOffset = at
    at += recordCount
    const place = { bytes: Buffer.alloc(0), start: 0, recordsStart: 0, end: 0, codec: 0 }
    return { ...place, baseOffset, lastOffset: at - 1, recordCount, logAppendTime: false }
  })
  const element: FetchedBatches = {
    topic: "tiny",
    partition: 0,
    batches,
    // Compaction left a hole behind the last batch.
    position: at + 3,
    fetchedBytes: 1000,
    release: () => state.released++
  }
  return { element, state }
}

describe("A fetch with more records than fit into a moment", () => {
  it("comes in parts of whole batches, that together are the fetch", () => {
    const { element, state } = fetchOf(100, [10, 10, 10, 50, 5, 5])
    const parts = Pacing.parts(element, 25)
    assert.deepStrictEqual(
      parts.map(({ batches, position }) => [batches.map(({ recordCount }) => recordCount), position]),
      [
        [[10, 10], 120],
        [[10], 130],
        [[50], 180],
        [[5, 5], 193]
      ]
    )
    assert.strictEqual(
      parts.reduce((sum, { fetchedBytes }) => sum + fetchedBytes, 0),
      1000
    )
    for (const [index, part] of parts.entries()) {
      assert.strictEqual(state.released, 0, `before part ${index}`)
      part.release()
    }
    assert.strictEqual(state.released, 1)
  })

  it("stays as it is if it fits, with its gap", () => {
    const { element } = fetchOf(0, [10, 10])
    const withGap = { ...element, gap: { from: 0, until: 5 } }
    assert.deepStrictEqual(Pacing.parts(withGap, 25), [withGap])
    assert.deepStrictEqual(Pacing.parts({ ...withGap, batches: [] }, 25).length, 1)
    assert.deepStrictEqual(
      Pacing.parts(withGap, 10).map(({ gap }) => gap),
      [withGap.gap, undefined]
    )
  })

  it.effect("passes no more than one second's worth in any second", () =>
    Effect.gen(function* () {
      const perSecond = 10_000
      const fetches = Array.from({ length: 3 }, (_, n) =>
        fetchOf(
          n * 80_000,
          Array.from({ length: 800 }, () => 100)
        )
      )
      const passed: Array<readonly [atMillis: number, records: number]> = []
      let nowMillis = 0
      const run = yield* Stream.fromIterable(fetches.map(({ element }) => element)).pipe(
        Pacing.byRecords(perSecond, RateLimit.make(perSecond)),
        Stream.runForEach((part) =>
          Effect.sync(() => {
            passed.push([nowMillis, part.batches.reduce((sum, { recordCount }) => sum + recordCount, 0)])
            part.release()
          })
        ),
        Effect.forkChild
      )
      for (; nowMillis < 30_000 && run.pollUnsafe() === undefined; nowMillis += 50) yield* TestClock.adjust("50 millis")
      yield* Fiber.join(run)
      assert.strictEqual(
        passed.reduce((sum, [, records]) => sum + records, 0),
        240_000
      )
      assert.isTrue(fetches.every(({ state }) => state.released === 1))
      for (const [since] of passed) {
        const inSecond = passed.filter(([at]) => at >= since && at < since + 1000)
        assert.isAtMost(
          inSecond.reduce((sum, [, records]) => sum + records, 0),
          perSecond * 1.2,
          `from ${since} ms on`
        )
      }
      assert.isAtLeast(passed.at(-1)![0], 23_000)
    })
  )
})
