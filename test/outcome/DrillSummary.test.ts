import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { DrillSummary } from "../../src/outcome/DrillSummary.ts"
import type { RunSummary } from "../../src/outcome/RunSummary.ts"
import * as SummaryCodec from "../../src/outcome/SummaryCodec.ts"

const drill: DrillSummary = {
  result: "Passed",
  capturedAt: "2026-11-24T07:00:00.000Z",
  topics: 12,
  partitions: 14,
  records: 1_234_567,
  bytes: 1_073_741_824,
  seconds: 31,
  estimatedSeconds: 5400,
  comparedLiveRecords: 1_200_000,
  leftTopicCount: 0,
  leftTopics: []
}

const summary = (drill: DrillSummary, message?: string): RunSummary => ({
  version: 1,
  command: "drill",
  outcome: message === undefined ? "success" : "failed",
  exitCode: message === undefined ? 0 : 16,
  startedAt: "2026-11-24T07:00:03.120Z",
  completedAt: "2026-11-24T07:04:11.007Z",
  backupId: "nightly-20261124-070000",
  ...(message === undefined ? {} : { reason: "Differs", message, advice: message }),
  notes: [],
  drill
})

const decoded = (text: string) => Result.getOrThrow(SummaryCodec.decode(text))

describe("the summary of a drill", () => {
  it("is read as it was written", () => {
    const { capturedAt: _capturedAt, comparedLiveRecords: _live, estimatedSeconds: _estimated, ...least } = drill
    const left: DrillSummary = { ...drill, leftTopicCount: 2, leftTopics: ["_drill-20261124-070000-orders", "b"] }
    for (const whole of [summary(drill), summary(least, "no"), summary(left)]) {
      assert.deepStrictEqual(decoded(SummaryCodec.encode(whole)), whole)
    }
  })

  it("takes at most 4096 bytes whatever the other texts are, counts all topics that are left, and names some", () => {
    const leftTopics = Array.from({ length: 500 }, (_, n) => `${"a".repeat(245)}${n}`)
    const long = summary({ ...drill, leftTopicCount: 500, leftTopics }, "ä".repeat(5000))
    const text = SummaryCodec.encode({ ...long, backupId: "b".repeat(300), notes: Array(50).fill("ö".repeat(400)) })
    assert.isAtMost(Buffer.byteLength(text), 4096)
    assert.deepStrictEqual(decoded(text).drill, { ...drill, leftTopicCount: 500, leftTopics: leftTopics.slice(0, 3) })
  })

  it.prop("fits and can be read again, whatever is in it", { drill: DrillSummary, message: Schema.String }, (given) => {
    const text = SummaryCodec.encode(summary(given.drill, given.message))
    assert.isAtMost(Buffer.byteLength(text), 4096)
    const { leftTopics, ...rest } = decoded(text).drill!
    const { capturedAt: _before, leftTopics: whole, ...others } = given.drill
    const { capturedAt: _after, ...read } = rest
    assert.deepStrictEqual(read, others)
    assert.isAtMost(leftTopics.length, Math.min(3, whole.length))
  })
})
