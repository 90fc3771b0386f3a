import * as Due from "../../src/schedule/Due.ts"
import type { DueInput } from "../../src/schedule/DueInput.ts"

/** 24 November 2026 at this time of day, UTC. */
export const at = (time: string): number => Date.parse(`2026-11-24T${time}Z`)

export const token = (value: string): DueInput["trigger"] => ({ _tag: "Token", token: value })

/** An hourly resource made at 06:30 that was never reconciled. */
export const hourly = (nowMillis: number, over: Partial<DueInput> = {}): DueInput => ({
  spec: { schedule: "0 * * * *", suspend: false },
  createdMillis: at("06:30"),
  trigger: { _tag: "None" },
  memory: {},
  active: undefined,
  nowMillis,
  ...over
})

/** A resource without schedule. */
export const oneTime = (nowMillis: number, over: Partial<DueInput> = {}): DueInput =>
  hourly(nowMillis, { spec: { suspend: false }, ...over })

/** The same resource later, with what was decided remembered. */
export const after = (before: DueInput, due: Due.Due, over: Partial<DueInput> = {}): DueInput => ({
  ...before,
  memory: due.memory,
  active: due.start ?? before.active,
  ...over
})

/** The run of the slot at this time of day. */
export const slot = (time: string) => ({ _tag: "Slot" as const, slotMillis: at(time) })

/** The hourly resource after a reconcile at this time of day; its run, if it started one, has ended. */
export const seen = (time: string, over: Partial<DueInput> = {}): DueInput =>
  after(hourly(at(time), over), Due.decide(hourly(at(time), over)), { active: undefined })
