import { Result } from "effect"
import type { Event, Job, KubeObject, Pod } from "../kubernetes/Objects.ts"
import type { CatalogueSummary } from "../outcome/RunSummary.ts"
import type { RunCause } from "../schedule/RunCause.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import { given } from "../resource/Json.ts"
import * as ManifestParser from "../resource/ManifestParser.ts"
import type { Problem } from "../resource/Problem.ts"
import type { ActiveRun, EndedMaintenance, EndedRun, StoredDataNews } from "../status/Facts.ts"
import * as Previous from "../status/Previous.ts"
import type { Status } from "../status/Status.ts"
import * as Caches from "./Caches.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
import * as JobState from "./jobs/JobState.ts"
import * as Labels from "./Labels.ts"
import type { Key } from "./InformerCache.ts"
import * as StartDeadline from "./StartDeadline.ts"

/** One Job of the resource, its pods, and its state. */
export interface ObservedJob {
  readonly job: Job
  readonly pods: ReadonlyArray<Pod>
  readonly state: JobState.JobState
}

/** One resource with everything that the caches hold about it. Instants are milliseconds since 1970. */
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

/** Observes one resource. Pure; `events` are those about its stuck Jobs. */
export const of = (
  caches: Pick<Caches.Caches, "jobs" | "pods">,
  resource: KubeObject,
  nowMillis: number,
  events: ReadonlyArray<Event> = []
): Observed => {
  const { creationTimestamp, generation, name, namespace = "", uid = "" } = resource.metadata
  const key = `${namespace}/${name}`
  // The status is read separately: with a long history it is most of the work.
  const { status, ...desired } = resource
  const parsed = ManifestParser.fromServer(desired)
  const backup = Result.isSuccess(parsed) ? parsed.success : undefined
  const pods = caches.pods.ofOwner(key).filter((pod) => pod.metadata.labels?.[Labels.uidLabel] === uid)
  return {
    key,
    resource,
    namespace,
    name,
    uid,
    generation: generation ?? 0,
    createdMillis: JobFacts.millis(creationTimestamp) ?? nowMillis,
    backup,
    problems: Result.isFailure(parsed) ? parsed.failure.problems : [],
    previous: Previous.read(status),
    jobs: caches.jobs
      .ofOwner(key)
      .filter((job) => JobFacts.isFor(job, uid))
      .map((job) => ({
        job,
        pods: JobFacts.podsOf(job, pods),
        state: JobState.read(job, pods, nowMillis, events, StartDeadline.seconds(backup?.spec, JobFacts.cause(job)))
      })),
    nowMillis
  }
}

/** The Jobs of a resource, summed up. */
export interface OwnedJobs {
  readonly active: ActiveRun | undefined
  readonly activeJob: ObservedJob | undefined
  /** Jobs that are not over, maintenance included. */
  readonly unfinished: ReadonlyArray<ObservedJob>
  /** Ended, and not reported yet, in the order of their ends. */
  readonly unreported: ReadonlyArray<ObservedJob>
  readonly ended: ReadonlyArray<EndedRun>
  readonly maintenance: ReadonlyArray<EndedMaintenance>
  /** Of the run, prune or catalogue that ended last and reported one. */
  readonly catalogue: CatalogueSummary | undefined
  /** When that Job ended. */
  readonly listedMillis: number | undefined
  readonly storedData: StoredDataNews
}

export const ownedJobs = ({ jobs }: Pick<Observed, "jobs">): OwnedJobs => {
  const unfinished = jobs.filter(({ state }) => state._tag === "Active" || state._tag === "ActiveMaintenance")
  const activeJob = unfinished.find(({ state }) => state._tag === "Active")
  const unreported = jobs
    .filter(({ job, state }) => isEnded(state) && !Caches.isReported(job))
    .toSorted((a, b) => endMillis(a) - endMillis(b))
  const states = unreported.map(({ state }) => state)
  const listing = unreported.findLast(({ state }) => isEnded(state) && state.catalogue !== undefined)
  return {
    active: activeJob?.state._tag === "Active" ? activeJob.state.run : undefined,
    activeJob,
    unfinished,
    unreported,
    ended: states.flatMap((state) => (state._tag === "Ended" ? [state.run] : [])),
    maintenance: unreported.flatMap((ended) =>
      ended.state._tag === "EndedMaintenance" ? [{ ...ended.state.maintenance, endMillis: endMillis(ended) }] : []
    ),
    catalogue: listing !== undefined && isEnded(listing.state) ? listing.state.catalogue : undefined,
    listedMillis: listing === undefined ? undefined : endMillis(listing),
    storedData: storedData(unreported)
  }
}

/** Of damage and of what was read again, what the Job reports that ended last of those that report it. */
const storedData = (ended: ReadonlyArray<ObservedJob>): StoredDataNews => {
  const news = ended.flatMap((job) => {
    const found = isEnded(job.state) ? job.state.storedData : undefined
    return found === undefined ? [] : [{ ...found, endMillis: endMillis(job) }]
  })
  const damage = news.findLast((told) => told.damage !== undefined)
  const verification = news.findLast((told) => told.verification !== undefined)
  return given({
    damage: damage?.damage === undefined ? undefined : { ...damage.damage, endMillis: damage.endMillis },
    verification:
      verification?.verification === undefined
        ? undefined
        : { ...verification.verification, endMillis: verification.endMillis }
  })
}

type EndedState = Extract<JobState.JobState, { readonly _tag: "Ended" | "EndedMaintenance" }>

const isEnded = (state: JobState.JobState): state is EndedState =>
  state._tag === "Ended" || state._tag === "EndedMaintenance"

/** When the Job ended, as far as it is known, in milliseconds since 1970. */
export const endMillis = ({ job, state }: ObservedJob): number =>
  state._tag === "Ended"
    ? state.run.endMillis
    : (JobFacts.millis(job.status?.completionTime) ??
      JobFacts.millis(JobFacts.condition(job, "Failed")?.lastTransitionTime) ??
      JobFacts.millis(job.metadata.creationTimestamp) ??
      0)

/** The cause of a run's Job, as its annotations say. */
export const causeOf = (job: Job): RunCause => {
  const { annotations } = job.metadata
  const slotMillis = JobFacts.millis(annotations?.[Labels.slotAnnotation]) ?? JobFacts.startMillis(job, 0)
  const token = annotations?.[Labels.tokenAnnotation]
  if (token !== undefined) return { _tag: "Trigger", token, firstSeenMillis: slotMillis }
  return JobFacts.cause(job) === "once" ? { _tag: "Once", slotMillis } : { _tag: "Slot", slotMillis }
}

/** The latest slot that has a Job: it was started, even if the status has forgotten it. */
export const startedSlotMillis = ({ jobs }: Pick<Observed, "jobs">): number | undefined => {
  const slots = jobs.flatMap(({ job }) => {
    if (JobFacts.purpose(job) !== "run") return []
    const cause = causeOf(job)
    return cause._tag === "Trigger" ? [] : [cause.slotMillis]
  })
  return slots.length === 0 ? undefined : Math.max(...slots)
}
