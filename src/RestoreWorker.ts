import { Clock, Deferred, Effect, Exit, type Scope } from "effect"
import { KafkaSinks } from "./kafka/KafkaSink.ts"
import { KafkaSources } from "./kafka/KafkaSource.ts"
import type { RunSummary } from "./outcome/RunSummary.ts"
import type { KafkaRestore } from "./resource/KafkaRestore.ts"
import * as Restore from "./restore/Restore.ts"
import * as RestoreProgress from "./restore/RestoreProgress.ts"
import type { RestoreReport } from "./restore/RestoreReport.ts"
import * as RestoreReporting from "./restore/RestoreReporting.ts"
import * as SpecRequest from "./restore/SpecRequest.ts"
import type { Secrets } from "./secrets/MountedSecrets.ts"
import * as GuardedObjectStore from "./storage/GuardedObjectStore.ts"
import { ObjectStores } from "./storage/ObjectStore.ts"
import type { BackupFailure } from "./backup/BackupFailure.ts"
import * as Connections from "./worker/Connections.ts"
import * as Memory from "./worker/Memory.ts"
import * as SecretPatience from "./worker/SecretPatience.ts"

/* What a restore's pod does: the core of the command restore, without a process. Ports come from the context. */

/**
 * Most bytes of a batch before compression: below the limit of Kafka's brokers by default (message.max.bytes, 1 MiB).
 */
const batchBytes = 900 * 1024

/** How long a partition may make no progress: as long as a run waits for a broker by default. */
const patienceMillis = 10 * 60 * 1000

/** Partitions that are open at the same time, in a container of at most this memory and in a larger one. */
const openPartitions = { small: 4, large: 8, smallBelowBytes: 512 * 1024 * 1024 }

export interface RestoreOptions {
  /** Check everything, and write nothing. */
  readonly isDryRun: boolean
  /** Claims are mounted as `{volumes}/{claim name}`. */
  readonly volumes: string | undefined
  /** How long the restore waits for a Secret that is missing or unusable, in milliseconds; 0 fails at once. */
  readonly secretPatienceMillis: number
}

/** Opens what a restore works with, for as long as the scope lasts: the store is read, the cluster written and read. */
const open = Effect.fn("RestoreWorker.open")(function* (
  { spec }: KafkaRestore,
  progress: RestoreProgress.RestoreProgress,
  { secretPatienceMillis, volumes }: RestoreOptions
): Effect.fn.Return<Restore.Systems, BackupFailure, Secrets | ObjectStores | KafkaSources | KafkaSinks | Scope.Scope> {
  const [storage, target] = yield* SecretPatience.untilUsable(
    Effect.all([Connections.storage(spec.storage, volumes), Connections.kafka(spec.targetCluster)]),
    progress,
    secretPatienceMillis
  )
  const stores = yield* ObjectStores
  return {
    store: GuardedObjectStore.make(yield* stores.open(storage), GuardedObjectStore.bounded),
    sink: yield* (yield* KafkaSinks).open(target),
    source: yield* (yield* KafkaSources).open(target)
  }
})

/** One attempt of a restore, from Secrets to the topics' own configuration. Fills `context` as it goes. */
export const attempt = Effect.fn("RestoreWorker.attempt")(function* (
  resource: KafkaRestore,
  context: RestoreReporting.RestoreContext,
  options: RestoreOptions
) {
  const { progress } = context
  context.resource = resource
  context.isDryRun = options.isDryRun
  const systems = yield* open(resource, progress, options)
  const request = SpecRequest.request(resource)
  progress.step = "checking"
  const prepared = yield* Restore.prepare(systems, request)
  context.prepared = prepared
  RestoreProgress.planned(progress, prepared.plan)
  if (options.isDryRun) {
    progress.step = "done"
    return
  }
  const counting = RestoreProgress.counting(progress)
  progress.startedWritingMillis = yield* Clock.currentTimeMillis
  progress.step = "writing"
  context.restored = yield* Restore.run(systems, request, prepared, {
    openPartitions: Memory.limitBytes() < openPartitions.smallBelowBytes ? openPartitions.small : openPartitions.large,
    batchBytes,
    patienceMillis,
    onAppended: counting.onAppended,
    onProven: counting.onProven,
    onOffsetsStored: (snapshotId) => {
      context.rollbackSnapshotId = snapshotId
    }
  })
  progress.step = "done"
}, Effect.scoped)

/** Report and summary of an attempt, however it ended. */
export const conclude = (
  context: RestoreReporting.RestoreContext,
  exit: Exit.Exit<void, unknown>
): Effect.Effect<{ readonly report: RestoreReport; readonly summary: RunSummary }> =>
  Effect.map(Clock.currentTimeMillis, (completedMillis) => {
    const report = RestoreReporting.report(context, completedMillis, exit)
    return { report, summary: RestoreReporting.summary(report) }
  })

/** Carries out a restore until its end or `stop`, and returns the summary that its pod reports. */
export const run = Effect.fn("RestoreWorker.run")(function* (
  resource: KafkaRestore,
  progress: RestoreProgress.RestoreProgress,
  options: Omit<RestoreOptions, "isDryRun"> & { readonly stop: Deferred.Deferred<void> }
) {
  const context = RestoreReporting.context(yield* Clock.currentTimeMillis, progress)
  const exit = yield* Effect.exit(
    attempt(resource, context, { ...options, isDryRun: resource.spec.dryRun }).pipe(
      Effect.raceFirst(Effect.andThen(Deferred.await(options.stop), Effect.interrupt))
    )
  )
  const { summary } = yield* conclude(context, exit)
  return summary
})
