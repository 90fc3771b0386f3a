import type { Event, Job, Pod } from "../../kubernetes/Objects.ts"
import type { EndedDrill } from "../../status/drill/DrillFacts.ts"
import { isReported } from "../Caches.ts"
import * as JobFacts from "../jobs/JobFacts.ts"
import * as Observed from "../Observed.ts"
import * as StartDeadline from "../StartDeadline.ts"
import * as DrillJobState from "./DrillJobState.ts"

/** One Job of a drill, its pods, and its state. */
export interface ObservedDrill {
  readonly job: Job
  readonly pods: ReadonlyArray<Pod>
  readonly state: DrillJobState.DrillJobState
}

/** The Jobs of drills among those of a resource. Pure; `events` are those about Jobs that are stuck. */
export const of = (
  { backup, jobs, nowMillis }: Pick<Observed.Observed, "backup" | "jobs" | "nowMillis">,
  events: ReadonlyArray<Event> = []
): ReadonlyArray<ObservedDrill> =>
  jobs
    .filter(({ job }) => JobFacts.purpose(job) === "drill")
    .map(({ job, pods }) => {
      const deadline = StartDeadline.seconds(backup?.spec, "schedule")
      return { job, pods, state: DrillJobState.read(job, pods, nowMillis, events, deadline) }
    })

/** The drill that is not over. */
export const active = (drills: ReadonlyArray<ObservedDrill>): ObservedDrill | undefined =>
  drills.find(({ state }) => state._tag === "Active")

/** Drills whose end is not in the status yet. */
export const unreported = (drills: ReadonlyArray<ObservedDrill>): ReadonlyArray<ObservedDrill> =>
  drills.filter(({ job, state }) => state._tag === "Ended" && !isReported(job))

/** The ends of these drills, oldest first. */
export const ends = (drills: ReadonlyArray<ObservedDrill>): ReadonlyArray<EndedDrill> =>
  drills
    .flatMap(({ job, state }) =>
      state._tag !== "Ended" ? [] : [isReported(job) ? { ...state.drill, isRecalled: true } : state.drill]
    )
    .toSorted((a, b) => a.endMillis - b.endMillis)

/** The latest slot that has a drill: it was started, even if the status has forgotten it. */
export const startedSlotMillis = (drills: ReadonlyArray<ObservedDrill>): number | undefined => {
  const slots = drills.flatMap(({ job }) => {
    const cause = Observed.causeOf(job)
    return cause._tag === "Slot" ? [cause.slotMillis] : []
  })
  return slots.length === 0 ? undefined : Math.max(...slots)
}
