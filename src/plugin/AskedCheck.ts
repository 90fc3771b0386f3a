import type { Preflight } from "../status/preflight/PreflightFacts.ts"
import type { Status } from "../status/Status.ts"
import type { Ending } from "./Ending.ts"
import * as Following from "./Following.ts"

export interface Asked {
  readonly token: string
  /** The Job of the check. */
  readonly jobName: string
}

const end = (preflight: Preflight): Ending =>
  preflight.outcome === "Passed"
    ? { outcome: "success", message: "everything that a run needs is there" }
    : { outcome: "failed", reason: preflight.reason, message: preflight.message ?? "no reason was reported" }

/** How far a check is that was asked for. A run that succeeds meanwhile proves more than it. Pure. */
export const of = ({ activeRun, preflight = {} }: Status, { jobName, token }: Asked): Following.Step<Ending> => {
  const { by, handledCheck, incomplete, trouble } = preflight
  if (by === jobName) return Following.over(end(preflight))
  if (incomplete?.jobName === jobName) {
    return Following.over({ outcome: "failed", reason: incomplete.reason, message: incomplete.message })
  }
  if (trouble !== undefined) return Following.going(`${trouble.reason}: ${trouble.message}`)
  if (handledCheck === token) return Following.going(`checking, in Job ${jobName}`)
  return Following.going(
    activeRun === undefined ? "waiting for the operator" : `waiting for the operator; ${activeRun.backupId} is running`
  )
}
