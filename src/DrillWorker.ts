import { Clock, Deferred, Effect, Exit, Result, type Scope } from "effect"
import type { BackupFailure } from "./backup/BackupFailure.ts"
import * as SpecRequest from "./backup/SpecRequest.ts"
import * as Drill from "./drill/Drill.ts"
import type { Facts, Systems } from "./drill/DrillFacts.ts"
import * as DrillPreflight from "./drill/DrillPreflight.ts"
import * as DrillRequest from "./drill/DrillRequest.ts"
import type { DrillReport } from "./drill/DrillReport.ts"
import * as DrillReporting from "./drill/DrillReporting.ts"
import type { BackupId } from "./identity/BackupId.ts"
import { KafkaSinks } from "./kafka/KafkaSink.ts"
import { KafkaSources } from "./kafka/KafkaSource.ts"
import * as Readers from "./manifest/Readers.ts"
import type { RunSummary } from "./outcome/RunSummary.ts"
import * as DrillSpec from "./resource/DrillSpec.ts"
import type { KafkaBackup } from "./resource/KafkaBackup.ts"
import * as RestoreProgress from "./restore/RestoreProgress.ts"
import * as Slots from "./schedule/Slots.ts"
import type { Secrets } from "./secrets/MountedSecrets.ts"
import type { ObjectStores } from "./storage/ObjectStore.ts"
import * as Breaker from "./worker/Breaker.ts"
import * as BreakerGuards from "./worker/BreakerGuards.ts"
import * as Connections from "./worker/Connections.ts"
import * as Opening from "./worker/Opening.ts"
import * as Rotation from "./worker/Rotation.ts"
import * as SecretPatience from "./worker/SecretPatience.ts"
import * as WriteBounds from "./worker/WriteBounds.ts"

/* What a drill's pod does: the core of the command drill, without a process. Ports come from the context. */

/** Without circuit breakers: as long as a run waits for a broker by default. */
const defaultPatienceMillis = 10 * 60 * 1000

export interface DrillOptions {
  /** Choose and check everything, and write nothing. */
  readonly isDryRun: boolean
  /** When the drill was due, in milliseconds since 1970; absent: now. */
  readonly slotMillis?: number | undefined
  /** Claims are mounted as `{volumes}/{claim name}`. */
  readonly volumes: string | undefined
  /** How long the drill waits for a Secret that is missing or unusable, in milliseconds; 0 fails at once. */
  readonly secretPatienceMillis: number
  /**
   * Brokers and storage that do not answer are a failure at once: where they cannot be opened, or in the whole work,
   * whatever `circuitBreaker` says. Absent: they are waited for.
   */
  readonly failsAtOnce?: "opening" | "always" | undefined
}

/** Milliseconds between two drills of the schedule; undefined without one. */
const intervalOf = ({ schedule, timeZone }: DrillSpec.DrillSpec, atMillis: number): number | undefined => {
  const slots = Slots.of({ schedule, timeZone })
  const seconds = Result.isSuccess(slots) ? Slots.intervalSeconds(slots.success, atMillis) : undefined
  return seconds === undefined ? undefined : seconds * 1000
}

/** What a resource asks of one of its drills; with the defaults where it says nothing about drills. Pure. */
export const request = (backup: KafkaBackup, atMillis: number): DrillRequest.DrillRequest => {
  const { drill = DrillSpec.byHand, rateLimit } = backup.spec
  return {
    resource: SpecRequest.resource(backup),
    topics: drill.topics,
    prefix: drill.topicPrefix,
    maxBytes: DrillSpec.maxBytes(drill),
    replicationFactor: drill.replicationFactor,
    number: DrillRequest.numberOf(atMillis, intervalOf(drill, atMillis)),
    bytesPerSecond: rateLimit?.bytesPerSecond,
    recordsPerSecond: rateLimit?.recordsPerSecond
  }
}

/** What a drill works with. */
interface Opened extends Systems {
  readonly patienceMillis: number
}

