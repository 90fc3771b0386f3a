import type { Facts } from "../Facts.ts"
import * as QueueText from "../QueueText.ts"
import type { Preflight } from "./PreflightFacts.ts"

/** Why a resource that nothing else speaks against is not ready. */
export type Obstacle =
  /** A check of this generation found that a run would fail. */
  | { readonly _tag: "Failed"; readonly sentences: ReadonlyArray<string> }
  /** Nothing shows yet that a run of this generation can work. */
  | {
      readonly _tag: "Unproven"
      readonly reason: "Checking" | "CheckIncomplete"
      readonly sentences: ReadonlyArray<string>
    }

type Found = Pick<Facts, "generation" | "preflight">

/** What checks say against a resource with a schedule, or one that is suspended; undefined where they say nothing. */
export const obstacle = (preflight: Preflight | undefined, found: Found): Obstacle | undefined => {
  if (found.preflight._tag === "Found" && !found.preflight.facts.isWanted) return undefined
  const failed = failure(preflight, found)
  if (failed !== undefined) return { _tag: "Failed", sentences: failed }
  if (preflight?.outcome === "Passed" && preflight.generation === found.generation) return undefined
  const facts = found.preflight._tag === "Found" ? found.preflight.facts : undefined
  const incomplete = preflight?.incomplete?.generation === found.generation ? preflight.incomplete : undefined
  const last =
    incomplete === undefined
      ? []
      : [
          `The check that ended at ${incomplete.completionTime} has no answer (${incomplete.reason}): ${incomplete.message}`
        ]
  if (facts?.active !== undefined) {
    const { jobName, trouble } = facts.active
    const troubled = trouble === undefined ? [] : [`Its pod is in trouble: ${trouble.message}`]
    return unproven("Checking", `Everything that a run needs is being checked, in Job ${jobName}`, ...troubled, ...last)
  }
  if (facts?.refusal !== undefined) {
    return unproven("Checking", `A check is due but was not started: ${facts.refusal.message}`)
  }
  if (facts?.queue !== undefined) {
    return unproven("Checking", ...QueueText.sentences("check", facts.queue), ...last)
  }
  return incomplete === undefined
    ? unproven("Checking", "Everything that a run needs is about to be checked")
    : unproven("CheckIncomplete", ...last, ...again(preflight))
}

const unproven = (reason: "Checking" | "CheckIncomplete", ...sentences: ReadonlyArray<string>): Obstacle => ({
  _tag: "Unproven",
  reason,
  sentences
})

/** What the newest check of this generation found, where that was a failure. */
export const failure = (
  preflight: Preflight | undefined,
  { generation }: Pick<Facts, "generation">
): ReadonlyArray<string> | undefined =>
  preflight?.outcome === "Failed" && preflight.generation === generation
    ? [found(preflight), ...again(preflight)]
    : undefined

/** What a check that failed says. */
export const found = ({ lastProbeTime = "", message = "", reason = "" }: Preflight): string =>
  `A check that ended at ${lastProbeTime} found that a run would fail (${reason}): ${message}`

const again = (preflight: Preflight | undefined): ReadonlyArray<string> =>
  preflight?.nextProbeTime === undefined ? [] : [`It is repeated at ${preflight.nextProbeTime}`]
