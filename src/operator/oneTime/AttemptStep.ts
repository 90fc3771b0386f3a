import { isReported } from "../Caches.ts"
import * as NextAttempt from "./NextAttempt.ts"
import type { ObservedJob } from "./OneTimeObserved.ts"

/** What decides, beside the Jobs. */
export interface Standing extends Pick<
  NextAttempt.NextAttemptInput,
  "wanted" | "isUsable" | "isCompleted" | "isEditTooLate" | "hasStartedWriting"
> {
  /** The Job that the status names, and whether its end is in the status. */
  readonly known: NextAttempt.NextAttemptInput["known"]
}

const endMillis = ({ state }: ObservedJob): number => (state._tag === "Ended" ? state.restore.endMillis : 0)

/** The next step, the Job that is not over, and the Jobs whose end is to be reported, the newest last. */
export const of = (jobs: ReadonlyArray<ObservedJob>, standing: Standing) => {
  const unfinished = jobs.find(({ state }) => state._tag === "Active")
  const unreported = jobs
    .filter(({ job, state }) => state._tag === "Ended" && !isReported(job))
    .toSorted((a, b) => endMillis(a) - endMillis(b))
  const { known, wanted } = standing
  const isWantedOver = jobs.some(({ job, state }) => job.metadata.name === wanted && state._tag === "Ended")
  // The status may have forgotten the end of the Job that the resource asks for, which is still there.
  const forgotten = known === undefined && isWantedOver ? wanted : undefined
  const step = NextAttempt.next({
    ...standing,
    isWantedOver,
    unfinished:
      unfinished === undefined
        ? undefined
        : {
            name: unfinished.job.metadata.name,
            isBeingDeleted: unfinished.job.metadata.deletionTimestamp !== undefined
          },
    unreported: unreported.at(-1)?.job.metadata.name ?? forgotten
  })
  return { step, unfinished, unreported }
}
