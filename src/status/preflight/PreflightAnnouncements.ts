import type { EventReasonName } from "../EventReasons.ts"
import type { Status } from "../Status.ts"
import type { Preflight } from "./PreflightFacts.ts"
import * as ReadyCheck from "./ReadyCheck.ts"

/** A reason and its note. */
export type Note = readonly [EventReasonName, string]

/** What to announce about checks now that `next` follows `previous`: an answer that is another one than before. */
export const notes = ({ preflight: before }: Status, { preflight: now, lastBackupId }: Status): ReadonlyArray<Note> => {
  if (now?.outcome === undefined || now.outcome === "Pending") return []
  const isSame = before?.outcome === now.outcome && before.generation === now.generation
  if (now.outcome === "Failed") {
    return isSame && before.reason === now.reason ? [] : [["CheckFailed", ReadyCheck.found(now)]]
  }
  // A run that succeeded says so itself.
  if (isSame || now.by === lastBackupId) return []
  return [["CheckPassed", passed(now)]]
}

const passed = ({ by = "", generation = 0 }: Preflight): string =>
  `Job ${by} found everything that a run of generation ${generation} needs`
