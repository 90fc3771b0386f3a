import * as Format from "./Format.ts"
import type { Condition } from "./Status.ts"

/** Most bytes of a condition's message. */
export const maxMessageBytes = 8192

/** The answer to the question of a condition. */
export interface Answered {
  readonly status: Condition["status"]
  readonly reason: string
  readonly message: string
}

/** A condition as a status has it. `before` is the same one so far: its time stays unless the status flips. */
export const of = (
  type: string,
  { message, reason, status }: Answered,
  before: Condition | undefined,
  observedGeneration: number,
  nowMillis: number
): Condition => ({
  type,
  status,
  reason,
  message: Format.cut(Format.line(message), maxMessageBytes),
  lastTransitionTime: before?.status === status ? before.lastTransitionTime : Format.time(nowMillis),
  observedGeneration
})
