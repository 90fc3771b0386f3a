import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { RestoredTopic } from "../../src/outcome/RestoreSummary.ts"
import * as GroupSummary from "../../src/restore/groups/GroupSummary.ts"
import type { RunSummary } from "../../src/outcome/RunSummary.ts"
import * as SummaryCodec from "../../src/outcome/SummaryCodec.ts"

const topics = (count: number): ReadonlyArray<RestoredTopic> =>
  Array.from({ length: count }, (_, n) => ({
    name: `shop.orders.v${n}`,
    records: 1000 + n * 7,
    ...(n === 0 ? { renumbered: "spec.offsets is New" } : {})
  }))

const summary = (count: number, message?: string): RunSummary => ({
  version: 1,
  command: "restore",
  outcome: message === undefined ? "success" : "failed",
  exitCode: message === undefined ? 0 : 16,
  startedAt: "2026-11-24T07:00:03.120Z",
  completedAt: "2026-11-24T07:04:11.007Z",
  backupId: "nightly-20261124-070000",
  records: 1_234_567_890,
  ...(message === undefined ? {} : { reason: "Differs", message }),
  notes: ["retention.ms is -1"],
  restore: {
    startedWriting: "2026-11-24T07:00:05.000Z",
    plan: { records: 1_234_567_890, partitions: 3 * count, exact: count - 1, renumbered: 1, topics: topics(count) }
  }
})

const decoded = (text: string) => Result.getOrThrow(SummaryCodec.decode(text))

describe("the summary of a restore", () => {
  it("is read as it was written, with and without a plan", () => {
    const unplanned: RunSummary = { ...summary(1, "no"), restore: { dryRun: true, objections: ["TargetNotEmpty"] } }
    for (const whole of [summary(1), summary(200), unplanned]) {
      assert.deepStrictEqual(decoded(SummaryCodec.encode(whole)), whole)
    }
  })

  it("takes at most 4096 bytes however many topics there are, keeps the first ones, and counts all", () => {
    const text = SummaryCodec.encode(summary(5000, "ä".repeat(5000)))
    assert.isAtMost(Buffer.byteLength(text), 4096)
    const plan = decoded(text).restore!.plan!
    assert.strictEqual(plan.exact, 4999)
    assert.isAbove(plan.topics.length, 100)
    assert.deepStrictEqual(plan.topics, topics(5000).slice(0, plan.topics.length))
  })

  it("names as many groups as there is room for, and counts all", () => {
    const many = Array.from({ length: 3000 }, (_, n) => `group-${n}`)
    const groups = GroupSummary.of({
      groupsReset: many.map((group) => ({ group, offsets: [] })),
      groupsSkipped: many.map((group) => ({ group, reason: "it has active members (state Stable)", active: true }))
    })
    const whole = summary(5000)
    const notes = many.map((group) => `consumer group ${group} was left as it is: it has active members`)
    const text = SummaryCodec.encode({ ...whole, notes, restore: { ...whole.restore, groups } })
    assert.isAtMost(Buffer.byteLength(text), 4096)
    const found = decoded(text).restore!.groups!
    assert.deepStrictEqual([found.reset, found.skipped], [3000, 3000])
    assert.isAbove(found.groupsReset.length, 20)
    assert.deepStrictEqual(found.groupsSkipped[0], { group: "group-0", reason: "it has active members (state Stable)" })
  })

  it("is refused where it counts fewer topics than it holds, or holds no topics at all", () => {
    const text = SummaryCodec.encode(summary(10))
    assert.isTrue(Result.isFailure(SummaryCodec.decode(text.replace('"exact":9', '"exact":3'))))
    assert.isTrue(Result.isFailure(SummaryCodec.decode(text.replace(/"topics":"[^"]*"/, '"topics":"AAAA"'))))
  })
})
