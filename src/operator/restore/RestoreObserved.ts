import { Result } from "effect"
import type { Event, Job, KubeObject, Pod } from "../../kubernetes/Objects.ts"
import * as KafkaRestore from "../../resource/KafkaRestore.ts"
import type { Problem } from "../../resource/Problem.ts"
import * as Previous from "../../status/Previous.ts"
import type { RestoreStatus } from "../../status/restore/RestoreFacts.ts"
import * as Format from "../../status/Format.ts"
import type { Key } from "../InformerCache.ts"
import * as JobFacts from "../jobs/JobFacts.ts"
import * as Labels from "../Labels.ts"
import type { RestoreCaches } from "./RestoreCaches.ts"
import * as RestoreJobState from "./RestoreJobState.ts"

/** One Job of the restore, its pods, and its state. */
export interface ObservedJob {
  readonly job: Job
  readonly pods: ReadonlyArray<Pod>
  readonly state: RestoreJobState.RestoreJobState
}

/** One restore with everything that the caches hold about it. Instants are milliseconds since 1970. */
export interface RestoreObserved {
  readonly key: Key
  readonly resource: KubeObject
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly generation: number
  readonly restore: KafkaRestore.KafkaRestore | undefined
  readonly problems: ReadonlyArray<Problem>
  readonly previous: RestoreStatus
  readonly jobs: ReadonlyArray<ObservedJob>
  /** The Jobs that repeat the group step of a complete restore. */
  readonly groupJobs: ReadonlyArray<ObservedJob>
  /** By the status, or by what a pod left behind. */
  readonly startedWritingMillis: number | undefined
  readonly nowMillis: number
}

/** Observes one restore. Pure; `events` are those about its stuck Jobs. */
export const of = (
  caches: Pick<RestoreCaches, "jobs" | "pods">,
  resource: KubeObject,
  nowMillis: number,
  events: ReadonlyArray<Event> = []
): RestoreObserved => {
  const { generation, name, namespace = "", uid = "" } = resource.metadata
  const key = `${namespace}/${name}`
  const { status, ...desired } = resource
  const parsed = KafkaRestore.fromServer(desired)
  const pods = caches.pods.ofOwner(key).filter((pod) => pod.metadata.labels?.[Labels.uidLabel] === uid)
  const previous = Previous.readRestore(status)
  const jobsFor = (purpose: "restore" | "offsets") =>
    caches.jobs
      .ofOwner(key)
      .filter((job) => JobFacts.isFor(job, uid) && JobFacts.purpose(job) === purpose)
      .map((job): ObservedJob => {
        const own = JobFacts.podsOf(job, pods)
        return { job, pods: own, state: RestoreJobState.read(job, own, nowMillis, events, purpose) }
      })
  return {
    key,
    resource,
    namespace,
    name,
    uid,
    generation: generation ?? 0,
    restore: Result.isSuccess(parsed) ? parsed.success : undefined,
    problems: Result.isFailure(parsed) ? parsed.failure.problems : [],
    previous,
    jobs: jobsFor("restore"),
    groupJobs: jobsFor("offsets"),
    startedWritingMillis:
      previous.startedWriting === undefined
        ? RestoreJobState.startedWritingMillis(pods)
        : Format.millis(previous.startedWriting),
    nowMillis
  }
}
