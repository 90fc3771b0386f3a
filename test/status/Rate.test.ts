import { assert, describe, it } from "@effect/vitest"
import { next } from "../../src/status/Next.ts"
import type { RunProgressFacts } from "../../src/status/Facts.ts"
import type { Status } from "../../src/status/Status.ts"
import { at, hourly, running } from "./facts.ts"

const reading = (time: string, over: Partial<RunProgressFacts> = {}): RunProgressFacts => ({
  partitionsTotal: 4,
  partitionsDone: 0,
  recordsTotal: 100_000,
  offsetsDone: 10_000,
  records: 9_000,
  bytes: 900_000,
  percent: 10,
  message: "reading",
  updatedMillis: at(time),
  ...over
})

const read = (previous: Status, progress: RunProgressFacts): Status =>
  next(previous, hourly({ active: running("12:00", { progress }) }), progress.updatedMillis)

const first = read({}, reading("12:00:10"))
const later = reading("12:00:20", { offsetsDone: 30_000, records: 27_000, bytes: 2_700_000 })
const second = read(first, later)

const rate = ({ progress }: Status) => [progress?.recordsPerSecond, progress?.bytesPerSecond, progress?.eta]

describe("the pace of a run in the status", () => {
  it("is what came between two readings, and the end follows from the offsets that are left", () => {
    assert.deepStrictEqual(rate(first), [undefined, undefined, undefined])
    assert.deepStrictEqual(rate(second), [1_800, 180_000, "2026-11-24T12:00:55Z"])
  })

  it("stays as it is while nothing new was read", () => {
    assert.deepStrictEqual(read(second, later).progress, second.progress)
  })

  it("is nothing, and has no end, while a run stands still", () => {
    const still = read(second, { ...later, updatedMillis: at("12:00:30") })
    assert.deepStrictEqual(rate(still), [0, 0, undefined])
  })

  it("is not known after an attempt began anew, nor of another run", () => {
    const anew = read(second, reading("12:00:30", { records: 100, bytes: 10_000 }))
    assert.deepStrictEqual(rate(anew), [undefined, undefined, undefined])
    const other = hourly({ active: running("13:00", { progress: { ...later, updatedMillis: at("13:00:30") } }) })
    assert.deepStrictEqual(rate(next(second, other, at("13:00:30"))), [undefined, undefined, undefined])
  })

  it("has no end once all offsets are done", () => {
    const done = read(second, { ...later, offsetsDone: 100_000, records: 95_000, updatedMillis: at("12:01:00") })
    assert.isUndefined(done.progress?.eta)
  })
})
