import type { Delta } from "../kubernetes/KubernetesApi.ts"
import type { Job, KubeObject, Pod } from "../kubernetes/Objects.ts"
import { given } from "../resource/Json.ts"
import * as ActiveRuns from "./ActiveRuns.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
import * as Labels from "./Labels.ts"
import * as InformerCache from "./InformerCache.ts"
import type { Load } from "./RunQueue.ts"

/** A Job that was deleted before its end was reported, with what was last observed of its pods. */
export interface Tombstone {
  readonly job: Job
  readonly pods: ReadonlyArray<Pod>
}

/** Everything that the watches have reported: resources, their Jobs, and the pods of those. */
export interface Caches {
  readonly resources: InformerCache.InformerCache<KubeObject>
  readonly jobs: InformerCache.InformerCache<Job>
  readonly pods: InformerCache.InformerCache<Pod>
  /** `absorb` of the cache of Jobs, and what follows from it: the count of active runs, tombstones. */
  readonly absorbJobs: (delta: Delta<Job>, scope?: InformerCache.Scope) => ReadonlyArray<InformerCache.Key>
  readonly learnJob: (job: Job) => void
  /** Runs that are not over, of all resources. */
  readonly activeRuns: () => number
  /** True for the last prune of this owner that succeeded, also when its Job is gone. */
  readonly wasPruned: (owner: InformerCache.Key, job: InformerCache.Key) => boolean
  /** Those of them none of whose containers has started. */
  readonly startingRuns: () => number
  /** Those that count towards the budget of concurrent runs: see `ActiveRuns.load`. */
  readonly load: (nowMillis: number) => Load
  /** The same of drills, which are counted apart. */
  readonly activeDrills: () => number
  readonly drillLoad: (nowMillis: number) => Load
  /** The same of checks. */
  readonly checkLoad: (nowMillis: number) => Load
  readonly tombstone: (jobKey: InformerCache.Key) => Tombstone | undefined
  readonly forgetTombstones: (owner: InformerCache.Key) => void
  readonly isSynced: () => boolean
}

/** The resource that a Job or a pod works for. */
const ownerOf = ({ metadata: { annotations, namespace } }: KubeObject): InformerCache.Key | undefined => {
  const name = annotations?.[Labels.resourceAnnotation]
  return name === undefined ? undefined : `${namespace ?? ""}/${name}`
}

/** Only the container's image and limits are read of a pod's template, and a thousand resources have many Jobs. */
const lean = (job: Job): Job => {
  if (isDone(job)) return done(job)
  const template = job.spec?.["template"] as
    | { readonly spec?: { readonly containers?: ReadonlyArray<object> } }
    | undefined
  if (template?.spec === undefined) return job
  const containers = (template.spec.containers ?? []).map((container) => {
    const { image, name, resources } = container as { readonly [field: string]: unknown }
    return { name, image, resources }
  })
  return { ...job, spec: { ...job.spec, template: { spec: { containers } } } }
}

/**
 * Once a run's end is reported, only its cause is still needed; and where a day's Jobs are kept, all Jobs but one are
 * such. Its pods' summaries, their largest part, are no longer needed either.
 */
const isDone = (job: Job): boolean =>
  isReported(job) &&
  JobFacts.purpose(job) === "run" &&
  (JobFacts.condition(job, "Complete") ?? JobFacts.condition(job, "Failed")) !== undefined

const identity = ({ metadata }: KubeObject) => {
  const { annotations, creationTimestamp, labels, name, namespace, ownerReferences, resourceVersion, uid } = metadata
  return given({ name, namespace, uid, resourceVersion, creationTimestamp, labels, annotations, ownerReferences })
}

const done = (job: Job): Job => {
  const { ttlSecondsAfterFinished } = job.spec ?? {}
  const { completionTime, conditions, startTime } = job.status ?? {}
  const { apiVersion, kind } = job
  return {
    apiVersion,
    kind,
    metadata: identity(job),
    spec: given({ ttlSecondsAfterFinished }),
    status: given({ startTime, completionTime, conditions })
  }
}

/** A pod of a run that is done: only its metadata and how it ended. */
const bare = (pod: Pod): Pod => {
  const { phase } = pod.status ?? {}
  const { apiVersion, kind } = pod
  return { apiVersion, kind, metadata: identity(pod), status: given({ phase }) }
}

/** Only metadata and status of a pod are read. */
const withoutSpec = (pod: Pod): Pod => {
  const { spec: _, ...rest } = pod
  return rest as Pod
}

