import { Clock, type Deferred, Effect, Exit, type Scope } from "effect"
import { KafkaSource, KafkaSources } from "./kafka/KafkaSource.ts"
import * as Catalogue from "./manifest/Catalogue.ts"
import * as OwnSets from "./manifest/OwnSets.ts"
import type { RunSummary } from "./outcome/RunSummary.ts"
import type { RunSpec } from "./identity/RunSpec.ts"
import type { RunIdentity } from "./identity/RunIdentity.ts"
import type { KafkaBackup } from "./resource/KafkaBackup.ts"
import type { Secrets } from "./secrets/MountedSecrets.ts"
import * as KbakFormat from "./segment/kbak/KbakFormat.ts"
import * as GuardedObjectStore from "./storage/GuardedObjectStore.ts"
import { ObjectStore, ObjectStores, type ObjectStoreShape } from "./storage/ObjectStore.ts"
import * as BreakerGuards from "./worker/BreakerGuards.ts"
import * as Connections from "./worker/Connections.ts"
import type { BackupFailure } from "./backup/BackupFailure.ts"
import * as Memory from "./worker/Memory.ts"
import * as Opening from "./worker/Opening.ts"
import * as Pruning from "./backup/Pruning.ts"
import type { RetentionOutcome } from "./backup/RetentionPass.ts"
import * as Rotation from "./worker/Rotation.ts"
import * as Run from "./backup/Run.ts"
import type { RunProgress } from "./worker/RunProgress.ts"
import * as SteadyClock from "./worker/SteadyClock.ts"
import type { RunReport } from "./backup/RunReport.ts"
import * as RunReporting from "./backup/RunReporting.ts"
import * as SpecRequest from "./backup/SpecRequest.ts"
import * as Summarizing from "./backup/Summarizing.ts"

/*
 * What a Job's pod does, without a process: the core of the commands run, prune and list. Ports come from the context.
 */

/** Where work happens. */
export interface MountPoint {
  /** Claims are mounted as `{volumes}/{claim name}`. */
  readonly volumes: string | undefined
  /** Name of the machine, for people. */
  readonly host: string
}

export interface RunOptions extends MountPoint {
  /** Completed when the run should stop in order; it then fails with `Interrupted`. */
  readonly stop: Deferred.Deferred<void>
}

/** One attempt of a run, from Secrets to retention. `known` is filled while it goes on. */
export const attempt = Effect.fn("Worker.attempt")(function* (
  backup: KafkaBackup,
  identity: RunIdentity,
  known: RunReporting.RunContext,
  { host, stop, volumes }: RunOptions
) {
  const { progress } = known
  known.identity = identity
  const kafkaTarget = yield* Connections.kafka(backup.spec.kafkaCluster)
  const request = SpecRequest.request(backup, identity, host)
  const guards = yield* BreakerGuards.make(request.circuitBreaker, progress)
  const storageTarget = Connections.storage(backup.spec.storage, volumes)
  const store = guards.store(yield* Rotation.openStore(storageTarget, guards.opening))
  known.store = store
  const sources = yield* KafkaSources
  const kafka = yield* Opening.patient(sources.open(kafkaTarget, guards.brokers), guards.connecting)
  return yield* Run.run(request, {
    ...Memory.bounds(request.settings, Memory.limitBytes()),
    format: (settings) =>
      KbakFormat.make({
        compression: settings.compression,
        level: settings.compressionLevel,
        ...(settings.includeOffsetHeaders
          ? {
              offsetHeaders: settings.sourceClusterId === undefined ? {} : { sourceClusterId: settings.sourceClusterId }
            }
          : {})
      }),
    progress,
    stop
  }).pipe(Effect.provideService(ObjectStore, store), Effect.provideService(KafkaSource, kafka))
}, SteadyClock.steadily)

/** Report and summary of an attempt, however it ended. */
export const conclude = (
  known: RunReporting.RunContext,
  exit: Exit.Exit<Run.RunSuccess, unknown>
): Effect.Effect<{ readonly report: RunReport; readonly summary: RunSummary }> =>
  Effect.map(Clock.currentTimeMillis, (completedMillis) => {
    if (Exit.isFailure(exit)) {
      const report = RunReporting.ofFailure(known, completedMillis, RunReporting.explain(known, exit.cause))
      return { report, summary: Summarizing.ofRun(report) }
    }
    const report = RunReporting.ofSuccess(known, completedMillis, exit.value)
    return { report, summary: Summarizing.ofRun(report, exit.value.retention.catalogue) }
  })

/** Carries a run out to its end, and tells the end as the pod does. */
export const run = Effect.fn("Worker.run")(function* (
  { backup, slot, trigger }: RunSpec,
  means: RunOptions & { readonly progress: RunProgress }
) {
  const known: RunReporting.RunContext = {
    startedMillis: yield* Clock.currentTimeMillis,
    progress: means.progress,
    identity: undefined,
    store: undefined
  }
  const exit = yield* Effect.exit(attempt(backup, SpecRequest.identity(backup, slot, trigger), known, means))
  const { report, summary } = yield* conclude(known, exit)
  yield* RunReporting.keep(report, known.store)
  return summary
}, Effect.scoped)

/** Opens the store of a resource for a command on sets, for as long as the scope lasts. */
export const openStore = Effect.fn("Worker.openStore")(function* (
  backup: KafkaBackup,
  volumes: string | undefined
): Effect.fn.Return<ObjectStoreShape, BackupFailure, Secrets | ObjectStores | Scope.Scope> {
  const target = yield* Connections.storage(backup.spec.storage, volumes)
  const stores = yield* ObjectStores
  return GuardedObjectStore.make(yield* stores.open(target), GuardedObjectStore.bounded)
})

const maintenance = (
  command: "prune" | "list",
  { backup }: RunSpec,
  { volumes }: MountPoint,
  work: (store: ObjectStoreShape) => Effect.Effect<Summarizing.MaintenanceResult, unknown>
): Effect.Effect<RunSummary, never, Secrets | ObjectStores> =>
  Effect.gen(function* () {
    const startedMillis = yield* Clock.currentTimeMillis
    const exit = yield* Effect.exit(Effect.scoped(Effect.flatMap(openStore(backup, volumes), work)))
    return Summarizing.ofMaintenance(command, startedMillis, yield* Clock.currentTimeMillis, exit)
  })

/** Removes what the extent says, and tells the end as the pod does. */
export const prune = (runSpec: RunSpec, place: MountPoint, extent: Pruning.Extent) =>
  maintenance("prune", runSpec, place, (store) =>
    Effect.map(Pruning.prune(store, runSpec.backup, extent, place.host), prunedResult)
  )

/** What a removal has to tell. */
export const prunedResult = ({ catalogue, removed }: RetentionOutcome): Summarizing.MaintenanceResult => ({
  removed: removed.length,
  ...(catalogue === undefined ? {} : { catalogue })
})

/** Lists the resource's proven sets, and tells them as the pod does. */
export const list = (runSpec: RunSpec, place: MountPoint) =>
  maintenance("list", runSpec, place, (store) =>
    Effect.map(Catalogue.entries(store), (entries) => listedResult(runSpec.backup, entries))
  )

/** What a listing has to tell: the resource's own sets among all that are there. */
export const listedResult = (
  backup: KafkaBackup,
  entries: ReadonlyArray<Catalogue.CatalogueEntry>
): Summarizing.MaintenanceResult => ({ catalogue: OwnSets.summary(OwnSets.of(entries, SpecRequest.owner(backup))) })
