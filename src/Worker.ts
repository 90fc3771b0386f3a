import { Clock, Deferred, Effect, Exit, type Scope } from "effect"
import { KafkaSource, KafkaSources } from "./kafka/KafkaSource.ts"
import * as Adoption from "./manifest/Adoption.ts"
import * as Catalogue from "./manifest/Catalogue.ts"
import * as DamagedSets from "./manifest/DamagedSets.ts"
import * as ManifestFile from "./manifest/ManifestFile.ts"
import * as KnownSet from "./manifest/KnownSet.ts"
import * as Pins from "./manifest/Pins.ts"
import * as OwnSets from "./manifest/OwnSets.ts"
import type { Seat } from "./manifest/ShardDeal.ts"
import * as SetIndex from "./manifest/SetIndex.ts"
import * as RunPlan from "./manifest/RunPlan.ts"
import type { RunSummary } from "./outcome/RunSummary.ts"
import * as BackupId from "./identity/BackupId.ts"
import * as RunSpec from "./identity/RunSpec.ts"
import type { RunIdentity } from "./identity/RunIdentity.ts"
import { given } from "./resource/Json.ts"
import type { KafkaBackup } from "./resource/KafkaBackup.ts"
import type { Secrets } from "./secrets/MountedSecrets.ts"
import * as Formats from "./segment/Formats.ts"
import * as GuardedObjectStore from "./storage/GuardedObjectStore.ts"
import * as KnownObjectStore from "./storage/KnownObjectStore.ts"
import { ObjectStore, ObjectStores, type ObjectStoreShape } from "./storage/ObjectStore.ts"
import * as BreakerGuards from "./worker/BreakerGuards.ts"
import * as Connections from "./worker/Connections.ts"
import type { BackupFailure } from "./backup/BackupFailure.ts"
import * as ManifestMemory from "./worker/ManifestMemory.ts"
import * as Memory from "./worker/Memory.ts"
import * as Opening from "./worker/Opening.ts"
import * as FailedRuns from "./backup/FailedRuns.ts"
import * as Pruning from "./backup/Pruning.ts"
import type { RetentionOutcome } from "./backup/RetentionOutcome.ts"
import * as Rotation from "./worker/Rotation.ts"
import * as Run from "./backup/Run.ts"
import type { ShardEnded } from "./backup/Shards.ts"
import { Interrupted, RunError } from "./backup/RunError.ts"
import type { RunProgress } from "./worker/RunProgress.ts"
import * as SecretPatience from "./worker/SecretPatience.ts"
import * as SteadyClock from "./worker/SteadyClock.ts"
import type { RunReport } from "./backup/RunReport.ts"
import * as RunReporting from "./backup/RunReporting.ts"
import * as SpecRequest from "./backup/SpecRequest.ts"
import * as Summarizing from "./backup/Summarizing.ts"

/*
 * What a Job's pod does: the core of the commands run, prune and list, without a process. Ports come from the context.
 */

/** The machine that a command runs on, for people, and its mounted volumes: claims are `{volumes}/{claim name}`. */
export interface MountPoint {
  readonly volumes: string | undefined
  readonly host: string
}

export interface RunOptions extends MountPoint {
  /** Completed when the run should stop cleanly; it then fails with `Interrupted`. */
  readonly stop: Deferred.Deferred<void>
  /**
   * The run of a schedule's slot, in a Job: an unknown host is then an outage. Anyone else is told at once about a
   * mistake in the resource.
   */
  readonly isScheduled: boolean
  /** How long the run waits for a Secret that is missing or unusable, in milliseconds; 0 fails at once. */
  readonly secretPatienceMillis: number
  /** Which of several processes at the run this one is; absent if it is the only one. */
  readonly seat?: Seat | undefined
}

/** Fails when the run is to stop before it has begun. */
const stopped = (stop: Deferred.Deferred<void>, { owner, slot }: RunIdentity) =>
  Effect.flatMap(Deferred.await(stop), () => {
    const backupId = BackupId.forSlot(owner.name, Date.parse(slot))
    return Effect.fail(new RunError({ reason: new Interrupted({ backupId, slot }) }))
  })

