import { Clock, Deferred, Effect, Exit, type Scope } from "effect"
import type { KafkaError } from "./kafka/KafkaError.ts"
import { KafkaSinks } from "./kafka/KafkaSink.ts"
import { KafkaSources } from "./kafka/KafkaSource.ts"
import type { KafkaTarget } from "./kafka/KafkaTarget.ts"
import * as Readers from "./manifest/Readers.ts"
import type { RunSummary } from "./outcome/RunSummary.ts"
import type { Restorable } from "./resource/BackupRef.ts"
import type { KafkaRestore } from "./resource/KafkaRestore.ts"
import * as BackupChoice from "./restore/BackupChoice.ts"
import * as BackupGone from "./restore/BackupGone.ts"
import * as HoldReporting from "./restore/HoldReporting.ts"
import * as Restore from "./restore/Restore.ts"
import * as RestoreProgress from "./restore/RestoreProgress.ts"
import type { RestoreReport } from "./restore/RestoreReport.ts"
import * as RestoreReporting from "./restore/RestoreReporting.ts"
import * as RestoreSummarizing from "./restore/RestoreSummarizing.ts"
import * as SpecRequest from "./restore/SpecRequest.ts"
import type { RestoreError } from "./restore/RestoreError.ts"
import * as RetentionHold from "./restore/RetentionHold.ts"
import type { Secrets } from "./secrets/MountedSecrets.ts"
import type { ObjectStores } from "./storage/ObjectStore.ts"
import type { ObjectStoreError } from "./storage/ObjectStoreError.ts"
import * as Breaker from "./worker/Breaker.ts"
import * as BreakerGuards from "./worker/BreakerGuards.ts"
import * as Connections from "./worker/Connections.ts"
import * as Opening from "./worker/Opening.ts"
import * as Rotation from "./worker/Rotation.ts"
import * as SecretPatience from "./worker/SecretPatience.ts"
import type { WorkerError } from "./worker/WorkerError.ts"
import * as WriteBounds from "./worker/WriteBounds.ts"

/* What a restore's pod does: the core of the command restore, without a process. Ports come from the context. */

/** Without circuit breakers: as long as a run waits for a broker by default. */
const defaultPatienceMillis = 10 * 60 * 1000

export interface RestoreOptions {
  /** Check everything, and write nothing. */
  readonly isDryRun: boolean
  /** Claims are mounted as `{volumes}/{claim name}`. */
  readonly volumes: string | undefined
  /** How long the restore waits for a Secret that is missing or unusable, in milliseconds; 0 fails at once. */
  readonly secretPatienceMillis: number
  /**
   * Brokers and storage that do not answer are a failure at once: where they cannot be opened, or in the whole work,
   * whatever `circuitBreaker` says. Absent: they are waited for.
   */
  readonly failsAtOnce?: "opening" | "always" | undefined
}

/** What a restore works with. */
export interface Opened extends Restore.Systems {
  /** How long a partition may make no progress before the attempt fails, in milliseconds. */
  readonly patienceMillis: number
}

/** Opens the cluster that is restored to, with these guards. */
const openCluster = Effect.fnUntraced(function* (target: KafkaTarget, guards: BreakerGuards.Guards) {
  const [sinks, sources] = [yield* KafkaSinks, yield* KafkaSources]
  return {
    sink: yield* Opening.retried(sinks.open(target, guards.brokers), guards.connecting),
    source: yield* Opening.retried(sources.open(target, guards.brokers), guards.connecting)
  }
})

