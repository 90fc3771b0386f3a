import { Effect } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import type { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../../kubernetes/KubernetesError.ts"
import { kind } from "../../resource/KafkaRestore.ts"
import type { Announcement } from "../../status/Announcements.ts"
import * as NextRestore from "../../status/restore/NextRestore.ts"
import * as RestoreAnnouncements from "../../status/restore/RestoreAnnouncements.ts"
import type { RestoreFacts, RestoreStatus } from "../../status/restore/RestoreFacts.ts"
import * as Format from "../../status/Format.ts"
import { OperatorMetrics } from "../../telemetry/OperatorMetrics.ts"
import type { EventRecorder } from "../EventRecorder.ts"
import * as StatusWriter from "../StatusWriter.ts"
import * as Announcing from "../oneTime/Announcing.ts"
import * as ReleaseJob from "../oneTime/ReleaseJob.ts"
import * as RestoreJob from "./RestoreJob.ts"
import type { OneTimeCaches } from "../oneTime/OneTimeCaches.ts"
import type { ObservedJob } from "../oneTime/OneTimeObserved.ts"
import type { RestoreObserved } from "./RestoreObserved.ts"

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
  caches: OneTimeCaches,
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
export const announce = (
  ref: Pick<RestoreObserved, "name" | "namespace" | "uid">,
  announcements: ReadonlyArray<Announcement>
) => Announcing.announce(kind, ref, announcements)

const release = (caches: OneTimeCaches, observed: RestoreObserved, ended: ObservedJob) =>
  ReleaseJob.release(
    caches,
    ended,
    ended.job.metadata.name === RestoreJob.holdNameOf(observed)
      ? holdTtlSeconds
      : (observed.restore?.spec.job.ttlSecondsAfterFinished ?? defaultTtlSeconds)
  )
