import { Effect } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import type { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../../kubernetes/KubernetesError.ts"
import * as NextOffset from "../../status/offsets/NextOffset.ts"
import * as OffsetAnnouncements from "../../status/offsets/OffsetAnnouncements.ts"
import type { OffsetFacts, OffsetStatus } from "../../status/offsets/OffsetFacts.ts"
import { OperatorMetrics } from "../../telemetry/OperatorMetrics.ts"
import type { EventRecorder } from "../EventRecorder.ts"
import * as Announcing from "../oneTime/Announcing.ts"
import * as ReleaseJob from "../oneTime/ReleaseJob.ts"
import type { OneTimeCaches } from "../oneTime/OneTimeCaches.ts"
import type { ObservedJob } from "../oneTime/OneTimeObserved.ts"
import * as StatusWriter from "../StatusWriter.ts"
import type { OffsetObserved } from "./OffsetObserved.ts"

export type Services = EventRecorder | OperatorMetrics

/** The documented default, for when the spec cannot be read, in seconds. */
const defaultTtlSeconds = 86_400

export const kinds = {
  KafkaOffsetReset: Kind.kafkaOffsetResets,
  KafkaOffsetRollback: Kind.kafkaOffsetRollbacks
} as const

/**
 * Publishes what a reconcile found, as for restores: Events, then the status, and only once that is written the Jobs
 * whose end is in it get their time to live.
 */
export const publish = Effect.fn("OffsetReport.publish")(function* (
  caches: OneTimeCaches,
  observed: OffsetObserved,
  found: Omit<OffsetFacts, "generation" | "operation" | "problems">,
  unreported: ReadonlyArray<ObservedJob> = []
): Effect.fn.Return<void, KubernetesError, KubernetesApi | Services> {
  const { generation, key, kind, nowMillis, operation, previous, problems, resource, startedWritingMillis } = observed
  const facts: OffsetFacts = {
    generation,
    operation,
    problems,
    ...found,
    startedWritingMillis: found.startedWritingMillis ?? startedWritingMillis
  }
  const next = NextOffset.next(previous, facts, nowMillis)
  yield* Announcing.announce(kind, observed, OffsetAnnouncements.announcements(previous, facts, next))
  const written = yield* StatusWriter.write(resource, next, kinds[kind])
  if (written !== undefined) caches.resources.learn(written)
  // Counted only once the status is written, as for backups.
  yield* measure(observed, facts, next)
  const ttl = observed.wanted?.spec.job.ttlSecondsAfterFinished ?? defaultTtlSeconds
  yield* Effect.forEach(unreported, (ended) => ReleaseJob.release(caches, ended, ttl), { discard: true })
  caches.forgetTombstones(key)
})

const measure = Effect.fnUntraced(function* (
  { kind, name, namespace, previous }: OffsetObserved,
  { ended }: OffsetFacts,
  { phase = "Pending" }: OffsetStatus
) {
  const metrics = yield* OperatorMetrics
  const ref = { namespace, name }
  yield* metrics.offsets(kind, ref, phase)
  if (ended === undefined || (previous.jobName === ended.jobName && NextOffset.hasEnded(previous))) return
  const outcome = ended.outcome === "success" && phase === "Failed" ? "failed" : ended.outcome
  yield* metrics.offsetsEnded(kind, ref, outcome === "success" && ended.isDryRun ? "dry_run" : outcome)
})
