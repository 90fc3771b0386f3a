import { assert, describe, it } from "@effect/vitest"
import type { GroupsSummary } from "../../src/outcome/RestoreSummary.ts"
import * as GroupsLeft from "../../src/status/GroupsLeft.ts"
import * as NextOffset from "../../src/status/offsets/NextOffset.ts"
import type { OffsetStatus } from "../../src/status/offsets/OffsetFacts.ts"

const skipped = (...groups: ReadonlyArray<string>) => groups.map((group) => ({ group, reason: "it has members" }))

describe("the groups that a repetition is for", () => {
  it.each([
    ["all where nothing is known", {}, {}],
    ["those that were left", { groupsReset: ["a"], groupsSkipped: skipped("b", "c") }, { only: ["b", "c"] }],
    ["none where none was left", { groupsReset: ["a"], groupsSkipped: [] }, { only: [] }],
    [
      "all but those that were set, where more were left than there was room for",
      { groupsReset: ["a"], groupsResetTotal: 1, groupsSkipped: skipped("b"), groupsSkippedTotal: 9 },
      { except: ["a"] }
    ],
    [
      "those that are named as left, where neither list is complete",
      { groupsReset: ["a"], groupsResetTotal: 7, groupsSkipped: skipped("b"), groupsSkippedTotal: 9 },
      { only: ["b"] }
    ]
  ])("are %s", (_, known, choice) => {
    assert.deepStrictEqual(GroupsLeft.choice(known), choice)
  })

  it("are counted with those of before", () => {
    const known = { groupsReset: ["a"], groupsResetTotal: 7, groupsSkipped: skipped("b"), groupsSkippedTotal: 9 }
    const found = { reset: 1, skipped: 0, groupsReset: ["b"], groupsSkipped: [] }
    assert.deepStrictEqual(GroupsLeft.after(known, found), {
      groupsReset: ["a", "b"],
      groupsResetTotal: 8,
      groupsSkipped: [],
      groupsSkippedTotal: 8
    })
  })
})

describe("the status of a KafkaOffsetReset", () => {
  it("counts the groups of a Job once, however often its end is reported", () => {
    const now = Date.UTC(2026, 2, 1)
    const facts = { generation: 1, operation: "reset", problems: [] } as const
    const summary = (reset: ReadonlyArray<string>, left: ReadonlyArray<string>) => ({
      startedWriting: "2026-03-01T00:00:00Z",
      groups: { reset: reset.length, skipped: left.length, groupsReset: reset, groupsSkipped: skipped(...left) }
    })
    const end = (jobName: string, found: ReturnType<typeof summary>) => ({
      ...facts,
      startedWritingMillis: now,
      ended: {
        jobName,
        startMillis: now,
        endMillis: now,
        outcome: found.groups.skipped === 0 ? ("success" as const) : ("failed" as const),
        isDryRun: false,
        notes: [],
        summary: found
      }
    })
    const first = NextOffset.next({}, end("one", summary(["a"], ["b"])), now)
    assert.deepInclude(first, { phase: "Failed", groupsResetTotal: 1, groupsSkippedTotal: 1 })
    assert.deepStrictEqual(NextOffset.next(first, end("one", summary(["a"], ["b"])), now + 5000), first)
    const second = NextOffset.next(first, end("two", summary(["b"], [])), now + 9000)
    assert.deepInclude(second, { phase: "Completed", groupsReset: ["a", "b"], groupsResetTotal: 2 })
    assert.deepStrictEqual(NextOffset.next(second, end("two", summary(["b"], [])), now + 12_000), second)
  })

  it("is not Completed while groups are left that it cannot name", () => {
    const now = Date.UTC(2026, 2, 1)
    const end = (jobName: string, outcome: "success" | "failed", groups: GroupsSummary) => ({
      generation: 1,
      operation: "reset" as const,
      problems: [],
      startedWritingMillis: now,
      ended: {
        jobName,
        startMillis: now,
        endMillis: now,
        outcome,
        ...(outcome === "success" ? {} : { reason: "GroupsSkipped" as const, message: "9 of 16 were left" }),
        isDryRun: false,
        notes: [],
        summary: { startedWriting: "2026-03-01T00:00:00Z", groups }
      }
    })
    const ready = ({ conditions }: OffsetStatus) => conditions?.[0]
    const cut = { reset: 7, skipped: 9, groupsReset: ["a"], groupsSkipped: skipped("b") }
    const first = NextOffset.next({}, end("one", "failed", cut), now)
    assert.match(ready(first)!.message, /To try the groups that are left, set .* the status does not name 8:/)
    const facts = end("two", "success", { reset: 1, skipped: 0, groupsReset: ["b"], groupsSkipped: [] })
    const second = NextOffset.next(first, facts, now)
    assert.deepInclude(second, { phase: "Failed", groupsResetTotal: 8, groupsSkippedTotal: 8 })
    assert.deepInclude(ready(second), { status: "False", reason: "GroupsSkipped" })
    assert.match(
      ready(second)!.message,
      /^Of the consumer groups .* does not name 8: .* create another resource that names them/
    )
    assert.isTrue(GroupsLeft.isExhausted(second))
    assert.isFalse(GroupsLeft.isExhausted(first))
    assert.deepStrictEqual(NextOffset.next(second, facts, now + 5000), second)
    const failed = { reset: 0, skipped: 1, groupsReset: [], groupsSkipped: skipped("b") }
    assert.strictEqual(NextOffset.next(first, end("three", "failed", failed), now).groupsSkippedTotal, 9)
  })
})
