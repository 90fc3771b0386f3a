import type { Job, ObjectCondition, Pod } from "../../kubernetes/Objects.ts"
import * as JobFacts from "./JobFacts.ts"
import * as JobStart from "./JobStart.ts"

/** How a Job ended. */
export type JobEnd =
  | { readonly _tag: "Complete"; readonly endMillis: number | undefined }
  | {
      readonly _tag: "Failed"
      readonly endMillis: number | undefined
      readonly condition: ObjectCondition
      /** Kubernetes announced this end and does not finish it. */
      readonly isStuck: boolean
    }
  /** One of its pods does not stop, mostly because its node is lost, and Kubernetes may never end the Job. */
  | { readonly _tag: "Lost"; readonly endMillis: number; readonly pod: string }
  /** No container of it has started in time, and Kubernetes would wait for ever. */
  | { readonly _tag: "NotStarted"; readonly endMillis: number; readonly deadlineSeconds: number }
  /** It was deleted before it ended. */
  | { readonly _tag: "Deleted"; readonly endMillis: undefined }

/** How long after its grace period a pod may take to stop before the operator gives it up, in milliseconds. */
const patienceMillis = 5 * 60_000

/**
 * How the Job ended; undefined while it has not. Only its final conditions count: FailureTarget and SuccessCriteriaMet
 * announce an end while pods are still at work. Where a pod does not stop, the final condition may never come.
 * `startDeadlineSeconds` bounds the wait for the start of a container.
 */
export const of = (
  job: Job,
  ownPods: ReadonlyArray<Pod>,
  nowMillis: number,
  startDeadlineSeconds?: number
): JobEnd | undefined => {
  const complete = JobFacts.condition(job, "Complete")
  if (complete !== undefined) {
    const endMillis = JobFacts.millis(job.status?.completionTime) ?? JobFacts.millis(complete.lastTransitionTime)
    return { _tag: "Complete", endMillis }
  }
  const failed = JobFacts.condition(job, "Failed")
  if (failed !== undefined) {
    const endMillis = JobFacts.millis(failed.lastTransitionTime)
    return { _tag: "Failed", condition: failed, isStuck: false, endMillis }
  }
  const unfinished = ownPods.filter((pod) => !JobFacts.isOver(pod))
  // A pod's deletionTimestamp is when its grace period ends.
  const lateSince = ({ metadata: { deletionTimestamp } }: Pod) => {
    const since = JobFacts.millis(deletionTimestamp)
    return since !== undefined && nowMillis - since >= patienceMillis ? since : undefined
  }
  const late = unfinished.find((pod) => lateSince(pod) !== undefined)
  if (late !== undefined && unfinished.every((pod) => lateSince(pod) !== undefined)) {
    return { _tag: "Lost", endMillis: lateSince(late)!, pod: late.metadata.name }
  }
  const target = JobFacts.condition(job, "FailureTarget")
  if (target === undefined) return notStarted(job, ownPods, nowMillis, startDeadlineSeconds)
  if (unfinished.length > 0) return undefined
  const since = JobFacts.millis(target.lastTransitionTime)
  return since !== undefined && nowMillis - since >= patienceMillis
    ? { _tag: "Failed", condition: target, isStuck: true, endMillis: since }
    : undefined
}

const notStarted = (
  job: Job,
  ownPods: ReadonlyArray<Pod>,
  nowMillis: number,
  deadlineSeconds: number | undefined
): JobEnd | undefined => {
  if (deadlineSeconds === undefined) return undefined
  const since = JobStart.waitingSinceMillis(job, ownPods, nowMillis)
  if (since === undefined) return undefined
  const endMillis = since + deadlineSeconds * 1000
  return nowMillis >= endMillis ? { _tag: "NotStarted", endMillis, deadlineSeconds } : undefined
}
