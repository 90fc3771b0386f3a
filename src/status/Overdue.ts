import { Result } from "effect"
import * as Slots from "../schedule/Slots.ts"

/** What decides whether something that a schedule asks for is late. Instants are milliseconds since 1970. */
export interface OverdueQuestion {
  readonly schedule: { readonly text?: string | undefined; readonly timeZone?: string | undefined }
  /** Seconds between two slots. */
  readonly intervalSeconds: number | undefined
  /** When it succeeded last. */
  readonly succeededMillis: number | undefined
  /** Since when the schedule counts. */
  readonly sinceMillis: number | undefined
  readonly nowMillis: number
}

/**
 * Nothing has succeeded for more than two intervals of the schedule, and at least two slots have passed. Slots count
 * too, not only time: a schedule of working days is not late on a Sunday.
 */
export const isOverdue = (question: OverdueQuestion): boolean => {
  const { intervalSeconds, nowMillis, schedule, sinceMillis, succeededMillis } = question
  const { text, timeZone } = schedule
  if (text === undefined || intervalSeconds === undefined) return false
  const fromMillis = Math.max(succeededMillis ?? 0, sinceMillis ?? 0)
  if (fromMillis === 0 || nowMillis - fromMillis <= 2000 * intervalSeconds) return false
  const slots = Slots.of({ schedule: text, timeZone })
  if (Result.isFailure(slots)) return false
  const first = Slots.next(slots.success, fromMillis)
  const second = first === undefined ? undefined : Slots.next(slots.success, first)
  return second !== undefined && second <= nowMillis
}