/** Opens what a restore works with, for as long as the scope lasts: the store is read, the cluster written and read. */
export const open = Effect.fn("RestoreWorker.open")(function* (
  { spec }: Restorable,
  progress: RestoreProgress.RestoreProgress,
  { failsAtOnce, secretPatienceMillis, volumes }: Omit<RestoreOptions, "isDryRun">
): Effect.fn.Return<
  Opened,
  WorkerError | KafkaError | ObjectStoreError,
  Secrets | ObjectStores | KafkaSources | KafkaSinks | Scope.Scope
> {
  const storage = Connections.storage(spec.storage, volumes)
  const [target] = yield* SecretPatience.untilUsable(
    Effect.all([Connections.kafka(spec.targetCluster), storage]),
    progress,
    secretPatienceMillis
  )
  const settings = failsAtOnce === "always" ? undefined : Breaker.settings(spec.circuitBreaker)
  const made = yield* BreakerGuards.make(settings, progress, false)
  const guards = failsAtOnce === undefined ? made : BreakerGuards.failingAtOnce(made)
  return {
    store: guards.store(yield* Rotation.openStore(storage, guards.opening)),
    ...(yield* openCluster(target, guards)),
    patienceMillis: settings?.budgetMillis ?? defaultPatienceMillis
  }
})

/** Ends the retention hold of a complete restore now. Needs no storage. `failsAtOnce`: brokers are not waited for. */
export const endHold = Effect.fn("RestoreWorker.endHold")(function* (
  resource: KafkaRestore,
  failsAtOnce = false
): Effect.fn.Return<
  RetentionHold.Ended,
  WorkerError | KafkaError | RestoreError,
  Secrets | KafkaSources | KafkaSinks | Scope.Scope
> {
  const { circuitBreaker, targetCluster } = resource.spec
  const made = yield* BreakerGuards.make(Breaker.settings(circuitBreaker), RestoreProgress.make(), false)
  const guards = failsAtOnce ? BreakerGuards.failingAtOnce(made) : made
  const { sink, source } = yield* openCluster(yield* Connections.kafka(targetCluster), guards)
  return yield* RetentionHold.endNow(sink, source, SpecRequest.owner(resource))
})

const nameOf = ({ metadata: { name, namespace } }: Restorable): string =>
  namespace === undefined ? name : `${namespace}/${name}`

/** One attempt of a restore, from Secrets to the topics' own configuration. Fills `context` as it goes. */
export const attempt = Effect.fn("RestoreWorker.attempt")(function* (
  resource: Restorable,
  context: RestoreReporting.RestoreContext,
  options: RestoreOptions
) {
  const { progress } = context
  context.resource = resource
  context.isDryRun = options.isDryRun
  const systems = yield* open(resource, progress, options)
  progress.step = "checking"
  const checking = Effect.gen(function* () {
    const request = SpecRequest.request(resource, yield* BackupChoice.resolve(systems, resource))
    progress.backupId = request.backupId
    // A dry run writes nothing, here neither.
    if (!options.isDryRun) yield* Readers.register(systems.store, request.backupId, `restore ${nameOf(resource)}`)
    return { request, prepared: yield* Restore.prepare(systems, request) }
  })
  const { prepared, request } = yield* options.isDryRun ? checking : BackupGone.endingHold(systems, resource)(checking)
  context.prepared = prepared
  RestoreProgress.planned(progress, prepared.plan)
  progress.resolved = prepared.resolved
  if (options.isDryRun) {
    progress.step = "done"
    return
  }
  const counting = RestoreProgress.counting(progress)
  progress.startedWritingMillis = yield* Clock.currentTimeMillis
  progress.step = "writing"
  context.restored = yield* Restore.run(systems, request, prepared, {
    ...WriteBounds.here(),
    patienceMillis: systems.patienceMillis,
    onAppended: counting.onAppended,
    onProven: counting.onProven,
    onRemoved: (removed) => {
      context.removed = removed
    },
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
    return { report, summary: RestoreSummarizing.summary(report) }
  })

/** Carries out a restore until its end or `stop`, and returns the summary that its pod reports. */
export const run = Effect.fn("RestoreWorker.run")(function* (
  resource: Restorable,
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

/** Ends the retention hold, and returns the summary that its pod reports. */
export const runEndHold = Effect.fn("RestoreWorker.runEndHold")(function* (resource: KafkaRestore) {
  const startedMillis = yield* Clock.currentTimeMillis
  const exit = yield* Effect.exit(Effect.scoped(endHold(resource)))
  return HoldReporting.summary(startedMillis, yield* Clock.currentTimeMillis, exit)
})
