import { given } from "../../resource/Json.ts"
import * as Evidence from "../Evidence.ts"
import type { EndedRun, Facts } from "../Facts.ts"
import * as Format from "../Format.ts"
import type { Status } from "../Status.ts"
import type { EndedCheck, Pacing, Preflight, PreflightFacts } from "./PreflightFacts.ts"

/** Most bytes of one text. */
const maxTextBytes = 2048

const prose = (text: string): string => Format.cut(Format.line(text), maxTextBytes)
const word = (text: string): string => Format.cut(Format.line(text), 128)

/** A check that failed is repeated after this time, in milliseconds; doubled with each failure up to the longest. */
const firstWaitMillis = 5 * 60_000
const longestWaitMillis = 60 * 60_000

export const waitMillis = (failures: number): number =>
  Math.min(longestWaitMillis, firstWaitMillis * 2 ** Math.min(10, Math.max(0, failures - 1)))

/** Between three quarters and the whole of the interval, so that resources that were proven together part. */
const restMillis = ({ everyMillis, share }: Pacing): number | undefined =>
  everyMillis === undefined ? undefined : everyMillis * (0.75 + share / 4)

const timeAfter = (millis: number, waitedMillis: number | undefined): string | undefined =>
  waitedMillis === undefined ? undefined : Format.time(millis + waitedMillis)

type Ended = Pick<Facts, "generation" | "ended">

/**
 * What is known about the resource before a check is decided: the status, and the runs that ended since. A resource
 * that an operator without checks reported on, and that has a backup, counts as proven; its first check comes at its
 * own time within the interval, so that an upgrade does not start all of them at once.
 */
export const known = (
  previous: Status,
  { ended, generation }: Ended,
  { everyMillis, isWanted, share }: Pacing & Pick<PreflightFacts, "isWanted">,
  nowMillis: number
): Preflight | undefined => {
  const before = previous.preflight ?? (isWanted ? adopted(previous) : undefined)
  if (before === undefined && !isWanted) return undefined
  const told = ended
    .filter(({ outcome }) => outcome === "success")
    .reduce((kept, run) => afterRun(kept, run, generation, { everyMillis, share }), before ?? {})
  const isUnplanned = everyMillis !== undefined && isWanted && told.generation !== undefined
  return isUnplanned && told.nextProbeTime === undefined
    ? { ...told, nextProbeTime: Format.time(nowMillis + everyMillis * share) }
    : told
}

/** The status of an operator that did not check: what it says of the newest backup is evidence, too. */
const adopted = (previous: Status): Preflight | undefined => {
  const { lastBackupCompletionTime, lastBackupId, lastBackupTime, observedGeneration } = previous
  if (lastBackupId === undefined || observedGeneration === undefined) return undefined
  return given({
    generation: observedGeneration,
    outcome: "Passed" as const,
    lastProbeTime: lastBackupCompletionTime ?? lastBackupTime,
    by: lastBackupId
  })
}

const isNewer = (millis: number, time: string | undefined): boolean =>
  time === undefined || millis > Format.millis(time)

const afterRun = (
  kept: Preflight,
  { backupId, endMillis, generation: own }: EndedRun,
  generation: number,
  pacing: Pacing
): Preflight => {
  const lastProbeTime = Format.time(endMillis)
  const side = { reached: true, lastProbeTime, by: backupId }
  const reached = {
    kafka: isNewer(endMillis, kept.kafka?.lastProbeTime) ? side : kept.kafka,
    storage: isNewer(endMillis, kept.storage?.lastProbeTime) ? side : kept.storage
  }
  const isOlder = kept.generation === generation && !isNewer(endMillis, kept.lastProbeTime)
  if (own !== generation || isOlder) return given({ ...kept, ...reached })
  const { failures: _failures, incomplete: _incomplete, message: _message, reason: _reason, ...rest } = kept
  return given({
    ...rest,
    ...reached,
    generation,
    outcome: "Passed" as const,
    lastProbeTime,
    by: backupId,
    nextProbeTime: timeAfter(endMillis, restMillis(pacing))
  })
}

/** The status tells the end of this check, or of something later. */
const isTold = (kept: Preflight, { endMillis, generation, jobName }: EndedCheck): boolean => {
  const { by, incomplete, lastProbeTime } = kept
  const isLater = (time: string | undefined) =>
    time !== undefined && Format.millis(time) > Math.floor(endMillis / 1000) * 1000
  const isIncomplete = incomplete?.generation === generation
  return (
    by === jobName ||
    (kept.generation === generation && isLater(lastProbeTime)) ||
    (isIncomplete && (incomplete.jobName === jobName || isLater(incomplete.completionTime)))
  )
}