/** One attempt of a run, from Secrets to retention. Fills `context` as it goes. */
export const attempt = Effect.fn("Worker.attempt")(function* (
  backup: KafkaBackup,
  identity: RunIdentity,
  context: RunReporting.RunContext,
  { host, isScheduled, seat, secretPatienceMillis, stop, volumes }: RunOptions
) {
  const { progress } = context
  context.identity = identity
  context.backup = backup
  const request = { ...SpecRequest.request(backup, identity, host), seat }
  const limitBytes = Memory.limitBytes()
  yield* Memory.assertEnough(request.settings, limitBytes)
  const storageTarget = Connections.storage(backup.spec.storage, volumes)
  const [kafkaTarget] = yield* SecretPatience.untilUsable(
    Effect.all([Connections.kafka(backup.spec.kafkaCluster, { waitsForUnknownHosts: isScheduled }), storageTarget]),
    progress,
    secretPatienceMillis
  ).pipe(Effect.raceFirst(stopped(stop, identity)))
  const guards = yield* BreakerGuards.make(request.circuitBreaker, progress, isScheduled)
  const store = guards.store(yield* Rotation.openStore(storageTarget, guards.opening))
  context.store = store
  const sources = yield* KafkaSources
  const kafka = yield* Opening.retried(sources.open(kafkaTarget, guards.brokers), guards.connecting)
  const within = (leftBytes: number) => ({
    ...Memory.bounds(request.settings, leftBytes),
    format: (settings: RunPlan.ContentSettings) =>
      Formats.writer(
        RunPlan.formatOf(settings),
        RunPlan.segmentSettings(settings),
        Memory.ofSegments(settings, leftBytes)
      )
  })
  yield* Effect.logInfo("memory settings chosen").pipe(
    Effect.annotateLogs(Memory.described(Memory.bounds(request.settings, limitBytes), limitBytes))
  )
  return yield* Run.run(request, {
    ...within(limitBytes),
    beside: (segments) => within(limitBytes - ManifestMemory.heldBytes(segments)),
    mostSegments: (ledgerBytes) => ManifestMemory.mostSegments(request.settings, limitBytes, ledgerBytes),
    progress,
    parts: context.parts,
    stop
  }).pipe(
    Effect.provideService(ManifestFile.Affordable, ManifestMemory.longestManifest(request.settings, limitBytes)),
    Effect.provideService(ObjectStore, store),
    Effect.provideService(KafkaSource, kafka)
  )
}, SteadyClock.steadily)

/** Report and summary of an attempt, however it ended. */
export const conclude = (
  context: RunReporting.RunContext,
  exit: Exit.Exit<Run.RunSuccess | ShardEnded, unknown>
): Effect.Effect<{ readonly report: RunReport; readonly summary: RunSummary }> =>
  Effect.map(Clock.currentTimeMillis, (completedMillis) => {
    if (Exit.isFailure(exit)) {
      const report = RunReporting.ofFailure(
        context,
        completedMillis,
        RunReporting.explain(context, completedMillis, exit.cause)
      )
      return { report, summary: Summarizing.ofRun(report) }
    }
    if (Run.isShardEnded(exit.value)) {
      const report = RunReporting.ofShard(context, completedMillis, exit.value)
      return { report, summary: Summarizing.ofRun(report, undefined, exit.value.shard) }
    }
    const report = RunReporting.ofSuccess(context, completedMillis, exit.value)
    return { report, summary: Summarizing.ofRun(report, exit.value.retention.catalogue) }
  })

/** Carries out a run and returns the summary that its pod reports. */
export const run = Effect.fn("Worker.run")(function* (
  runSpec: RunSpec.RunSpec,
  options: Omit<RunOptions, "isScheduled"> & { readonly progress: RunProgress }
) {
  const context = RunReporting.begin(yield* Clock.currentTimeMillis, options.progress)
  const { backup, slot, trigger } = runSpec
  const identity = SpecRequest.identity(backup, slot, trigger)
  const isScheduled = RunSpec.isScheduled(runSpec)
  const exit = yield* Effect.exit(attempt(backup, identity, context, { ...options, isScheduled }))
  const { report, summary } = yield* conclude(context, exit)
  yield* keep(report, context, options.volumes)
  return summary
}, Effect.scoped)

/**
 * Stores the report of an attempt: beside its set, or with those of failed runs; where it cannot be kept, the returned
 * one says so. Opens the store where the run did not come to that.
 */
