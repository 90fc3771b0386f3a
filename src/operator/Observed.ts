import { Result } from "effect"
import type { Event, Job, KubeObject, Pod } from "../kubernetes/Objects.ts"
import type { CatalogueSummary } from "../outcome/RunSummary.ts"
import type { RunCause } from "../schedule/RunCause.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import * as ManifestParser from "../resource/ManifestParser.ts"
import type { Problem } from "../resource/Problem.ts"
import type { ActiveRun, EndedMaintenance, EndedRun } from "../status/Facts.ts"
import * as Previous from "../status/Previous.ts"
import type { Status } from "../status/Status.ts"
import * as Caches from "./Caches.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
import * as JobState from "./jobs/JobState.ts"
import * as Labels from "./Labels.ts"
import type { Key } from "./InformerCache.ts"

/** One Job of the resource and what it tells. */
export interface ObservedJob {
  readonly job: Job
  readonly pods: ReadonlyArray<Pod>
  readonly reading: JobState.JobState
}

/** One resource with everything about it that is known without asking anybody. Instants are milliseconds since 1970. */
export interface Observed {
  readonly key: Key
  readonly resource: KubeObject
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly generation: number
  readonly createdMillis: number
  readonly backup: KafkaBackup | undefined
  readonly problems: ReadonlyArray<Problem>
  readonly previous: Status
  readonly jobs: ReadonlyArray<ObservedJob>
  readonly nowMillis: number
}

/** Looks at one resource. Pure; `events` are those about Jobs that cannot get on. */
export const of = (
  caches: Pick<Caches.Caches, "jobs" | "pods">,
  resource: KubeObject,
  nowMillis: number,
  events: ReadonlyArray<Event> = []
): Observed => {
  const { creationTimestamp, generation, name, namespace = "", uid = "" } = resource.metadata
  const key = `${namespace}/${name}`
  // The status is read apart: of a long history that is most of the work.
  const { status, ...asked } = resource
  const parsed = ManifestParser.fromServer(asked)
  const pods = caches.pods.ofOwner(key).filter((pod) => pod.metadata.labels?.[Labels.uidLabel] === uid)
  return {
    key,
    resource,
    namespace,
    name,
    uid,
    generation: generation ?? 0,
    createdMillis: JobFacts.millis(creationTimestamp) ?? nowMillis,
    backup: Result.isSuccess(parsed) ? parsed.success : undefined,
    problems: Result.isFailure(parsed) ? parsed.failure.problems : [],
    previous: Previous.read(status),
    jobs: caches.jobs
      .ofOwner(key)
      .filter((job) => JobFacts.isFor(job, uid))
      .map((job) => ({
        job,
        pods: JobFacts.podsOf(job, pods),
        reading: JobState.read(job, pods, nowMillis, events)
      })),
    nowMillis
  }
}

/** What the Jobs of a resource tell together. */
export interface OwnedJobs {
  readonly active: ActiveRun | undefined
  readonly activeJob: ObservedJob | undefined
  /** Jobs that are not over, maintenance included. */
  readonly unfinished: ReadonlyArray<ObservedJob>
  /** Ended, and not told yet. */
  readonly unreported: ReadonlyArray<ObservedJob>
  readonly ended: ReadonlyArray<EndedRun>
  readonly maintenance: ReadonlyArray<EndedMaintenance>
  /** Of the run, prune or catalogue that ended last and told. */
  readonly catalogue: CatalogueSummary | undefined
}

export const ownedJobs = ({ jobs }: Pick<Observed, "jobs">): OwnedJobs => {
  const unfinished = jobs.filter(({ reading }) => reading._tag === "Active" || reading._tag === "ActiveMaintenance")
  const activeJob = unfinished.find(({ reading }) => reading._tag === "Active")
  const unreported = jobs
    .filter(({ job, reading }) => isEnded(reading) && !Caches.isReported(job))
    .toSorted((a, b) => endMillis(a) - endMillis(b))
  const readings = unreported.map(({ reading }) => reading)
  return {
    active: activeJob?.reading._tag === "Active" ? activeJob.reading.run : undefined,
    activeJob,
    unfinished,
    unreported,
    ended: readings.flatMap((reading) => (reading._tag === "Ended" ? [reading.run] : [])),
    maintenance: readings.flatMap((reading) => (reading._tag === "EndedMaintenance" ? [reading.maintenance] : [])),
    catalogue: readings.filter(isEnded).findLast((reading) => reading.catalogue !== undefined)?.catalogue
  }
}

type EndedState = Extract<JobState.JobState, { readonly _tag: "Ended" | "EndedMaintenance" }>

const isEnded = (reading: JobState.JobState): reading is EndedState =>
  reading._tag === "Ended" || reading._tag === "EndedMaintenance"

const endMillis = ({ job, reading }: ObservedJob): number =>
  reading._tag === "Ended"
    ? reading.run.endMillis
    : (JobFacts.millis(job.status?.completionTime) ?? JobFacts.millis(job.metadata.creationTimestamp) ?? 0)

/** The cause of a run's Job, as its annotations say. */
export const causeOf = (job: Job): RunCause => {
  const { annotations } = job.metadata
  const slotMillis = JobFacts.millis(annotations?.[Labels.slotAnnotation]) ?? JobFacts.startMillis(job, 0)
  const token = annotations?.[Labels.tokenAnnotation]
  if (token !== undefined) return { _tag: "Trigger", token, firstSeenMillis: slotMillis }
  return JobFacts.cause(job) === "once" ? { _tag: "Once", slotMillis } : { _tag: "Slot", slotMillis }
}

/** The latest slot that has a Job: that it was started is known, whatever the status has forgotten. */
export const startedSlotMillis = ({ jobs }: Pick<Observed, "jobs">): number | undefined => {
  const slots = jobs.flatMap(({ job }) => {
    if (JobFacts.purpose(job) !== "run") return []
    const cause = causeOf(job)
    return cause._tag === "Trigger" ? [] : [cause.slotMillis]
  })
  return slots.length === 0 ? undefined : Math.max(...slots)
}
