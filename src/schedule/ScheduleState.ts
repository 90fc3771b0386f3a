import type { Problem } from "../resource/Problem.ts"

/** How things stand with runs that nobody triggers. */
export type ScheduleState =
  | { readonly _tag: "Scheduled"; readonly nextMillis: number; readonly intervalSeconds: number | undefined }
  /** The clock jumped back: a slot of the future is done already. Slots wait until it is past; editing the schedule ends the wait. */
  | { readonly _tag: "ClockBehind"; readonly untilMillis: number; readonly nextMillis: number }
  /** The schedule or its zone cannot be used: nothing to wait for but an edit. */
  | { readonly _tag: "Unusable"; readonly problems: ReadonlyArray<Problem> }
  | { readonly _tag: "Suspended" }
  /** No schedule: one run, asked for, or waiting for another to end. */
  | { readonly _tag: "OneTime"; readonly isAskedFor: boolean }
