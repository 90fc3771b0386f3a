import { isStrimziReason } from "../../outcome/StrimziReasons.ts"
import { drillAnnotation } from "../../resource/KafkaBackup.ts"
import * as Format from "../Format.ts"
import * as Overdue from "../Overdue.ts"
import type { Answer } from "../Ready.ts"
import type { ReasonOf } from "../Reasons.ts"
import type { Drill, DrillFacts } from "./DrillFacts.ts"

/** What the answer is made of. */
export interface Question {
  /** `status.drill` of the next status. */
  readonly drill: Drill
  readonly facts: DrillFacts
  /** There is a verified backup. */
  readonly hasBackup: boolean
  readonly nowMillis: number
}

/**
 * Can the newest backup be restored? The newest drill that passed or failed answers, until it is too old. A drill that
 * was stopped or could not be carried out shows nothing, so it changes no answer.
 */
export const answer = (question: Question): Answer<"Restorable"> => {
  const { drill, facts, hasBackup } = question
  const told = (reason: ReasonOf<"Restorable">, ...sentences: ReadonlyArray<string>): Answer<"Restorable"> => ({
    status: reason === "DrillPassed" ? "True" : reason === "DrillFailed" ? "False" : "Unknown",
    reason,
    message: [...sentences, ...news(drill, facts), ...next(drill, facts)].map(Format.sentence).join(" ")
  })
  if (drill.lastResult === "Failed")
    return told("DrillFailed", failed(drill), ...lastPassed(drill), again(drill, facts))
  if (facts.unresolved !== undefined && drill.lastPassedTime === undefined) return told("StrimziUnresolved")
  if (!hasBackup && drill.lastPassedTime === undefined) {
    return told("NoBackupYet", "There is no verified backup yet, so no drill starts")
  }
  if (isOverdue(question)) {
    const since = "No drill has passed for more than two intervals of spec.drill.schedule"
    return told("DrillOverdue", since, ...(drill.lastResult === "Passed" ? [passed(drill)] : []))
  }
  if (drill.lastResult === "Passed") return told("DrillPassed", passed(drill))
  if (facts.refusal !== undefined) {
    return told(isStrimziReason(facts.refusal.reason) ? "StrimziUnresolved" : "JobRefused")
  }
  if (facts.active !== undefined) {
    const { jobName, startMillis } = facts.active
    return told("DrillRunning", `The first drill has been running since ${Format.time(startMillis)}, in Job ${jobName}`)
  }
  return drill.incomplete === undefined
    ? told("AwaitingFirstDrill", "There was no drill yet")
    : told("DrillIncomplete", "No drill has shown yet whether the backup can be restored")
}

/** What a drill that passed shows. Nothing in it changes while it stays the newest. */
export const passed = ({
  backupId = "The newest backup",
  bytes,
  comparedLiveRecords,
  completionTime = "",
  estimatedRestoreSeconds,
  notes,
  records = 0,
  seconds
}: Drill): string => {
  const part = bytes === undefined ? "" : ` in ${Format.bytes(bytes)}`
  const took = seconds === undefined ? "" : ` within ${Format.duration(seconds * 1000)}`
  const live =
    comparedLiveRecords === undefined || comparedLiveRecords === 0
      ? ""
      : ` ${Format.count(comparedLiveRecords)} of them were equal in the topics that were backed up, too.`
  const whole =
    estimatedRestoreSeconds === undefined
      ? ""
      : ` A restore of the whole backup takes about ${Format.duration(estimatedRestoreSeconds * 1000)}.`
  const noted = notes === undefined ? "" : ` Notes of the drill: ${Format.sentence(notes.join("; "))}`
  return `${backupId} can be restored: a drill that ended at ${completionTime} restored and compared ${Format.count(records)} records${part}${took}.${live}${whole}${noted}`
}

/** What a drill that failed says. */
export const failed = ({ backupId = "The newest backup", completionTime = "", detail = "", reason }: Drill): string =>
  `${backupId} could not be restored by the drill that ended at ${completionTime}: ${detail === "" ? (reason ?? "no reason was reported") : detail}`

const lastPassed = ({ lastPassedTime }: Drill): ReadonlyArray<string> => [
  lastPassedTime === undefined ? "No drill has passed yet" : `The last drill that passed ended at ${lastPassedTime}`
]

const byHand = `To drill again, set annotation ${drillAnnotation} to a new value`

const again = (_drill: Drill, { active }: DrillFacts): string =>
  active === undefined ? byHand : `A drill has been running since ${Format.time(active.startMillis)}`

/** What keeps the next drill from starting, before it is due. */
export const unstartable = ({ message, reason }: NonNullable<DrillFacts["unresolved"]>): string =>
  `No drill can be started: ${reason}: ${message}`

/** What has happened since, and shows nothing. */
const news = (
  { incomplete, leftTopics, trouble }: Drill,
  { active, refusal, unresolved }: DrillFacts
): ReadonlyArray<string> => [
  ...(unresolved === undefined ? [] : [unstartable(unresolved)]),
  ...(refusal === undefined ? [] : [`A drill is due but was not started: ${trouble?.message ?? refusal.message}`]),
  ...(active?.trouble === undefined
    ? []
    : [`The pod of Job ${active.jobName} is in trouble: ${trouble?.message ?? active.trouble.message}`]),
  ...(incomplete === undefined
    ? []
    : [`The drill that ended at ${incomplete.completionTime} was not completed: ${incomplete.message}`]),
  ...(leftTopics === undefined
    ? []
    : [
        `${leftTopics === 1 ? "1 scratch topic" : `${Format.count(leftTopics)} scratch topics`} could not be deleted; the next drill deletes what is left`
      ])
]

const next = ({ nextDrillTime }: Drill, { active, queue, state }: DrillFacts): ReadonlyArray<string> => {
  if (queue !== undefined) {
    return [
      `A drill has been due since ${Format.time(queue.sinceMillis)}. It waits, because the operator runs at most ${queue.limit} at the same time`
    ]
  }
  if (active !== undefined) return []
  if (state._tag === "Suspended") {
    return ["Suspended: no scheduled drill starts until spec.drill.suspend is false; the annotation still works"]
  }
  return nextDrillTime === undefined ? [] : [`The next drill is at ${nextDrillTime}`]
}

/** While suspended nothing is late. */
const isOverdue = ({ drill, facts: { memory, schedule, state }, nowMillis }: Question): boolean =>
  state._tag === "Scheduled" &&
  Overdue.isOverdue({
    schedule,
    intervalSeconds: state.intervalSeconds,
    succeededMillis: drill.lastPassedTime === undefined ? undefined : Format.millis(drill.lastPassedTime),
    sinceMillis: memory.sinceMillis,
    nowMillis
  })
