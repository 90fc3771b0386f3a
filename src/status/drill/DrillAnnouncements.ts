import { drillAnnotation } from "../../resource/KafkaBackup.ts"
import type { EventReasonName } from "../EventReasons.ts"
import * as Format from "../Format.ts"
import type { Status } from "../Status.ts"
import type { DrillFacts, DrillObservation } from "./DrillFacts.ts"
import * as NextDrill from "./NextDrill.ts"
import * as Restorable from "./Restorable.ts"

/** A reason and its note. */
export type Note = readonly [EventReasonName, string]

/** What to announce about drills now that `next` follows `previous`. Only what is new. */
export const notes = (previous: Status, observation: DrillObservation, next: Status): ReadonlyArray<Note> =>
  observation._tag !== "Found"
    ? []
    : [
        ...ended(previous, observation.facts, next),
        ...started(previous, observation.facts),
        ...usedBefore(previous, observation.facts),
        ...trouble(previous, observation.facts, next),
        ...overdue(previous, next)
      ]

const because = { schedule: "by schedule", trigger: "by annotation" } as const

const started = ({ drill }: Status, { active }: DrillFacts): ReadonlyArray<Note> =>
  active === undefined || drill?.active?.jobName === active.jobName
    ? []
    : [["DrillStarted", `A drill started ${because[active.cause]}, in Job ${active.jobName}`]]

/** Each end once. Of several that ended since the last reconcile the status has the newest. */
const ended = (previous: Status, facts: DrillFacts, { drill: now = {} }: Status): ReadonlyArray<Note> =>
  facts.ended.flatMap((drill): ReadonlyArray<Note> => {
    if (!NextDrill.isNews(previous.drill, now, drill)) return []
    switch (drill.outcome) {
      case "passed":
        return [["DrillPassed", Restorable.passed(now)]]
      case "failed":
        return [["DrillFailed", Restorable.failed(now)]]
      case "incomplete":
        return [["DrillIncomplete", `A drill was not completed: ${now.incomplete?.message ?? ""}`]]
    }
  })

const usedBefore = ({ drill }: Status, { usedBefore: token }: DrillFacts): ReadonlyArray<Note> =>
  token === undefined || drill?.handledTrigger === token
    ? []
    : [
        [
          "TriggerHandledBefore",
          `The value of annotation ${drillAnnotation} was used before, and its drill has ended. Set it to a new value for a new drill.`
        ]
      ]

/** Once for each kind of trouble: the words may change with every reconcile. */
const trouble = (previous: Status, { unresolved }: DrillFacts, { drill }: Status): ReadonlyArray<Note> => {
  const now = drill?.trouble
  if (now === undefined || previous.drill?.trouble?.reason === now.reason) return []
  if (unresolved !== undefined) return [["DrillTrouble", Format.sentence(Restorable.unstartable(unresolved))]]
  const what = drill?.active === undefined ? "A drill is due but was not started" : `Job ${drill.active.jobName}`
  return [["DrillTrouble", `${what}: ${Format.sentence(now.message)}`]]
}

const overdue = (previous: Status, next: Status): ReadonlyArray<Note> => {
  const of = ({ conditions }: Status) => conditions?.find(({ type }) => type === "Restorable")
  const now = of(next)
  return now?.reason === "DrillOverdue" && of(previous)?.reason !== now.reason ? [["DrillOverdue", now.message]] : []
}
