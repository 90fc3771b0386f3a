import { assert, describe, it } from "@effect/vitest"
import * as Due from "../../src/schedule/Due.ts"
import * as RunCause from "../../src/schedule/RunCause.ts"
import { digest } from "../../src/identity/RunIdentity.ts"
import * as Triggers from "../../src/resource/Trigger.ts"
import { after, at, hourly, oneTime, seen, slot, token } from "./dueInputs.ts"

describe("Due.decide on a trigger", () => {
  const a = (time: string) => ({ _tag: "Trigger" as const, token: "a", firstSeenMillis: at(time) })

  it.each([
    ["between slots", hourly(at("06:45"), { trigger: token("a") })],
    ["while suspended", hourly(at("06:45"), { trigger: token("a"), spec: { schedule: "0 * * * *", suspend: true } })],
    ["on a one-time resource", oneTime(at("06:45"), { trigger: token("a"), memory: { isOnceDone: true } })]
  ])("starts one run for a new value %s, and none for the same value again", (_, input) => {
    const due = Due.decide(input)
    assert.deepStrictEqual(due.start, a("06:45"))
    const ended = after(input, due, { active: undefined, nowMillis: at("06:50") })
    assert.deepStrictEqual([Due.decide(ended).start, Due.decide(ended).memory], [undefined, due.memory])
  })

  it("runs a value that came during a run afterwards, under the time it was first seen; the newest wins", () => {
    const busy = { ...seen("07:00"), active: slot("07:00") }
    const first = { ...busy, trigger: token("old"), nowMillis: at("07:10") }
    const second = after(first, Due.decide(first), { trigger: token("a"), nowMillis: at("07:20") })
    const third = after(second, Due.decide(second), { nowMillis: at("07:30") })
    const waiting = Due.decide(third)
    assert.deepStrictEqual([waiting.start, waiting.memory.handledTrigger], [undefined, undefined])
    const free = after(third, waiting, { active: undefined, nowMillis: at("07:40") })
    assert.deepStrictEqual(Due.decide(free).start, a("07:20"))
    assert.deepStrictEqual(Due.decide(free).memory.pendingTrigger, undefined)
  })

  it("lets a slot that is due at the same moment go first", () => {
    const both = { ...seen("07:00"), trigger: token("a"), nowMillis: at("08:00") }
    const due = Due.decide(both)
    assert.deepStrictEqual(due.start, slot("08:00"))
    assert.deepStrictEqual(
      Due.decide(after(both, due, { active: undefined, nowMillis: at("08:09") })).start,
      a("08:00")
    )
  })

  it("knows its run again when the memory of starting it is lost", () => {
    const due = Due.decide(hourly(at("06:50"), { trigger: token("a"), active: a("06:45") }))
    assert.deepStrictEqual([due.start, due.memory.handledTrigger], [undefined, "a"])
  })

  it.each([
    ["", "has 0"],
    ["x".repeat(254), "has 254"]
  ])("starts nothing for a value it cannot take, and says what to write", (value, says) => {
    const trigger = Triggers.requested({ "kafka.oso.sh/trigger-backup": value })
    const due = Due.decide(hourly(at("06:45"), { trigger }))
    assert.strictEqual(due.start, undefined)
    assert.include(due.refusedTrigger, says)
    assert.include(due.refusedTrigger, "$(date +%s)")
  })
})

describe("Due.decide without schedule", () => {
  it("starts one run for ever, whatever is edited", () => {
    const due = Due.decide(oneTime(at("06:31")))
    assert.deepStrictEqual(due.start, { _tag: "Once", slotMillis: at("06:30") })
    const later = after(oneTime(at("09:00")), due, { active: undefined })
    assert.deepStrictEqual([Due.decide(later).start, Due.decide(later).requeueMillis], [undefined, undefined])
  })

  it("holds the run back while suspended or while a triggered run is active", () => {
    const suspended = oneTime(at("06:31"), { spec: { suspend: true } })
    assert.strictEqual(Due.decide(suspended).state._tag, "Suspended")
    assert.strictEqual(
      Due.decide(after(suspended, Due.decide(suspended), { spec: { suspend: false } })).start?._tag,
      "Once"
    )
    const busy = oneTime(at("06:31"), { active: { _tag: "Trigger", token: "a", firstSeenMillis: at("06:30") } })
    assert.deepStrictEqual([Due.decide(busy).start, Due.decide(busy).memory.isOnceDone], [undefined, undefined])
  })

  it("starts none because a schedule was removed, and slots from now on when one is added", () => {
    assert.strictEqual(Due.decide({ ...seen("07:00"), spec: { suspend: false } }).start, undefined)
    const scheduled = after(oneTime(at("06:31")), Due.decide(oneTime(at("06:31"))), {
      active: undefined,
      spec: hourly(0).spec,
      nowMillis: at("09:10")
    })
    assert.deepStrictEqual([Due.decide(scheduled).start, Due.decide(scheduled).requeueMillis], [undefined, at("10:00")])
  })

  it("asks under the same identity when its memory is lost", () => {
    const identities = ["06:31", "09:00"].map((time) => {
      const { start } = Due.decide(oneTime(at(time)))
      return start === undefined ? "none" : digest(RunCause.identity({ uid: "u", name: "n" }, start))
    })
    assert.strictEqual(identities[0], identities[1])
    assert.notStrictEqual(identities[0], "none")
  })
})
