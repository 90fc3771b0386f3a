import { Effect } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../../kubernetes/KubernetesError.ts"
import { given } from "../../resource/Json.ts"
import { kind } from "../../resource/KafkaRestore.ts"
import type { Announcement } from "../../status/Announcements.ts"
import * as NextRestore from "../../status/restore/NextRestore.ts"
import * as RestoreAnnouncements from "../../status/restore/RestoreAnnouncements.ts"
import type { RestoreFacts, RestoreStatus } from "../../status/restore/RestoreFacts.ts"
import * as Format from "../../status/Format.ts"
import { OperatorMetrics } from "../../telemetry/OperatorMetrics.ts"
import { EventRecorder } from "../EventRecorder.ts"
import * as StatusWriter from "../StatusWriter.ts"
import * as RestoreJob from "./RestoreJob.ts"
import type { RestoreCaches } from "./RestoreCaches.ts"
import type { ObservedJob, RestoreObserved } from "./RestoreObserved.ts"

export type Services = EventRecorder | OperatorMetrics

/** The documented default, for when the spec cannot be read, in seconds. */
const defaultTtlSeconds = 86_400

/** How long a Job that was to end the retention hold stays: a failed one is not tried again before. */
const holdTtlSeconds = 3600

/**
 * Publishes what a reconcile found, as `StatusReport.publish`: Events, then the status, and only once that is written
 * the Jobs whose end is in it get their time to live.
 */
export const publish = Effect.fn("RestoreReport.publish")(function* (
  caches: RestoreCaches,
  observed: RestoreObserved,
  facts: RestoreFacts,
  unreported: ReadonlyArray<ObservedJob>
): Effect.fn.Return<void, KubernetesError, KubernetesApi | Services> {
  const next = NextRestore.next(observed.previous, facts, observed.nowMillis)
  yield* announce(observed, RestoreAnnouncements.announcements(observed.previous, facts, next))
  const written = yield* StatusWriter.write(observed.resource, next, Kind.kafkaRestores)
  if (written !== undefined) caches.resources.learn(written)
  // Counted only once the status is written, as for backups.
  yield* measure(observed, facts, next)
  yield* Effect.forEach(unreported, (ended) => release(caches, observed, ended), { discard: true })
})

const measure = Effect.fnUntraced(function* (
  { name, namespace, previous }: RestoreObserved,
  { ended }: RestoreFacts,
  { conditions, phase = "Pending", progress, restoredRecords, startTime }: RestoreStatus
) {
  const metrics = yield* OperatorMetrics
  const ref = { namespace, name }
  yield* metrics.restore(ref, {
    phase,
    isReady: conditions?.some(({ status, type }) => type === "Ready" && status === "True") ?? false,
    progressRatio: (progress?.percent ?? 0) / 100,
    records: restoredRecords ?? progress?.records ?? 0
  })
  if (ended === undefined || (previous.jobName === ended.jobName && NextRestore.hasEnded(previous))) return
  const { endMillis, isDryRun, outcome, reason, startMillis } = ended
  yield* metrics.restoreEnded(ref, {
    outcome: outcome === "success" && isDryRun ? "dry_run" : outcome,
    reason,
    durationSeconds: (endMillis - (startTime === undefined ? startMillis : Format.millis(startTime))) / 1000
  })
})

/** Emits Events about the restore, and logs them. */
export const announce = Effect.fnUntraced(function* (
  { name, namespace, uid }: Pick<RestoreObserved, "name" | "namespace" | "uid">,
  announcements: ReadonlyArray<Announcement>
) {
  const recorder = yield* EventRecorder
  for (const announcement of announcements) {
    yield* recorder.emit({ kind, namespace, name, uid }, announcement)
    const log =
      announcement.type === "Warning" ? Effect.logWarning(announcement.note) : Effect.logInfo(announcement.note)
    yield* Effect.annotateLogs(log, { restore: `${namespace}/${name}`, reason: announcement.reason })
  }
  // The status that is written next keeps them from being announced again.
  if (announcements.length > 0) yield* recorder.settled
})

/** A Job whose end is in the status gets its time to live; one that Kubernetes cannot end is deleted now. */
const release = Effect.fnUntraced(function* (
  caches: RestoreCaches,
  observed: RestoreObserved,
  { job, state }: ObservedJob
) {
  const api = yield* KubernetesApi
  const { name, namespace, uid } = job.metadata
  const ref = given({ name, namespace })
  if (state._tag === "Ended" && state.isStuck) {
    return yield* api
      .remove(Kind.jobs, ref, given({ propagation: "Background" as const, uid }))
      .pipe(Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void))
  }
  const isHold = name === RestoreJob.holdNameOf(observed)
  const ttlSecondsAfterFinished = isHold
    ? holdTtlSeconds
    : (observed.restore?.spec.job.ttlSecondsAfterFinished ?? defaultTtlSeconds)
  yield* api.patch(Kind.jobs, ref, { metadata: { uid }, spec: { ttlSecondsAfterFinished } }).pipe(
    Effect.map((patched) => caches.jobs.learn(patched)),
    // Deleted meanwhile, or another one of its name: nothing is left to release.
    Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void)
  )
})
