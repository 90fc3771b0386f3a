import { describe, expect, it } from "@effect/vitest"
import * as Announcements from "../../../src/status/Announcements.ts"
import * as Next from "../../../src/status/Next.ts"
import type { Facts } from "../../../src/status/Facts.ts"
import type { Status } from "../../../src/status/Status.ts"
import { at, hourly, running } from "../facts.ts"
import { after, drillFacts, failed, incomplete, passed, restorable, withDrills } from "./drills.ts"

const active = { jobName: "orders-drill-1215", cause: "schedule" as const, startMillis: at("12:15") }
const refusal = { reason: "QuotaExceeded" as const, message: "the quota of the namespace has no room; raise it" }
const queue = { before: 3, limit: 2, sinceMillis: at("12:15") }

describe("condition Restorable", () => {
  it("does not exist without spec.drill, and is gone once that is removed", () => {
    expect(restorable(after(["12:20", hourly()]))).toBeUndefined()
    const removed = after(["12:20", withDrills({ ended: [passed("12:15")] })], ["12:25", hourly()])
    expect(restorable(removed)).toBeUndefined()
    expect(removed.drill).toBeUndefined()
  })

  it("is True after a drill that passed, and says what was compared and how long a restore takes", () => {
    const status = after(["12:20", withDrills({ ended: [passed("12:15")] })])
    expect(restorable(status)).toMatchObject({
      status: "True",
      reason: "DrillPassed",
      message:
        "orders-20261124-120000 can be restored: a drill that ended at 2026-11-24T12:15:10Z restored and compared 12,345 records in 5.00 MB within 8s. 12,000 of them were equal in the topics that were backed up, too. A restore of the whole backup takes about 2h3m. The next drill is at 2026-11-24T13:15:00Z."
    })
  })

  it("is True with what the drill noted, in the status and in the Event, too", () => {
    const notes = ["a restore of it needs gaps: Accept", "compared with the backup\nalone: payments"]
    const facts = withDrills({ ended: [passed("12:15", { notes })] })
    const status = after(["12:20", facts])
    const text = "Notes of the drill: a restore of it needs gaps: Accept; compared with the backup alone: payments."
    expect(restorable(status)).toMatchObject({ status: "True", reason: "DrillPassed" })
    expect(restorable(status)?.message).toContain(` takes about 2h3m. ${text} The next drill is at`)
    expect(status.drill?.notes).toEqual([notes[0], "compared with the backup alone: payments"])
    const event = Announcements.announcements({}, facts, status).find(({ reason }) => reason === "DrillPassed")
    expect(event?.note).toContain(text)
    const many = passed("13:15", { notes: Array.from({ length: 50 }, () => "n".repeat(9000)) })
    const bounded = after(["12:20", facts], ["13:20", withDrills({ ended: [many] })])
    expect(bounded.drill?.notes?.map((note) => Buffer.byteLength(note))).toEqual(Array.from({ length: 10 }, () => 512))
    const none = after(["12:20", facts], ["13:20", withDrills({ ended: [passed("13:15")] })])
    expect(none.drill?.notes).toBeUndefined()
  })

  it("is False after one that failed, whatever passed before, and says where and what to do", () => {
    const status = after(
      ["11:20", withDrills({ ended: [passed("11:15")] })],
      ["12:20", withDrills({ ended: [failed("12:15")] })]
    )
    expect(restorable(status)).toMatchObject({
      status: "False",
      reason: "DrillFailed",
      message:
        "orders-20261124-120000 could not be restored by the drill that ended at 2026-11-24T12:15:10Z: orders[3] differs at offset 17. The last drill that passed ended at 2026-11-24T11:15:10Z. To drill again, set annotation kafka.oso.sh/drill to a new value. The next drill is at 2026-11-24T13:15:00Z."
    })
    expect(status.conditions?.find(({ type }) => type === "Ready")?.status).toBe("True")
  })

  it("stays as it is after a drill that shows nothing, and names it", () => {
    for (const [before, answer] of [
      [passed("11:15"), { status: "True", reason: "DrillPassed" }],
      [failed("11:15"), { status: "False", reason: "DrillFailed" }]
    ] as const) {
      const status = after(
        ["11:20", withDrills({ ended: [before] })],
        ["12:20", withDrills({ ended: [incomplete("12:15")] })]
      )
      expect(restorable(status)).toMatchObject(answer)
      expect(restorable(status)?.message).toContain(
        "The drill that ended at 2026-11-24T12:15:10Z was not completed: no broker answers."
      )
    }
  })

  it("is Unknown before the first result, with the reason", () => {
    const cases: ReadonlyArray<readonly [string, Facts, string]> = [
      ["NoBackupYet", withDrills({}, { ended: [] }), "There is no verified backup yet"],
      ["AwaitingFirstDrill", withDrills(), "The next drill is at 2026-11-24T13:15:00Z"],
      ["AwaitingFirstDrill", withDrills({ state: { _tag: "Suspended" } }), "until spec.drill.suspend is false"],
      ["AwaitingFirstDrill", withDrills({ queue }), "at most 2 at the same time"],
      ["DrillRunning", withDrills({ active }), "in Job orders-drill-1215"],
      ["JobRefused", withDrills({ refusal }), "the quota of the namespace has no room; raise it"],
      ["DrillIncomplete", withDrills({ ended: [incomplete("12:15")] }), "was not completed: no broker answers"],
      [
        "DrillRunning",
        withDrills({ active: { ...active, trouble: { reason: "ImagePullFailed", message: "no image; correct it" } } }),
        "The pod of Job orders-drill-1215 is in trouble: no image; correct it."
      ]
    ]
    for (const [reason, facts, text] of cases) {
      const condition = restorable(after(["12:20", facts]))
      expect(condition).toMatchObject({ status: "Unknown", reason })
      expect(condition?.message).toContain(text)
    }
  })

  it("is Unknown once no drill has passed for more than two intervals, but not while suspended", () => {
    const seen = after(["12:20", withDrills({ ended: [passed("12:15")] })])
    const later = (time: string, facts = withDrills()) => restorable(Next.next(seen, facts, at(time)))
    expect(later("14:15")).toMatchObject({ status: "True", reason: "DrillPassed" })
    expect(later("14:16")).toMatchObject({ status: "Unknown", reason: "DrillOverdue" })
    expect(later("14:16")?.message).toContain("orders-20261124-120000 can be restored")
    expect(later("23:00", withDrills({ state: { _tag: "Suspended" } }))).toMatchObject({ reason: "DrillPassed" })
    const never = after(["14:00", withDrills({ ended: [incomplete("12:15"), incomplete("13:15")] })])
    expect(restorable(never)).toMatchObject({ status: "Unknown", reason: "DrillOverdue" })
  })

  it("stays as it is while the spec cannot be used, or the resource is deleted", () => {
    const seen = after(["12:20", withDrills({ ended: [passed("12:15")] })])
    const unusable = hourly({
      problems: [{ field: "spec.topics", message: "x" } as never],
      drill: { _tag: "Unchanged" }
    })
    const next = Next.next(seen, unusable, at("12:30"))
    expect(next.drill).toEqual(seen.drill)
    expect(restorable(next)).toEqual(restorable(seen))
  })
})

