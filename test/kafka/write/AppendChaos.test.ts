import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { makeInMemoryCluster } from "../../../src/kafka/memory/InMemoryCluster.ts"
import type { Fault } from "../../../src/kafka/memory/InMemoryFaults.ts"
import { makeKafkaSink } from "../../../src/kafka/write/WireKafkaSink.ts"
import { sealed } from "../sealing.ts"
import { someRecords, within } from "../support.ts"

const records = 400
const perBatch = 4
const inFlight = 5
const lateMillis = 15_000

/** The same numbers in every run. */
const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 4294967296
}

/** A writer that believes an answer only at the expected offset, and else reads the log back. */
const writeAll = Effect.fnUntraced(function* (seed: number) {
  const next = random(seed)
  const cluster = makeInMemoryCluster({ location: "in-memory:9092" })
  const sink = makeKafkaSink(cluster.writeWire)
  const planned = someRecords(records).map(({ value }) => value)
  const logged = Effect.map(cluster.committed("orders", 0), (log) => log.map(({ value }) => value?.toString()))
  const faults: ReadonlyArray<() => Fault> = [
    () => ({ _tag: "ConnectionLost" }),
    () => ({ _tag: "AnswerLost" }),
    () => ({ _tag: "LateEffect", millis: Math.floor(next() * lateMillis) }),
    () => ({ _tag: "Delayed", millis: Math.floor(next() * lateMillis) }),
    () => ({ _tag: "Code", code: [6, 7, 19, 20, 45, -1][Math.floor(next() * 6)]! })
  ]
  const misfortune = Effect.suspend(() => {
    if (next() < 0.1) return cluster.moveLeader("orders", 0)
    if (next() < 0.1) return cluster.forgetProducers
    if (next() > 0.4) return Effect.void
    const fault = faults[Math.floor(next() * faults.length)]!()
    return cluster.inject(fault, { operation: "produce", after: Math.floor(next() * inFlight) })
  })

  let [spoiled, unclear] = [0, 0]
  yield* cluster.createTopic("orders")
  let producer = yield* sink.producer()
  let position = 0
  while (position < records) {
    yield* misfortune
    const from = position
    const starts = Array.from({ length: inFlight }, (_, i) => from + i * perBatch).filter((at) => at < records)
    const outcomes = yield* Effect.forEach(
      starts,
      (baseSequence) =>
        sink.append({
          topic: "orders",
          partition: 0,
          batch: sealed(someRecords(perBatch, baseSequence), { ...producer, baseSequence })
        }),
      { concurrency: "unbounded" }
    )
    const isProven = outcomes.every(
      (outcome, i) => outcome._tag === "Appended" && outcome.baseOffset === from + i * perBatch
    )
    if (isProven) {
      position += starts.length * perBatch
      continue
    }
    unclear++
    yield* Effect.sleep(2 * lateMillis)
    yield* cluster.clearFaults
    const log = yield* logged
    if (log.every((value, i) => value === planned[i])) {
      position = log.length
      continue
    }
    spoiled++
    yield* cluster.createTopic("orders")
    producer = yield* sink.producer()
    position = 0
  }
  assert.deepStrictEqual(yield* logged, planned, `seed ${seed}`)
  return { spoiled, unclear }
})

describe("a writer that compares every base offset and reads back what is unclear", () => {
  it.effect("writes exactly its records, whatever happens to connections, leaders and producers", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      let [spoiled, unclear] = [0, 0]
      for (let seed = 1; seed <= 20; seed++) {
        const run = yield* within("10 days", writeAll(seed))
        spoiled += run.spoiled
        unclear += run.unclear
      }
      assert.isAbove(unclear, 100, "something did happen")
      assert.isBelow(spoiled, unclear / 10)
    })
  )
})
