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
  const current = own.find((pod) => !JobFacts.isOver(pod))
  if (current !== undefined && podStarted(current)) return undefined
  if (!hasStarted(job, own)) return JobFacts.startMillis(job, nowMillis)
  if (current !== undefined) return JobFacts.millis(current.metadata.creationTimestamp)
  const ends = own.flatMap((pod) => JobFacts.millis(JobFacts.terminated(pod)?.finishedAt) ?? [])
  return ends.length === 0 ? undefined : Math.max(...ends) + longestBackoffMillis
}
