import * as JobName from "../../identity/JobName.ts"
import { checkAnnotation } from "../../resource/KafkaBackup.ts"
import * as Trigger from "../../resource/Trigger.ts"
import * as Format from "../../status/Format.ts"
import * as NextPreflight from "../../status/preflight/NextPreflight.ts"
import type { Preflight } from "../../status/preflight/PreflightFacts.ts"

/** All that the decision whether a check is due depends on. Instants are milliseconds since 1970. */
export interface PreflightDueInput {
  /** The resource is checked without being asked. */
  readonly isWanted: boolean
  readonly generation: number
  readonly annotations: { readonly [key: string]: string } | undefined
  /** What is known: see `NextPreflight.known`. */
  readonly known: Preflight | undefined
  /** A check of this generation is active. */
  readonly isActive: boolean
  /** A run is active or due: if it succeeds, it proves more than a check. */
  readonly isRunUnderWay: boolean
  /** The newest run failed: what was proven before it is not any more. */
  readonly hasRunFailed: boolean
  readonly nowMillis: number
}

/** A check to start. */
export interface DueCheck {
  /** Equal keys of one resource are one check. */
  readonly key: JobName.CheckKey
  readonly dueMillis: number
  /** The value of the annotation that asks for it. */
  readonly token?: string
  /** What was checked before and changes with the spec alone is left out. */
  readonly isQuick: boolean
}

/** What to do now about checks of one resource. */
export interface PreflightDue {
  readonly start: DueCheck | undefined
  /** What is wrong with the annotation's value. */
  readonly refusedTrigger: string | undefined
  /** When to decide again if nothing happens before. */
  readonly requeueMillis: number | undefined
}

/**
 * Which check is due, at most one: that of a new value of the annotation, that of a generation without an answer, then
 * the repetition of one that failed or is old. A repetition waits while a run is under way. Total and pure.
 */
export const decide = (input: PreflightDueInput): PreflightDue => {
  const { annotations, generation, hasRunFailed, isActive, isRunUnderWay, isWanted, known = {}, nowMillis } = input
  const asked = Trigger.requested(annotations, checkAnnotation)
  const nextMillis = known.nextProbeTime === undefined ? undefined : Format.millis(known.nextProbeTime)
  const isTried = NextPreflight.isTried(known, generation)
  const refusedTrigger = asked._tag === "Refused" ? asked.message : undefined
  const start = (due: Omit<DueCheck, "dueMillis">, dueMillis = nowMillis): PreflightDue => ({
    start: { ...due, dueMillis },
    refusedTrigger,
    requeueMillis: undefined
  })
  const nothing = (requeueMillis?: number): PreflightDue => ({ start: undefined, refusedTrigger, requeueMillis })
  if (isActive) return nothing()
  if (asked._tag === "Token" && asked.token !== known.handledCheck) {
    return start({ key: JobName.checkAsked(asked.token), token: asked.token, isQuick: false })
  }
  if (!isWanted) return nothing()
  if (!isTried) return start({ key: ["generation", generation], isQuick: false })
  if (nextMillis === undefined || isRunUnderWay) return nothing()
  if (nowMillis < nextMillis) return nothing(nextMillis)
  const isQuick = known.outcome === "Passed" && known.generation === generation && !hasRunFailed
  return start({ key: ["again", generation, known.nextProbeTime ?? ""], isQuick }, nextMillis)
}
