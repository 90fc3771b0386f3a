import { assert, describe, it } from "@effect/vitest"
import * as Due from "../../src/schedule/Due.ts"
import type { DueInput } from "../../src/schedule/DueInput.ts"
import * as SkippedSlots from "../../src/schedule/SkippedSlots.ts"
import { after, at, hourly, seen, slot, token } from "./dueInputs.ts"

const brief = (due: Due.Due) => due.skipped.map(({ count, reason }) => `${count} ${reason}`)

describe("Due.decide on a schedule", () => {
  it("starts nothing before the first slot, and says when to reconcile again", () => {
    const due = Due.decide(hourly(at("06:45")))
    assert.deepStrictEqual([due.start, due.requeueMillis], [undefined, at("07:00")])
    assert.deepStrictEqual(due.state, { _tag: "Scheduled", nextMillis: at("07:00"), intervalSeconds: 3600 })
  })

  it("starts a slot when it comes, and nothing when asked again", () => {
    const first = Due.decide(hourly(at("07:00")))
    assert.deepStrictEqual(first.start, slot("07:00"))
    const again = Due.decide(after(hourly(at("07:00:01")), first))
    assert.deepStrictEqual([again.start, again.skipped, again.memory], [undefined, [], first.memory])
  })

  it("starts one catch-up after three slots were missed, and says that two were skipped, once", () => {
    const due = Due.decide({ ...seen("07:00"), nowMillis: at("10:10") })
    assert.deepStrictEqual(due.start, slot("10:00"))
    assert.deepStrictEqual(due.skipped, [
      { reason: "Missed", count: 2, isAtLeast: false, firstMillis: at("08:00"), lastMillis: at("09:00") }
    ])
    assert.strictEqual(due.memory.skippedSlots, 2)
  })

  it.each([
    [undefined, "10:30", slot("10:00")],
    [undefined, "10:30:01", undefined],
    [60, "10:01", slot("10:00")],
    [60, "10:01:01", undefined],
    [7200, "10:59", slot("10:00")]
  ])("with a deadline of %s seconds, at %s, catches up: %o", (startingDeadlineSeconds, time, start) => {
    const spec = {
      ...hourly(0).spec,
      ...(startingDeadlineSeconds === undefined ? {} : { startingDeadlineSeconds })
    }
    const due = Due.decide({ ...seen("07:00", { spec }), nowMillis: at(time) })
    assert.deepStrictEqual([due.start, brief(due)], [start, [start === undefined ? "3 TooLate" : "2 Missed"]])
  })

  it("is never more than an hour late by default, however wide the schedule", () => {
    const daily = { spec: { schedule: "0 7 * * *", suspend: false } }
    assert.deepStrictEqual(Due.decide(hourly(at("08:00"), daily)).start, slot("07:00"))
    assert.deepStrictEqual(brief(Due.decide(hourly(at("08:00:01"), daily))), ["1 TooLate"])
  })

  it("skips a slot that meets a running run, says so, and runs the next one", () => {
    const running = { ...seen("07:00"), active: slot("07:00") }
    const met = Due.decide({ ...running, nowMillis: at("08:00") })
    assert.deepStrictEqual([met.start, brief(met)], [undefined, ["1 Overlapping"]])
    assert.include(SkippedSlots.sentence(met.skipped[0]!), "2026-11-24T08:00:00Z was skipped: another run")
    const free = { ...after(running, met), active: undefined }
    assert.strictEqual(Due.decide({ ...free, nowMillis: at("08:05") }).start, undefined)
    assert.deepStrictEqual(Due.decide({ ...free, nowMillis: at("09:00") }).start, slot("09:00"))
  })

  it("does not take a run for its own obstacle when the memory of starting it is lost", () => {
    const lost = { ...seen("06:50"), nowMillis: at("09:05") }
    for (const known of [{ active: slot("09:00") }, { startedSlotMillis: at("09:00") }]) {
      const due = Due.decide({ ...lost, ...known })
      assert.deepStrictEqual([due.start, brief(due), due.memory.lastSlotMillis], [undefined, ["2 Missed"], at("09:00")])
      const allLost = Due.decide({ ...lost, ...known, memory: {} })
      assert.deepStrictEqual([allLost.start, allLost.skipped, allLost.requeueMillis], [undefined, [], at("10:00")])
    }
  })

  it("counts a very long outage up to a limit, and says so", () => {
    const due = Due.decide(hourly(at("07:00") + 400 * 86_400_000, { createdMillis: at("06:30") }))
    assert.deepStrictEqual([due.start?._tag, brief(due), due.skipped[0]?.isAtLeast], ["Slot", ["100 Missed"], true])
    assert.include(SkippedSlots.sentence(due.skipped[0]!), "at least 100 slots from 2026-11-24T07:00:00Z")
  })

  it.each([
    ["schedule", { schedule: "30 * * * *", suspend: false }],
    ["time zone", { schedule: "0 * * * *", timeZone: "Asia/Kolkata", suspend: false }]
  ])("starts from now when the %s was edited", (_, spec) => {
    const edited = { ...seen("07:00"), spec, nowMillis: at("09:40") }
    const due = Due.decide(edited)
    assert.deepStrictEqual([due.start, due.skipped, due.requeueMillis], [undefined, [], at("10:30")])
    assert.deepStrictEqual(Due.decide(after(edited, due, { nowMillis: at("10:30") })).start, slot("10:30"))
  })

  it("starts nothing while suspended, and after resuming the next slot, not a missed one", () => {
    const suspended = { ...seen("07:00"), spec: { schedule: "0 * * * *", suspend: true }, nowMillis: at("08:00") }
    const paused = Due.decide(suspended)
    assert.deepStrictEqual([paused.start, paused.skipped, paused.state._tag], [undefined, [], "Suspended"])
    assert.strictEqual(paused.requeueMillis, undefined)
    const resumed = after(suspended, paused, { spec: hourly(0).spec, nowMillis: at("09:05") })
    const due = Due.decide(resumed)
    assert.deepStrictEqual([due.start, due.skipped, due.requeueMillis], [undefined, [], at("10:00")])
    assert.deepStrictEqual(Due.decide(after(resumed, due, { nowMillis: at("10:00") })).start, slot("10:00"))
  })

  it("waits and says so when the clock has jumped back, until the schedule is edited", () => {
    const jumped = { ...seen("12:00"), nowMillis: at("07:30") }
    const due = Due.decide(jumped)
    assert.deepStrictEqual([due.start, due.skipped], [undefined, []])
    assert.deepStrictEqual(due.state, { _tag: "ClockBehind", untilMillis: at("12:00"), nextMillis: at("13:00") })
    const edited = after(jumped, due, { spec: { schedule: "@hourly", suspend: false } })
    assert.deepStrictEqual(Due.decide(edited).state, {
      _tag: "Scheduled",
      nextMillis: at("08:00"),
      intervalSeconds: 3600
    })
    const known = { startedSlotMillis: at("12:00"), nowMillis: at("08:00") }
    assert.deepStrictEqual(Due.decide(after(edited, Due.decide(edited), known)).start, slot("08:00"))
  })

  it("makes one catch-up, no burst, when the clock has jumped a day ahead", () =>
    assert.deepStrictEqual(brief(Due.decide({ ...seen("07:00"), nowMillis: at("07:10") + 86_400_000 })), ["23 Missed"]))

  it("says nothing of clocks that differ by seconds", () =>
    assert.strictEqual(Due.decide({ ...seen("07:00"), nowMillis: at("06:59:55") }).state._tag, "Scheduled"))

  it.each(["0 0 31 2 *", "0 22-2 * * *"])(
    "has nothing to wait for with the schedule %s, and still takes a trigger",
    (schedule) => {
      const due = Due.decide(hourly(at("07:00"), { spec: { schedule, suspend: false }, trigger: token("a") }))
      assert.deepStrictEqual([due.state._tag, due.requeueMillis, due.start?._tag], ["Unusable", undefined, "Trigger"])
    }
  )
})