describe("status.drill", () => {
  it("has the numbers of the newest drill with a result, and when one passed last", () => {
    const { drill } = after(["12:20", withDrills({ ended: [passed("12:15")] })])
    expect(drill).toEqual({
      phase: "Passed",
      lastResult: "Passed",
      jobName: "orders-drill-1215",
      backupId: "orders-20261124-120000",
      capturedTime: "2026-11-24T12:00:00Z",
      drillTime: "2026-11-24T12:15:00Z",
      completionTime: "2026-11-24T12:15:10Z",
      topics: 2,
      partitions: 6,
      records: 12_345,
      bytes: 5_000_000,
      seconds: 8,
      estimatedRestoreSeconds: 7384,
      comparedLiveRecords: 12_000,
      lastPassedTime: "2026-11-24T12:15:10Z",
      nextDrillTime: "2026-11-24T13:15:00Z",
      observedSchedule: "15 * * * * in UTC",
      scheduledSince: "2026-11-24T11:30:00Z"
    })
  })

  it("keeps the last result while another drill is active", () => {
    const status = after(["12:20", withDrills({ ended: [passed("11:15")] })], ["12:21", withDrills({ active })])
    expect(status.drill).toMatchObject({ phase: "Running", lastResult: "Passed", jobName: "orders-drill-1115" })
    expect(status.drill?.active).toEqual({
      jobName: "orders-drill-1215",
      cause: "schedule",
      startTime: "2026-11-24T12:15:00Z"
    })
  })

  it("bounds texts that a pod wrote, and takes no time from it that is none", () => {
    const summary = { ...passed("12:15").summary!, capturedAt: "not a time" }
    const long = failed("12:15", {
      message: "x".repeat(10_000),
      reason: "R".repeat(1000),
      backupId: "b".repeat(2000),
      summary
    })
    const { drill } = after(["12:20", withDrills({ ended: [long] })])
    expect(Buffer.byteLength(drill?.detail ?? "")).toBeLessThanOrEqual(1024)
    expect(Buffer.byteLength(drill?.reason ?? "")).toBeLessThanOrEqual(128)
    expect(Buffer.byteLength(drill?.backupId ?? "")).toBeLessThanOrEqual(512)
    expect(drill?.capturedTime).toBeUndefined()
  })

  it("is the same when the same facts are seen again", () => {
    for (const facts of [
      withDrills({ ended: [passed("12:15")] }),
      withDrills({ ended: [passed("11:15"), failed("12:15")] }),
      withDrills({ ended: [failed("11:15"), incomplete("12:15")], active, refusal })
    ]) {
      const status = after(["12:20", facts])
      expect(Next.next(status, facts, at("12:20"))).toEqual(status)
    }
  })
})

