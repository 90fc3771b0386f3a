import { Result } from "effect"
import type { Event, KubeObject } from "../../kubernetes/Objects.ts"
import type { OffsetKind } from "../../resource/OffsetCrds.ts"
import * as OffsetResource from "../../resource/OffsetResource.ts"
import type { Problem } from "../../resource/Problem.ts"
import * as Format from "../../status/Format.ts"
import type { OffsetStatus, Operation } from "../../status/offsets/OffsetFacts.ts"
import * as Previous from "../../status/Previous.ts"
import type { Key } from "../InformerCache.ts"
import * as JobFacts from "../jobs/JobFacts.ts"
import * as Labels from "../Labels.ts"
import type { RestoreCaches } from "../restore/RestoreCaches.ts"
import * as RestoreJobState from "../restore/RestoreJobState.ts"
import type { ObservedJob } from "../restore/RestoreObserved.ts"

type Resource = OffsetResource.KafkaOffsetReset | OffsetResource.KafkaOffsetRollback

/** One resource with everything that the caches hold about it. Instants are milliseconds since 1970. */
export interface OffsetObserved {
  readonly kind: OffsetKind
  readonly key: Key
  readonly resource: KubeObject
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly generation: number
  readonly wanted: Resource | undefined
  readonly problems: ReadonlyArray<Problem>
  readonly operation: Operation
  readonly previous: OffsetStatus
  readonly jobs: ReadonlyArray<ObservedJob>
  /** By the status, or by what a pod left behind. */
  readonly startedWritingMillis: number | undefined
  readonly nowMillis: number
}

/** True where nothing is changed, neither offsets nor snapshots. */
export const isReadOnly = (wanted: Resource | undefined): boolean =>
  wanted?.kind === "KafkaOffsetReset" ? wanted.spec.dryRun : wanted?.spec.operation === "verify"

/** Observes one resource of this kind. Pure; `events` are those about its stuck Jobs. */
export const of = (
  kind: OffsetKind,
  caches: Pick<RestoreCaches, "jobs" | "pods">,
  resource: KubeObject,
  nowMillis: number,
  events: ReadonlyArray<Event> = []
): OffsetObserved => {
  const { generation, name, namespace = "", uid = "" } = resource.metadata
  const key = `${namespace}/${name}`
  const { status, ...desired } = resource
  const parsed = OffsetResource.fromServer(kind, desired)
  const wanted = Result.isSuccess(parsed) ? parsed.success : undefined
  const pods = caches.pods.ofOwner(key).filter((pod) => pod.metadata.labels?.[Labels.uidLabel] === uid)
  const previous = Previous.readOffsets(status)
  return {
    kind,
    key,
    resource,
    namespace,
    name,
    uid,
    generation: generation ?? 0,
    wanted,
    problems: Result.isFailure(parsed) ? parsed.failure.problems : [],
    operation: wanted?.kind === "KafkaOffsetRollback" ? wanted.spec.operation : "reset",
    previous,
    jobs: caches.jobs
      .ofOwner(key)
      .filter((job) => JobFacts.isFor(job, uid) && JobFacts.purpose(job) === "offsets")
      .map((job) => {
        const own = JobFacts.podsOf(job, pods)
        return { job, pods: own, state: RestoreJobState.read(job, own, nowMillis, events, "offsets") }
      }),
    startedWritingMillis:
      previous.startedWriting === undefined
        ? RestoreJobState.startedWritingMillis(pods)
        : Format.millis(previous.startedWriting),
    nowMillis
  }
}