describe("spec.immediate", () => {
  const spec = { schedule: "0 0 * * *", suspend: false, immediate: true }
  const asked = (over: Partial<DueInput> = {}) =>
    Due.decide({
      spec,
      createdMillis: at("11:30"),
      trigger: { _tag: "None" },
      memory: {},
      active: undefined,
      nowMillis: at("11:31"),
      ...over
    })

  it("asks for a first run at once, named after the creation, and the next slot stays", () => {
    const due = asked()
    assert.deepStrictEqual(due.start, { _tag: "Once", slotMillis: at("11:30") })
    assert.strictEqual(due.memory.lastSlotMillis, at("11:30"))
    assert.deepStrictEqual(due.skipped, [])
    const again = asked({ memory: due.memory, spec: { ...spec, schedule: "0 1 * * *" } })
    assert.isUndefined(again.start)
    assert.deepStrictEqual(asked({ memory: Due.unstarted({}, due) }).start, due.start)
  })

  it("asks for none where there was a run, while one is active, and while suspended", () => {
    assert.isUndefined(asked({ memory: { sinceMillis: at("10:00"), lastSlotMillis: at("11:00") } }).start)
    assert.isUndefined(asked({ startedSlotMillis: at("11:30") }).start)
    assert.isUndefined(asked({ active: { _tag: "Trigger", token: "t", firstSeenMillis: at("11:30") } }).start)
    assert.isUndefined(asked({ spec: { ...spec, suspend: true } }).start)
    assert.isUndefined(asked({ spec: { ...spec, immediate: false } }).start)
  })
})
