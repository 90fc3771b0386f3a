import type { Delta } from "../../kubernetes/KubernetesApi.ts"
import type { Job, KubeObject, Pod } from "../../kubernetes/Objects.ts"
import { isReported } from "../Caches.ts"
import * as InformerCache from "../InformerCache.ts"
import * as JobFacts from "../jobs/JobFacts.ts"

/** A Job that was deleted before its end was reported, with what was last observed of its pods. */
interface Tombstone {
  readonly job: Job
  readonly pods: ReadonlyArray<Pod>
}

/**
 * Everything that the watches have reported about one kind: resources, their Jobs, and the pods of those. Apart from
 * the caches of other kinds, because a KafkaBackup and a KafkaRestore may have the same name.
 */
export interface OneTimeCaches {
  readonly resources: InformerCache.InformerCache<KubeObject>
  readonly jobs: InformerCache.InformerCache<Job>
  readonly pods: InformerCache.InformerCache<Pod>
  /** `absorb` of the cache of Jobs, and what follows from it: tombstones. */
  readonly absorbJobs: (delta: Delta<Job>, scope?: InformerCache.Scope) => ReadonlyArray<InformerCache.Key>
  readonly tombstone: (jobKey: InformerCache.Key) => Tombstone | undefined
  readonly forgetTombstones: (owner: InformerCache.Key) => void
  readonly isSynced: () => boolean
}

/** The resource that a Job or a pod works for. */
const owner =
  (annotation: string) =>
  ({ metadata: { annotations, namespace } }: KubeObject): InformerCache.Key | undefined => {
    const name = annotations?.[annotation]
    return name === undefined ? undefined : `${namespace ?? ""}/${name}`
  }

/** `annotation`: that of Jobs and pods which has the name of their resource. */
export const make = (scopes: ReadonlyArray<InformerCache.Scope>, annotation: string): OneTimeCaches => {
  const ownerOf = owner(annotation)
  const resources = InformerCache.make<KubeObject>(InformerCache.keyOf, scopes, InformerCache.packed())
  const jobs = InformerCache.make<Job>(ownerOf, scopes, InformerCache.packed())
  const pods = InformerCache.make<Pod>(ownerOf, scopes, InformerCache.packed())
  const tombstones = new Map<InformerCache.Key, Tombstone>()
  return {
    resources,
    jobs,
    pods,
    absorbJobs: (delta, scope) => {
      const deleted = delta._tag === "Delete" ? ownerOf(delta.object) : undefined
      // A Job whose end was reported has its time to live set.
      if (delta._tag === "Delete" && deleted !== undefined && !isReported(delta.object)) {
        const { object: job } = delta
        tombstones.set(InformerCache.keyOf(job), { job, pods: JobFacts.podsOf(job, pods.ofOwner(deleted)) })
      }
      return jobs.absorb(delta, scope)
    },
    tombstone: (key) => tombstones.get(key),
    forgetTombstones: (key) => {
      for (const [jobKey, { job }] of tombstones) if (ownerOf(job) === key) tombstones.delete(jobKey)
    },
    isSynced: () => resources.isSynced() && jobs.isSynced() && pods.isSynced()
  }
}
