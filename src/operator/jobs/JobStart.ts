import type { Job, Pod } from "../../kubernetes/Objects.ts"
import * as JobFacts from "./JobFacts.ts"

/** Longest pause of the Job controller between two attempts, in milliseconds. */
const longestBackoffMillis = 360_000

/** True when the pod's backup container runs or ran, also where that could not be executed. */
export const podStarted = (pod: Pod): boolean =>
  JobFacts.isRunning(pod) || JobFacts.terminated(pod) !== undefined || pod.status?.phase === "Succeeded"

/**
 * True when a container of the Job runs or ran. Total counts of the Job count too: pods that ended may be gone.
 */
export const hasStarted = (job: Job, own: ReadonlyArray<Pod>): boolean =>
  own.some(podStarted) || JobFacts.countsAttempts(job)

/**
 * Since when the Job waits for a container to start, in milliseconds since 1970: from its own start, and after the
 * first attempt from when the newest pod was created. Undefined while a container runs, and after its end until the
 * next attempt is overdue.
 */
export const waitingSinceMillis = (job: Job, own: ReadonlyArray<Pod>, nowMillis: number): number | undefined => {
  const open = own.filter((pod) => !JobFacts.isOver(pod))
  if (open.some(podStarted)) return undefined
  if (!hasStarted(job, own)) return JobFacts.startMillis(job, nowMillis)
  const ends = own.flatMap((pod) => JobFacts.millis(JobFacts.terminated(pod)?.finishedAt) ?? [])
  const [current] = open
  if (current !== undefined) {
    const created = JobFacts.millis(current.metadata.creationTimestamp)
    // The pod of a shard may have to wait for the room that another one leaves.
    return created === undefined ? undefined : Math.max(created, ...ends)
  }
  return ends.length === 0 ? undefined : Math.max(...ends) + longestBackoffMillis
}