describe("Events of drills", () => {
  const notes = (previous: Status, facts: Facts, time: string) => {
    const next = Next.next(previous, facts, at(time))
    const made = Announcements.announcements(previous, facts, next).filter(({ reason }) =>
      /Drill|Trigger/u.test(reason)
    )
    expect(
      Announcements.announcements(next, facts, Next.next(next, facts, at(time))).filter(({ reason }) =>
        reason.startsWith("Drill")
      )
    ).toEqual([])
    return made.map(({ note, reason }) => `${reason}: ${note}`)
  }
  const calm = after(["12:14", withDrills()])

  it("come once for each start, end and trouble", () => {
    expect(notes(calm, withDrills({ active }), "12:15")).toEqual([
      "DrillStarted: A drill started by schedule, in Job orders-drill-1215"
    ])
    expect(notes(calm, withDrills({ active: { ...active, cause: "trigger" } }), "12:15")).toEqual([
      "DrillStarted: A drill started by annotation, in Job orders-drill-1215"
    ])
    expect(notes(calm, withDrills({ ended: [passed("12:15")] }), "12:16")[0]).toMatch(/^DrillPassed: orders-2026/u)
    expect(notes(calm, withDrills({ ended: [failed("12:15")] }), "12:16")).toEqual([
      "DrillFailed: orders-20261124-120000 could not be restored by the drill that ended at 2026-11-24T12:15:10Z: orders[3] differs at offset 17"
    ])
    expect(notes(calm, withDrills({ ended: [incomplete("12:15")] }), "12:16")).toEqual([
      "DrillIncomplete: A drill was not completed: no broker answers"
    ])
    expect(notes(calm, withDrills({ refusal }), "12:16")).toEqual([
      "DrillTrouble: A drill is due but was not started: the quota of the namespace has no room; raise it."
    ])
    const seen = after(["12:20", withDrills({ ended: [passed("12:15")] })])
    expect(notes(seen, withDrills(), "14:20")[0]).toMatch(/^DrillOverdue: No drill has passed/u)
  })

  it("do not come again for trouble whose words alone changed", () => {
    const first = after(["12:16", withDrills({ refusal })])
    expect(notes(first, withDrills({ refusal: { ...refusal, message: "other words" } }), "12:17")).toEqual([])
  })

  it("say that a value of the annotation was used before", () => {
    const memory = { ...drillFacts().memory, handledTrigger: "old" }
    expect(notes(calm, withDrills({ memory, usedBefore: "old" }), "12:16")).toEqual([
      "TriggerHandledBefore: The value of annotation kafka.oso.sh/drill was used before, and its drill has ended. Set it to a new value for a new drill."
    ])
  })

  it("leave those of backups alone", () => {
    const facts = withDrills({ active }, { active: running("13:00"), ended: [] })
    expect(notes(calm, facts, "13:00").map((note) => note.split(":")[0])).toEqual(["DrillStarted"])
  })
})
