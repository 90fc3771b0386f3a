import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Semaphore, Stream } from "effect"
import * as Segments from "../../src/backup/Segments.ts"
import type { FetchedBatches } from "../../src/kafka/KafkaSource.ts"
import type { RecordBatch } from "../../src/kafka/batch/RecordBatch.ts"
import * as Formats from "../../src/segment/Formats.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import { batchOf, type PlainRecord, stream } from "../segment/plainRecords.ts"

const MiB = 1024 * 1024

const records = (first: number, count: number, valueBytes: number): ReadonlyArray<PlainRecord> =>
  Array.from({ length: count }, (_, i) => ({
    offset: BigInt(first + i),
    timestamp: 1_795_327_000_000n,
    key: null,
    value: Buffer.alloc(valueBytes, `${first + i} `),
    headers: []
  }))

/** Batches of 10 records of 100 kB each, which shrink to next to nothing, in one fetch. */
const fetch = (batches: number, recordsPerBatch = 10) => {
  const list = Array.from({ length: batches }, (_, i) => records(i * recordsPerBatch, recordsPerBatch, 100_000))
  const made = list.map((own) => batchOf(own, { codec: "zstd" }))
  return { all: list.flat(), batches: made, end: batches * recordsPerBatch }
}

const rules = Effect.fnUntraced(function* (segmentBytes: number, slots: number) {
  return {
    segmentBytes,
    maxAgeMillis: 3_600_000,
    largeBytes: MiB,
    largeSlots: yield* Semaphore.make(slots),
    isStopping: () => false
  }
})

const cut = Effect.fnUntraced(function* (
  batches: ReadonlyArray<RecordBatch>,
  end: number,
  sealing: Segments.SealingRules,
  memory: { readonly wholeBytes: number; readonly inflateBytes: number }
) {
  const format = yield* Formats.writer("records", { compression: "none", level: 1 }, memory)
  let released = 0
  const element: FetchedBatches = {
    topic: "orders",
    partition: 0,
    batches,
    position: end,
    fetchedBytes: 100,
    release: () => void released++
  }
  const progress = RunProgress.make()
  const place = { topic: "orders", partition: 0, from: 0, until: end }
  return {
    progress,
    released: () => released,
    segments: Stream.make(element).pipe(Segments.cut(format, sealing, progress, place))
  }
})

/** Nothing here waits for anything but other fibers: small batches are inflated on this thread. */
const settled = Effect.forEach(Array.from({ length: 5000 }), () => Effect.yieldNow, { discard: true })

const bounded = { wholeBytes: MiB, inflateBytes: 4 * MiB }

describe("Segments.cut", () => {
  it.effect("closes a segment behind the batch that fills it, also inside of one fetch", () =>
    Effect.gen(function* () {
      const { all, batches, end } = fetch(40)
      const { progress, released, segments } = yield* cut(batches, end, yield* rules(4 * MiB, 1), bounded)
      const sizes: Array<number> = []
      let from = 0
      yield* Stream.runForEach(segments, ({ done, position, writer }) =>
        Effect.gen(function* () {
          const sealed = (yield* writer!.seal)!
          assert.strictEqual(sealed.firstOffset, from)
          assert.strictEqual(sealed.lastOffset, position - 1)
          from = position
          sizes.push(sealed.uncompressedBytes)
          sealed.release()
          yield* done
        })
      )
      assert.strictEqual(from, end)
      assert.strictEqual(
        sizes.reduce((sum, size) => sum + size, 0),
        stream(all).length
      )
      for (const size of sizes.slice(0, -1)) assert.isAtLeast(size, 4 * MiB)
      for (const size of sizes) assert.isAtMost(size, 4 * MiB + stream(all.slice(0, 10)).length)
      assert.strictEqual(released(), 1)
      assert.deepInclude(progress, { records: end, offsetsDone: end, fetchedBytes: 100 })
    }).pipe(Effect.scoped)
  )

  it.effect("begins no further segment before a full one was taken and its slot given back", () =>
    Effect.gen(function* () {
      const { batches, end } = fetch(40)
      const sealing = yield* rules(4 * MiB, 1)
      const { progress, segments } = yield* cut(batches, end, sealing, bounded)
      const taken: Array<Segments.ClosedSegment> = []
      const fiber = yield* Effect.forkChild(
        Stream.runForEach(segments, (closed) => Effect.sync(() => void taken.push(closed)))
      )
      yield* settled
      // The second segment is open and waits for the slot of the first one, which nobody has stored.
      assert.strictEqual(taken.length, 1)
      assert.strictEqual(progress.records, 70)
      const [first] = taken
      yield* first!.done
      yield* settled
      assert.strictEqual(taken.length, 2)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.scoped)
  )

  it.live("lets partitions whose batches are larger than all memory for inflating share one slot", () =>
    Effect.gen(function* () {
      const sealing = yield* rules(4 * MiB, 1)
      const format = yield* Formats.writer(
        "records",
        { compression: "none", level: 1 },
        { wholeBytes: MiB, inflateBytes: 2 * MiB }
      )
      const totals = yield* Effect.forEach(
        [0, 1, 2, 3],
        Effect.fnUntraced(function* (partition) {
          const { batches, end } = fetch(2, 130)
          const place = { topic: "orders", partition, from: 0, until: end }
          const element = { ...place, batches, position: end, fetchedBytes: 1, release: () => {} }
          let counted = 0
          yield* Stream.make(element).pipe(
            Segments.cut(format, sealing, RunProgress.make(), place),
            Stream.runForEach(({ done, writer }) =>
              Effect.gen(function* () {
                const sealed = (yield* writer!.seal)!
                assert.isAtMost(sealed.uncompressedBytes, 4 * MiB + MiB + 100_100)
                counted += sealed.recordCount
                sealed.release()
                yield* done
              })
            )
          )
          return counted
        }),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(totals, [260, 260, 260, 260])
    }).pipe(Effect.scoped)
  )

  it.effect("does not use up what came when the run is to stop, and keeps the records that it took", () =>
    Effect.gen(function* () {
      const { batches, end } = fetch(40)
      let isStopping = false
      const sealing = { ...(yield* rules(4 * MiB, 1)), isStopping: () => isStopping }
      const { released, segments } = yield* cut(batches, end, sealing, bounded)
      const positions: Array<number> = []
      yield* Stream.runForEach(segments, ({ done, position, writer }) =>
        Effect.gen(function* () {
          isStopping = true
          const sealed = (yield* writer!.seal)!
          positions.push(position)
          assert.strictEqual(sealed.lastOffset, position - 1)
          sealed.release()
          yield* done
        })
      )
      assert.isBelow(positions.at(-1)!, end)
      assert.strictEqual(released(), 1)
    }).pipe(Effect.scoped)
  )
})
