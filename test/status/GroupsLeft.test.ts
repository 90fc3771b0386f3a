import { assert, describe, it } from "@effect/vitest"
import * as GroupsLeft from "../../src/status/GroupsLeft.ts"
import * as NextOffset from "../../src/status/offsets/NextOffset.ts"

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
})