export const keep = Effect.fn("Worker.keep")(function* (
  report: RunReport,
  { backup, store }: RunReporting.RunContext,
  volumes: string | undefined
) {
  yield* RunReporting.keep(report, store)
  if (backup === undefined) return report
  const note = yield* FailedRuns.keep(report, store === undefined ? openStore(backup, volumes) : Effect.succeed(store))
  if (note === undefined) return report
  yield* Effect.logWarning(note)
  return { ...report, notes: [...report.notes, note] }
}, Effect.scoped)

/** Opens the store of a resource for a command on sets, for as long as the scope lasts. */
export const openStore = Effect.fn("Worker.openStore")(function* (
  backup: KafkaBackup,
  volumes: string | undefined
): Effect.fn.Return<ObjectStoreShape, BackupFailure, Secrets | ObjectStores | Scope.Scope> {
  const target = yield* Connections.storage(backup.spec.storage, volumes)
  const stores = yield* ObjectStores
  return GuardedObjectStore.make(KnownObjectStore.make(yield* stores.open(target)), GuardedObjectStore.bounded)
})

const maintenance = (
  command: "prune" | "list",
  { backup }: RunSpec.RunSpec,
  { volumes }: MountPoint,
  work: (store: ObjectStoreShape) => Effect.Effect<Summarizing.MaintenanceResult, unknown>
): Effect.Effect<RunSummary, never, Secrets | ObjectStores> =>
  Effect.gen(function* () {
    const startedMillis = yield* Clock.currentTimeMillis
    const exit = yield* Effect.exit(Effect.scoped(Effect.flatMap(openStore(backup, volumes), work)))
    return Summarizing.ofMaintenance(command, startedMillis, yield* Clock.currentTimeMillis, exit)
  })

/** Removes the sets that `extent` selects, and returns the summary that the pod reports. */
export const prune = (runSpec: RunSpec.RunSpec, mountPoint: MountPoint, extent: Pruning.Extent) =>
  maintenance("prune", runSpec, mountPoint, (store) =>
    Effect.map(Pruning.prune(store, runSpec.backup, extent, mountPoint.host), prunedResult)
  )

/** The part of a summary that a removal fills. */
export const prunedResult = ({
  catalogue,
  damaged,
  heldBack,
  locked,
  notes,
  removed,
  rules
}: RetentionOutcome): Summarizing.MaintenanceResult => ({
  removed: removed.length,
  notes,
  ...(rules === undefined ? {} : { retention: rules }),
  ...Summarizing.heldBack(heldBack),
  ...Summarizing.locked(locked),
  ...(damaged === undefined ? {} : { damaged }),
  ...(catalogue === undefined ? {} : { catalogue })
})

/** Lists the proven sets of the resource, and returns the summary that the pod reports. */
export const list = (runSpec: RunSpec.RunSpec, mountPoint: MountPoint) =>
  maintenance("list", runSpec, mountPoint, (store) =>
    Effect.flatMap(Catalogue.entries(store), (entries) => listedResult(store, runSpec.backup, entries))
  )

/**
 * The part of a summary that a listing fills: the resource's own sets among all sets in storage, and what is known of
 * their damage.
 */
export const listedResult = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backup: KafkaBackup,
  entries: ReadonlyArray<Catalogue.CatalogueEntry>
) {
  const pins = yield* Pins.of(store, SpecRequest.pinned(backup))
  const resource = SpecRequest.resource(backup)
  const own = OwnSets.of(entries, resource)
  const indexed = yield* SetIndex.indexed(store, Adoption.ownerOf(resource))
  const checks = new Map<string, SetIndex.IndexedSet["check"]>(indexed.map(({ backupId, check }) => [backupId, check]))
  const told = own.map((set) => given({ ...set, check: checks.get(set.backupId) }))
  // Backups that have lost their manifest, or whose documents nobody can read.
  const lost = new Map(entries.flatMap((entry) => (Catalogue.isLost(entry) ? [[entry.backupId as string, entry]] : [])))
  const unreadable = indexed.flatMap((set) => {
    const entry = lost.get(set.backupId)
    const damage = entry === undefined ? undefined : KnownSet.damageOf(entry, set)?.text
    return damage === undefined ? [] : [{ ...set, completedMillis: set.facts.completedMillis, check: { damage } }]
  })
  return {
    catalogue: OwnSets.summary(own, pins),
    damaged: DamagedSets.summary([...told, ...unreadable])
  } satisfies Summarizing.MaintenanceResult
})