/** Opens the store, the cluster of the scratch topics and the one that is backed up, as long as the scope lasts. */
const open = Effect.fn("DrillWorker.open")(function* (
  { spec }: KafkaBackup,
  progress: RestoreProgress.RestoreProgress,
  { failsAtOnce, secretPatienceMillis, volumes }: DrillOptions
): Effect.fn.Return<Opened, BackupFailure, Secrets | ObjectStores | KafkaSources | KafkaSinks | Scope.Scope> {
  const { againstLive, targetCluster } = spec.drill ?? DrillSpec.byHand
  const storage = Connections.storage(spec.storage, volumes)
  // The cluster that was backed up, where it is another one and is read.
  const other = againstLive && targetCluster !== undefined ? Connections.kafka(spec.kafkaCluster) : Effect.undefined
  const [target, backedUp] = yield* SecretPatience.untilUsable(
    Effect.all([Connections.kafka(targetCluster ?? spec.kafkaCluster), other, storage]),
    progress,
    secretPatienceMillis
  )
  const settings = failsAtOnce === "always" ? undefined : Breaker.settings(spec.circuitBreaker)
  const made = yield* BreakerGuards.make(settings, progress, false)
  const guards = failsAtOnce === undefined ? made : BreakerGuards.failingAtOnce(made)
  const [sinks, sources] = [yield* KafkaSinks, yield* KafkaSources]
  const store = guards.store(yield* Rotation.openStore(storage, guards.opening))
  const sink = yield* Opening.retried(sinks.open(target, guards.brokers), guards.connecting)
  const source = yield* Opening.retried(sources.open(target, guards.brokers), guards.connecting)
  const live =
    backedUp === undefined ? source : yield* Opening.retried(sources.open(backedUp, guards.brokers), guards.connecting)
  return {
    store,
    sink,
    source,
    live: againstLive ? live : undefined,
    patienceMillis: settings?.budgetMillis ?? defaultPatienceMillis
  }
})

/** One drill, from Secrets to the deletion of its topics. Fills `context` as it goes. */
export const attempt = Effect.fn("DrillWorker.attempt")(function* (
  backup: KafkaBackup,
  context: DrillReporting.DrillContext,
  options: DrillOptions
) {
  const { progress } = context
  context.backup = backup
  context.isDryRun = options.isDryRun
  const onFact = (fact: Partial<Facts>) => {
    context.facts = { ...context.facts, ...fact }
  }
  const systems = yield* open(backup, progress, options)
  const asked = request(backup, options.slotMillis ?? (yield* Clock.currentTimeMillis))
  progress.step = "checking"
  const { name, namespace } = backup.metadata
  const who = `drill of ${namespace === undefined ? name : `${namespace}/${name}`}`
  // A dry run writes nothing, here neither.
  const onOpened = (backupId: BackupId) =>
    options.isDryRun ? Effect.void : Readers.register(systems.store, backupId, who)
  const prepared = yield* DrillPreflight.prepare(systems, asked, onFact, onOpened)
  RestoreProgress.planned(progress, prepared.plan.restore)
  if (!options.isDryRun) {
    progress.startedWritingMillis = yield* Clock.currentTimeMillis
    progress.step = "writing"
    yield* Drill.run(systems, asked, prepared, {
      ...WriteBounds.here(),
      patienceMillis: systems.patienceMillis,
      ...RestoreProgress.counting(progress),
      onFact
    })
  }
  progress.step = "done"
}, Effect.scoped)

/** Report and summary of a drill, however it ended. */
export const conclude = (
  context: DrillReporting.DrillContext,
  exit: Exit.Exit<void, unknown>
): Effect.Effect<{ readonly report: DrillReport; readonly summary: RunSummary }> =>
  Effect.map(Clock.currentTimeMillis, (completedMillis) => {
    const report = DrillReporting.report(context, completedMillis, exit)
    return { report, summary: DrillReporting.summary(report) }
  })

/** Carries out a drill until its end or `stop`, and returns the summary that its pod reports. */
export const run = Effect.fn("DrillWorker.run")(function* (
  backup: KafkaBackup,
  options: Omit<DrillOptions, "isDryRun"> & { readonly stop: Deferred.Deferred<void> }
) {
  const context = DrillReporting.context(yield* Clock.currentTimeMillis, RestoreProgress.make())
  const exit = yield* Effect.exit(
    attempt(backup, context, { ...options, isDryRun: false }).pipe(
      Effect.raceFirst(Effect.andThen(Deferred.await(options.stop), Effect.interrupt))
    )
  )
  const { summary } = yield* conclude(context, exit)
  return summary
})
