import { maxDrillNotes } from "../../resource/DrillStatus.ts"
import { given } from "../../resource/Json.ts"
import * as Format from "../Format.ts"
import * as ScheduleFields from "../ScheduleFields.ts"
import type { Drill, DrillFacts, DrillObservation, EndedDrill } from "./DrillFacts.ts"

/** Most bytes of one text. */
const maxTextBytes = 1024

const prose = (text: string): string => Format.cut(Format.line(text), maxTextBytes)

/** A pod's report has at most 1000 bytes of notes, unless somebody else wrote it. */
const note = (text: string): string => Format.cut(Format.line(text), 512)

/**
 * The next `status.drill`; undefined where there is to be none. Total, and a function of its arguments alone: with its
 * own answer as the previous one it gives the same answer.
 */
export const next = (previous: Drill | undefined, observation: DrillObservation): Drill | undefined => {
  switch (observation._tag) {
    case "None":
      return undefined
    case "Unchanged":
      return previous
    case "Found":
      return found(previous ?? {}, observation.facts)
  }
}

const found = (previous: Drill, facts: DrillFacts): Drill => {
  const { active, state } = facts
  const kept = facts.ended.filter((drill) => !isReported(previous, drill)).reduce(taken, result(previous))
  const trouble = facts.refusal ?? facts.unresolved ?? active?.trouble
  return {
    phase: active === undefined ? endPhase(kept) : "Running",
    ...kept,
    ...(active === undefined
      ? {}
      : {
          active: { jobName: active.jobName, cause: active.cause, startTime: Format.time(active.startMillis) }
        }),
    ...(trouble === undefined ? {} : { trouble: { reason: trouble.reason, message: prose(trouble.message) } }),
    ...(state._tag === "Scheduled" || state._tag === "ClockBehind"
      ? { nextDrillTime: Format.time(state.nextMillis) }
      : {}),
    ...ScheduleFields.write(facts.memory)
  }
}

const endPhase = ({ incomplete, lastResult }: Drill): NonNullable<Drill["phase"]> =>
  incomplete === undefined ? (lastResult ?? "Pending") : "Incomplete"

/** The status tells the end of this drill. */
const tells = ({ incomplete, jobName }: Drill, drill: Pick<EndedDrill, "jobName">): boolean =>
  jobName === drill.jobName || incomplete?.jobName === drill.jobName

/** The status tells the end of this drill, or of one that ended later. */
const isReported = (previous: Drill, drill: EndedDrill): boolean =>
  tells(previous, drill) ||
  [previous.completionTime, previous.incomplete?.completionTime].some(
    (time) => time !== undefined && Format.millis(time) >= drill.endMillis
  )

/** `next` is the first status that tells the end of this drill. */
export const isNews = (previous: Drill | undefined, next: Drill | undefined, drill: EndedDrill): boolean =>
  next !== undefined && drill.isRecalled !== true && tells(next, drill) && !isReported(previous ?? {}, drill)

/** What the status says about drills that ended. */
const result = (previous: Drill): Drill => {
  const {
    active: _active,
    handledTrigger: _handledTrigger,
    lastScheduledTime: _lastScheduledTime,
    nextDrillTime: _nextDrillTime,
    observedSchedule: _observedSchedule,
    pendingTrigger: _pendingTrigger,
    phase: _phase,
    scheduledSince: _scheduledSince,
    skippedSlots: _skippedSlots,
    trouble: _trouble,
    ...rest
  } = previous
  return rest
}

const taken = (kept: Drill, drill: EndedDrill): Drill => {
  const { backupId, endMillis, jobName, message, notes = [], outcome, startMillis, summary } = drill
  const reason = Format.cut(drill.reason ?? "JobFailed", 128)
  const text = prose(message ?? "no reason was reported")
  const completionTime = Format.time(endMillis)
  if (outcome === "incomplete") return { ...kept, incomplete: { jobName, completionTime, reason, message: text } }
  return given({
    lastResult: outcome === "passed" ? ("Passed" as const) : ("Failed" as const),
    jobName,
    backupId: backupId === undefined ? undefined : Format.cut(Format.line(backupId), 512),
    capturedTime: instant(summary?.capturedAt),
    drillTime: Format.time(startMillis),
    completionTime,
    topics: summary?.topics,
    partitions: summary?.partitions,
    records: summary?.records,
    bytes: summary?.bytes,
    seconds: summary?.seconds,
    estimatedRestoreSeconds: summary?.estimatedSeconds,
    comparedLiveRecords: summary?.comparedLiveRecords,
    leftTopics: summary === undefined || summary.leftTopicCount === 0 ? undefined : summary.leftTopicCount,
    notes: notes.length === 0 ? undefined : notes.slice(0, maxDrillNotes).map(note),
    ...(outcome === "passed" ? {} : { reason, detail: text }),
    lastPassedTime: outcome === "passed" ? completionTime : kept.lastPassedTime
  })
}

/** Anybody who may write a pod's status may put any text there. */
const instant = (text: string | undefined): string | undefined => {
  const millis = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(millis) ? undefined : Format.time(millis)
}
