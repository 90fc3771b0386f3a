import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Due from "../../src/schedule/Due.ts"
import type { DueInput, ScheduleMemory } from "../../src/schedule/DueInput.ts"
import * as ScheduleFields from "../../src/status/ScheduleFields.ts"
import { at, hourly, oneTime, token } from "../schedule/dueInputs.ts"

/** What the next reconcile remembers when this was kept in a status. */
const kept = (memory: ScheduleMemory): ScheduleMemory => ScheduleFields.read(ScheduleFields.write(memory))

const Millis = Schema.Int.check(Schema.isBetween({ minimum: at("06:30"), maximum: at("12:00") }))

describe("ScheduleFields", () => {
  it.prop(
    "written and read back is written the same",
    [
      Schema.Struct({
        observedSchedule: Schema.optionalKey(Schema.String),
        sinceMillis: Schema.optionalKey(Millis),
        lastSlotMillis: Schema.optionalKey(Millis),
        skippedSlots: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))),
        handledTrigger: Schema.optionalKey(Schema.String),
        pendingTrigger: Schema.optionalKey(Schema.Struct({ token: Schema.String, firstSeenMillis: Millis })),
        isOnceDone: Schema.optionalKey(Schema.Boolean)
      })
    ],
    ([memory]) => {
      assert.deepStrictEqual(ScheduleFields.write(kept(memory)), ScheduleFields.write(memory))
    }
  )

  it.prop(
    "makes the same decisions as memory in milliseconds, reconcile after reconcile",
    [
      Schema.Literals(["0 * * * *", "*/7 * * * *", "30 2,8 * * *"]),
      Schema.Array(
        Schema.Struct({
          laterMillis: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 7_200_000 })),
          runEnds: Schema.Boolean,
          isEdited: Schema.Boolean,
          suspend: Schema.Boolean,
          isOneTime: Schema.Boolean,
          token: Schema.Literals(["none", "a", "b"])
        })
      ).check(Schema.isMaxLength(20))
    ],
    ([schedule, steps]) => {
      let exact: ScheduleMemory = {}
      let fromStatus: ScheduleMemory = {}
      let active: DueInput["active"]
      let nowMillis = at("06:30")
      for (const step of steps) {
        nowMillis += step.laterMillis
        if (step.runEnds) active = undefined
        const input = hourly(nowMillis, {
          spec: step.isOneTime
            ? { suspend: step.suspend }
            : { schedule: step.isEdited ? "15 * * * *" : schedule, suspend: step.suspend },
          trigger: step.token === "none" ? { _tag: "None" } : token(step.token),
          active
        })
        const wanted = Due.decide({ ...input, memory: exact })
        const got = Due.decide({ ...input, memory: fromStatus })
        const seconds = (due: Due.Due) =>
          due.start?._tag === "Trigger"
            ? { ...due.start, firstSeenMillis: Math.floor(due.start.firstSeenMillis / 1000) }
            : due.start
        assert.deepStrictEqual([seconds(got), got.skipped, got.state], [seconds(wanted), wanted.skipped, wanted.state])
        active = wanted.start ?? active
        exact = wanted.memory
        fromStatus = kept(got.memory)
      }
    },
    { arbitrary: { runs: 300 } }
  )

  it("does not run a one-time backup again, also after it had a schedule for a while", () => {
    const first = Due.decide(oneTime(at("06:30")))
    assert.strictEqual(first.start?._tag, "Once")
    const once = kept(first.memory)
    assert.strictEqual(Due.decide(oneTime(at("07:10"), { memory: once })).start, undefined)

    const scheduled = Due.decide(hourly(at("07:10"), { memory: once }))
    assert.deepStrictEqual([scheduled.start, scheduled.skipped], [undefined, []])
    const slot = Due.decide(hourly(at("08:00"), { memory: kept(scheduled.memory) }))
    assert.deepStrictEqual([slot.start?._tag, slot.skipped], ["Slot", []])
    const back = Due.decide(oneTime(at("08:30"), { memory: kept(slot.memory) }))
    assert.strictEqual(back.start, undefined)
    assert.deepStrictEqual(back.state, { _tag: "OneTime", isAskedFor: true })
  })

  it("keeps a trigger that waits, with the time that names its backup", () => {
    const memory = { pendingTrigger: { token: "now", firstSeenMillis: at("07:00:05") + 700 } }
    assert.deepStrictEqual(ScheduleFields.write(memory).pendingTrigger, {
      token: "now",
      firstSeenTime: "2026-11-24T07:00:05Z"
    })
    assert.deepStrictEqual(kept(memory).pendingTrigger, { token: "now", firstSeenMillis: at("07:00:05") })
  })
})
