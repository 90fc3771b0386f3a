import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as Due from "../../src/schedule/Due.ts"
import * as RunCause from "../../src/schedule/RunCause.ts"
import { digest } from "../../src/identity/RunIdentity.ts"
import type { DueInput, ScheduleMemory } from "../../src/schedule/DueInput.ts"
import type { SkippedSlots } from "../../src/schedule/SkippedSlots.ts"
import * as Slots from "../../src/schedule/Slots.ts"
import { at, hourly, token } from "./dueInputs.ts"
import { walked } from "./wallMinutes.ts"

/** One reconcile of the resource, and what happened before it. */
const Step = Schema.Struct({
  minutesLater: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200 })),
  runEnds: Schema.Boolean,
  trigger: Schema.Literals(["none", "a", "b", "c"]),
  /** The process dies after starting the run, before what it decided is kept. */
  isForgotten: Schema.Boolean
})
type Step = typeof Step.Type

const owner = { uid: "u1", namespace: "kafka", name: "nightly" }
const schedules = ["0 * * * *", "*/20 * * * *", "30 2,5 * * *", "0 7-9 * * *"]

interface Played {
  /** The runs that exist: identity, and the causes that asked for it. */
  readonly runs: Map<string, Array<RunCause.RunCause>>
  readonly skipped: Array<SkippedSlots>
  readonly lastStepMillis: number
}

/** Plays steps against a world that keeps what was started: a run asked for twice is found, not made again. */
const played = (
  schedule: string,
  steps: ReadonlyArray<Step>,
  check: (input: DueInput, due: Due.Due) => void
): Played => {
  const runs: Played["runs"] = new Map()
  const skipped: Array<SkippedSlots> = []
  let active: RunCause.RunCause | undefined
  let memory: ScheduleMemory = {}
  let nowMillis = at("06:30")
  for (const step of steps) {
    nowMillis += step.minutesLater * 60_000
    if (step.runEnds) active = undefined
    const input = hourly(nowMillis, {
      spec: { schedule, suspend: false },
      trigger: step.trigger === "none" ? { _tag: "None" } : token(step.trigger),
      active,
      memory
    })
    const due = Due.decide(input)
    check(input, due)
    if (due.start !== undefined) {
      const id = digest(RunCause.identity(owner, due.start))
      if (!runs.has(id)) active = due.start
      runs.set(id, [...(runs.get(id) ?? []), due.start])
    }
    if (step.isForgotten) continue
    memory = due.memory
    skipped.push(...due.skipped)
  }
  return { runs, skipped, lastStepMillis: nowMillis }
}

const slotsOf = (runs: Played["runs"]) =>
  [...runs.values()].flatMap(([first]) => (first?._tag === "Slot" ? [first.slotMillis] : []))
const passed = (schedule: string, untilMillis: number) =>
  walked(Result.getOrThrow(Slots.of({ schedule })), at("06:30"), (untilMillis - at("06:30")) / 60_000)

const Steps = Schema.Array(Step).check(Schema.isMaxLength(25))
const Steady = Schema.Array(Step.mapFields((fields) => ({ ...fields, isForgotten: Schema.Literal(false) }))).check(
  Schema.isMaxLength(25)
)
const AnySchedule = Schema.Literals(schedules)

describe("Due.decide, reconcile after reconcile", () => {
  it.prop(
    "starts or skips every slot, once",
    [AnySchedule, Steady],
    ([schedule, steps]) => {
      const { lastStepMillis, runs, skipped } = played(schedule, steps, () => {})
      const started = slotsOf(runs)
      const all = passed(schedule, lastStepMillis)
      const saidSkipped = all.filter((slot) =>
        skipped.some(({ firstMillis, lastMillis }) => firstMillis <= slot && slot <= lastMillis)
      )
      assert.deepStrictEqual(
        [...started, ...saidSkipped].toSorted((a, b) => a - b),
        all
      )
      assert.strictEqual(
        skipped.reduce((sum, { count }) => sum + count, 0),
        all.length - started.length
      )
      for (const causes of runs.values()) {
        assert.isTrue(causes.every(({ _tag }) => _tag === "Trigger") || causes.length === 1)
      }
    },
    { arbitrary: { runs: 150 } }
  )

  it.prop(
    "never gives a slot two identities, starts beside a running run, or invents a slot, wherever the process dies",
    [AnySchedule, Steps],
    ([schedule, steps]) => {
      const { lastStepMillis, runs } = played(schedule, steps, ({ active, nowMillis, createdMillis }, { start }) => {
        if (active !== undefined) assert.strictEqual(start, undefined)
        if (start?._tag === "Slot") assert.isTrue(createdMillis < start.slotMillis && start.slotMillis <= nowMillis)
      })
      const started = slotsOf(runs)
      const all = passed(schedule, lastStepMillis)
      assert.strictEqual(new Set(started).size, started.length)
      assert.isTrue(started.every((slot) => all.includes(slot)))
      const triggered = [...runs.values()].filter(([first]) => first?._tag === "Trigger")
      assert.isAtMost(triggered.length, 3)
    },
    { arbitrary: { runs: 150 } }
  )

  it.prop(
    "catches up at most one slot in a gap, the latest, and never one that is past its deadline",
    [AnySchedule, Steps],
    ([schedule, steps]) => {
      const slots = Result.getOrThrow(Slots.of({ schedule }))
      played(schedule, steps, ({ nowMillis }, { skipped, start }) => {
        if (start?._tag !== "Slot") return
        const following = Slots.next(slots, start.slotMillis)!
        assert.isAbove(following, nowMillis)
        assert.isAtMost(nowMillis - start.slotMillis, Math.min(3_600_000, (following - start.slotMillis) / 2))
        assert.isTrue(skipped.every(({ lastMillis }) => lastMillis < start.slotMillis))
      })
    },
    { arbitrary: { runs: 150 } }
  )

  it.prop(
    "gives the same answer to the same input, and nothing more once it was carried out",
    [AnySchedule, Steps],
    ([schedule, steps]) => {
      played(schedule, steps, (input, due) => {
        assert.deepStrictEqual(Due.decide(input), due)
        const carriedOut = { ...input, memory: due.memory, active: due.start ?? input.active }
        const again = Due.decide(carriedOut)
        assert.deepStrictEqual([again.start, again.skipped, again.memory], [undefined, [], due.memory])
      })
    },
    { arbitrary: { runs: 100 } }
  )
})
