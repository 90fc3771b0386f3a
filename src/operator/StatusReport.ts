import { Effect } from "effect"
import type { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { KubeObject } from "../kubernetes/Objects.ts"
import * as Announcements from "../status/Announcements.ts"
import type { Facts } from "../status/Facts.ts"
import * as Next from "../status/Next.ts"
import { OperatorMetrics } from "../telemetry/OperatorMetrics.ts"
import type { Caches } from "./Caches.ts"
import * as DrillMetrics from "./drill/DrillMetrics.ts"
import { EventRecorder } from "./EventRecorder.ts"
import * as JobRelease from "./JobRelease.ts"
import * as ResourceMetrics from "./ResourceMetrics.ts"
import type { ObservedJob, Observed } from "./Observed.ts"
import * as StatusWriter from "./StatusWriter.ts"

export type Services = EventRecorder | OperatorMetrics

/** How long a maintenance Job stays, in seconds. A failed one is not tried again before that. */
const maintenanceTtlSeconds = { success: 300, failure: 3600 }

/** The documented default, for when the spec cannot be read, in seconds. */
export const defaultTtlSeconds = 86_400

/**
 * Publishes what a reconcile found: first Events, then the status and metrics, and only once the status is written the
 * Jobs whose end is in it get their time to live. Cut off in between, the next reconcile publishes again, and the
 * history has each run once. Gives the resource as it is then.
 */
export const publish = Effect.fn("StatusReport.publish")(function* (
  caches: Caches,
  observed: Observed,
  facts: Facts,
  unreported: ReadonlyArray<ObservedJob>
): Effect.fn.Return<KubeObject, KubernetesError, KubernetesApi | Services> {
  const next = Next.next(observed.previous, facts, observed.nowMillis)
  yield* announce(observed, Announcements.announcements(observed.previous, facts, next))
  const metrics = yield* OperatorMetrics
  const written = yield* StatusWriter.write(observed.resource, next)
  if (written !== undefined) caches.resources.learn(written)
  // Counted only once the status is written: an Event twice is better than never, but a count twice is wrong.
  yield* ResourceMetrics.report(metrics, observed, facts, next)
  yield* DrillMetrics.report(metrics, observed, facts.drill, next)
  yield* Effect.forEach(unreported, (ended) => release(caches, observed, ended), { discard: true })
  return written ?? observed.resource
})

const announce = Effect.fnUntraced(function* (
  { name, namespace, uid }: Observed,
  announcements: ReadonlyArray<Announcements.Announcement>
) {
  const recorder = yield* EventRecorder
  for (const announcement of announcements) {
    yield* recorder.emit({ namespace, name, uid }, announcement)
    const log =
      announcement.type === "Warning" ? Effect.logWarning(announcement.note) : Effect.logInfo(announcement.note)
    yield* Effect.annotateLogs(log, { resource: `${namespace}/${name}`, reason: announcement.reason })
  }
  // The status that is written next keeps them from being announced again.
  if (announcements.length > 0) yield* recorder.settled
})

/** A Job whose end is in the status gets its time to live; one that Kubernetes cannot end is deleted now. */
const release = (caches: Caches, { backup }: Observed, { job, state }: ObservedJob) => {
  const isEnded = state._tag === "Ended" || state._tag === "EndedMaintenance"
  if (state._tag === "Ended" && state.run.reason === "PodNotStarted") {
    return JobRelease.release(caches, job, { _tag: "NeverStarted" })
  }
  if (isEnded && state.isStuck) return JobRelease.release(caches, job, { _tag: "Stuck" })
  const ttlSecondsAfterFinished =
    state._tag === "EndedMaintenance"
      ? maintenanceTtlSeconds[state.maintenance.isSuccess ? "success" : "failure"]
      : (backup?.spec.job.ttlSecondsAfterFinished ?? defaultTtlSeconds)
  return JobRelease.release(caches, job, { _tag: "Keep", ttlSecondsAfterFinished })
}