const mapped = <A extends KubeObject>(delta: Delta<A>, f: (object: A) => A): Delta<A> =>
  delta._tag === "Snapshot" ? { ...delta, items: delta.items.map(f) } : { ...delta, object: f(delta.object) }

/** What is counted, each apart. */
const counted = ["run", "drill", "check"] as const
type Counted = (typeof counted)[number]

const isUnfinished = (job: Job, purpose: Counted): boolean =>
  JobFacts.purpose(job) === purpose &&
  JobFacts.condition(job, "Complete") === undefined &&
  JobFacts.condition(job, "Failed") === undefined

const isSuccessfulPrune = (job: Job): boolean =>
  JobFacts.purpose(job) === "prune" && JobFacts.condition(job, "Complete") !== undefined

export const make = (scopes: ReadonlyArray<InformerCache.Scope> = [undefined]): Caches => {
  const resources = InformerCache.make<KubeObject>(InformerCache.keyOf, scopes, InformerCache.packed())
  const jobs = InformerCache.make<Job>(ownerOf, scopes, InformerCache.packed())
  const podCache = InformerCache.make<Pod>(ownerOf, scopes, InformerCache.packed())
  const leanPod = (pod: Pod): Pod => {
    const { labels, namespace } = pod.metadata
    const job = jobs.get(`${namespace ?? ""}/${labels?.["batch.kubernetes.io/job-name"] ?? ""}`)
    return job !== undefined && isDone(job) && JobFacts.podsOf(job, [pod]).length > 0 ? bare(pod) : withoutSpec(pod)
  }
  const pods: InformerCache.InformerCache<Pod> = {
    ...podCache,
    absorb: (delta, scope) => {
      for (const pod of delta._tag === "Snapshot" ? delta.items : [delta.object]) observePod(pod)
      return podCache.absorb(mapped(delta, leanPod), scope)
    },
    learn: (pod) => {
      observePod(pod)
      podCache.learn(leanPod(pod))
    }
  }
  const active = {
    run: ActiveRuns.make(),
    drill: ActiveRuns.make(),
    check: ActiveRuns.make(ActiveRuns.checkGraceMillis)
  }
  const observePod = (pod: Pod) => {
    for (const purpose of counted) active[purpose].observePod(pod)
  }
  const tombstones = new Map<InformerCache.Key, Tombstone>()
  const prunes = new Map<InformerCache.Key, InformerCache.Key>()

  const count = (job: Job) => {
    const key = InformerCache.keyOf(job)
    const known = jobs.get(key)
    for (const purpose of counted) {
      if (known !== undefined && isUnfinished(known, purpose)) {
        active[purpose].observeJob(known, () => podCache.ofOwner(ownerOf(known) ?? ""))
      } else active[purpose].end(key)
    }
    if (known === undefined) return
    const owner = ownerOf(known)
    if (owner !== undefined && isSuccessfulPrune(known)) prunes.set(owner, key)
    if (!isDone(known)) return
    for (const pod of JobFacts.podsOf(known, podCache.ofOwner(ownerOf(known) ?? ""))) podCache.learn(bare(pod))
  }

  const keepTombstone = (job: Job) => {
    const owner = ownerOf(job)
    // A Job whose end was reported has its time to live set.
    if (owner === undefined || isReported(job)) return
    tombstones.set(InformerCache.keyOf(job), { job, pods: JobFacts.podsOf(job, pods.ofOwner(owner)) })
  }

  return {
    resources,
    jobs,
    pods,
    absorbJobs: (received, scope) => {
      const delta = mapped(received, lean)
      if (delta._tag === "Delete") keepTombstone(delta.object)
      const touched = jobs.absorb(delta, scope)
      if (delta._tag === "Snapshot") {
        for (const purpose of counted) active[purpose].clear()
        for (const job of jobs.values()) count(job)
      } else count(delta.object)
      return touched
    },
    learnJob: (job) => {
      jobs.learn(lean(job))
      count(job)
    },
    wasPruned: (owner, job) => prunes.get(owner) === job,
    activeRuns: active.run.count,
    startingRuns: active.run.starting,
    load: active.run.load,
    activeDrills: active.drill.count,
    drillLoad: active.drill.load,
    checkLoad: active.check.load,
    tombstone: (key) => tombstones.get(key),
    forgetTombstones: (owner) => {
      for (const [key, { job }] of tombstones) if (ownerOf(job) === owner) tombstones.delete(key)
    },
    isSynced: () => resources.isSynced() && jobs.isSynced() && pods.isSynced()
  }
}

/** True when the Job's end is in the status: nothing more is to be learnt from it. */
export const isReported = (job: Job): boolean => job.spec?.ttlSecondsAfterFinished !== undefined
