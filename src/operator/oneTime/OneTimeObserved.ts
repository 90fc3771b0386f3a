import type { Event, Job, KubeObject, Pod } from "../../kubernetes/Objects.ts"
import type { Problem } from "../../resource/Problem.ts"
import * as Format from "../../status/Format.ts"
import type { Key } from "../InformerCache.ts"
import * as JobFacts from "../jobs/JobFacts.ts"
import * as Labels from "../Labels.ts"
import type { OneTimeCaches } from "./OneTimeCaches.ts"
import * as OneTimeJobState from "./OneTimeJobState.ts"

/** One Job of the resource, its pods, and its state. */
export interface ObservedJob {
  readonly job: Job
  readonly pods: ReadonlyArray<Pod>
  readonly state: OneTimeJobState.OneTimeJobState
}

/** What is known of every resource that Jobs carry out once. Instants are milliseconds since 1970. */
export interface OneTimeObserved {
  readonly key: Key
  readonly resource: KubeObject
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly generation: number
  /** Everything that is wrong with the spec. */
  readonly problems: ReadonlyArray<Problem>
  /** The Jobs of its attempts. */
  readonly jobs: ReadonlyArray<ObservedJob>
  /** By the status, or by what a pod left behind. */
  readonly startedWritingMillis: number | undefined
  readonly nowMillis: number
}

/** What is at hand of a resource: the caches, and when it is looked at. */
export interface Seen {
  readonly caches: Pick<OneTimeCaches, "jobs" | "pods">
  readonly resource: KubeObject
  readonly nowMillis: number
  /** Events about Jobs that are stuck. */
  readonly events: ReadonlyArray<Event>
}

type Purpose = "restore" | "offsets"

const ownOf = ({ caches, resource: { metadata } }: Pick<Seen, "caches" | "resource">) => {
  const { name, namespace = "", uid = "" } = metadata
  const key = `${namespace}/${name}`
  return { key, uid, pods: caches.pods.ofOwner(key).filter((pod) => pod.metadata.labels?.[Labels.uidLabel] === uid) }
}

/** The resource's Jobs of this purpose, each with its pods and its state. Pure. */
export const jobsFor = (seen: Seen, purpose: Purpose): ReadonlyArray<ObservedJob> => {
  const { key, pods, uid } = ownOf(seen)
  return seen.caches.jobs
    .ofOwner(key)
    .filter((job) => JobFacts.isFor(job, uid) && JobFacts.purpose(job) === purpose)
    .map((job): ObservedJob => {
      const own = JobFacts.podsOf(job, pods)
      return { job, pods: own, state: OneTimeJobState.read(job, own, seen.nowMillis, seen.events, purpose) }
    })
}

/** Observes what every such resource has. Pure; `purpose` is that of the Jobs of its attempts. */
export const of = (
  seen: Seen,
  problems: ReadonlyArray<Problem>,
  previous: { readonly startedWriting?: string },
  purpose: Purpose
): OneTimeObserved => {
  const { nowMillis, resource } = seen
  const { generation = 0, name, namespace = "" } = resource.metadata
  const { key, pods, uid } = ownOf(seen)
  return {
    key,
    resource,
    namespace,
    name,
    uid,
    generation,
    problems,
    jobs: jobsFor(seen, purpose),
    startedWritingMillis:
      previous.startedWriting === undefined
        ? OneTimeJobState.startedWritingMillis(pods)
        : Format.millis(previous.startedWriting),
    nowMillis
  }
}