/** The next `status.preflight`. Total, and a function of its arguments alone; a fixed point of itself. */
export const next = (
  previous: Status,
  facts: Pick<Facts, "generation" | "ended" | "preflight">,
  nowMillis: number
): Preflight | undefined => {
  if (facts.preflight._tag === "Unchanged") return previous.preflight
  const found = facts.preflight.facts
  const before = known(previous, facts, found, nowMillis)
  const told = found.ended
    .filter(({ generation }) => generation === facts.generation)
    .reduce((kept, check) => afterCheck(kept, check, found, previous.preflight?.trouble), before ?? {})
  const { trouble: _trouble, ...rest } = told
  const kept = found.active?.isEnding === true ? previous.preflight?.trouble : undefined
  const trouble = found.refusal ?? found.active?.trouble ?? kept
  const all = given({
    ...rest,
    // Says that this operator knows of checks: what an earlier one wrote is taken over once, see `adopted`.
    outcome: told.outcome ?? (found.isWanted ? ("Pending" as const) : undefined),
    handledCheck: found.handledCheck ?? told.handledCheck,
    trouble: trouble === undefined ? undefined : { reason: word(trouble.reason), message: prose(trouble.message) }
  })
  return Object.keys(all).length === 0 ? undefined : all
}

/** The generation that the newest check was about, whether or not it has an answer. */
export const isTried = ({ generation, incomplete }: Preflight, current: number): boolean =>
  generation === current || incomplete?.generation === current

const afterCheck = (kept: Preflight, check: EndedCheck, pacing: Pacing, trouble: Preflight["trouble"]): Preflight => {
  if (isTold(kept, check)) return kept
  const { endMillis, generation, jobName } = check
  const time = Format.time(endMillis)
  const failures = (isTried(kept, generation) ? (kept.failures ?? 0) : 0) + 1
  const again = timeAfter(endMillis, waitMillis(failures))
  const reason = word(check.reason ?? "JobFailed")
  const text = check.message ?? "no reason was reported"
  if (check.outcome === "incomplete") {
    // Its pods are gone with the Job's deadline, and with them what kept them from starting.
    const why = trouble === undefined ? text : `${text}; ${trouble.reason}: ${trouble.message}`
    const incomplete = { generation, jobName, completionTime: time, reason, message: prose(why) }
    return given({ ...kept, incomplete, failures, nextProbeTime: again })
  }
  const { failures: _failures, incomplete: _incomplete, message: _message, reason: _reason, ...rest } = kept
  const common = { ...rest, generation, lastProbeTime: time, by: jobName }
  if (check.outcome === "passed") {
    const side = { reached: true, lastProbeTime: time, by: jobName }
    const nextProbeTime = timeAfter(endMillis, restMillis(pacing))
    const newest = (before: Preflight["kafka"]) => (isNewer(endMillis, before?.lastProbeTime) ? side : before)
    const sides = { kafka: newest(kept.kafka), storage: newest(kept.storage) }
    return given({ ...common, ...sides, outcome: "Passed" as const, nextProbeTime })
  }
  return given({
    ...common,
    outcome: "Failed" as const,
    reason,
    message: prose(text),
    kafka: side("kafka", kept.kafka, check),
    storage: side("storage", kept.storage, check),
    failures,
    nextProbeTime: again
  })
}

/** What a check that failed shows about one side; where it shows nothing, what was known stays. */
const side = (
  which: "kafka" | "storage",
  before: Preflight["kafka"],
  { endMillis, failures, jobName, message, reason }: EndedCheck
): Preflight["kafka"] => {
  const told = { lastProbeTime: Format.time(endMillis), by: jobName }
  // Without a report of the pod nothing is known about either.
  if (failures.length === 0 || !isNewer(endMillis, before?.lastProbeTime)) return before
  const failure = failures.find((one) => one.side === which)
  if (failure === undefined) return { reached: true, ...told }
  // Of a run nobody knows whose Secret it was; a check says it.
  const isReached = failure.reason === "SecretUnusable" ? false : Evidence.shows(failure.reason, which)
  if (isReached === undefined) return before
  if (isReached) return { reached: true, ...told }
  const text = reason === failure.reason && message !== undefined ? message : `${failure.message}; ${failure.advice}`
  return { reached: false, ...told, reason: word(failure.reason), message: prose(text) }
}
