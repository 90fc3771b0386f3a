import { Cause, Clock, Effect, Option, Stream } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { type Delta, KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { KubeObject } from "../kubernetes/Objects.ts"
import { given } from "../resource/Json.ts"
import { OperatorMetrics } from "../telemetry/OperatorMetrics.ts"
import * as Caches from "./Caches.ts"
import * as LivePodRead from "./LivePodRead.ts"
import * as Finalizer from "./Finalizer.ts"
import { Health } from "./Health.ts"
import type { JobSettings } from "./jobs/JobSettings.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
import * as Labels from "./Labels.ts"
import type { ReconcileContext, ReconcileResult } from "./ReconcileContext.ts"
import * as Reconcile from "./Reconcile.ts"
import * as ReconcileDeletion from "./ReconcileDeletion.ts"
import type { Key, Scope } from "./InformerCache.ts"
import type * as StatusReport from "./StatusReport.ts"
import type { PodProgress } from "./PodProgress.ts"
import * as ReconcileFibers from "./ReconcileFibers.ts"
import * as OffsetReconciler from "./offsets/OffsetReconciler.ts"
import * as RestoreReconciler from "./restore/RestoreReconciler.ts"
import * as RunQueue from "./RunQueue.ts"
import * as Observed from "./Observed.ts"
import * as StuckEvents from "./StuckEvents.ts"
import { Watched } from "./Watched.ts"

/** How the operator is set up. */
export interface Settings {
  /** How pods of Jobs are made. */
  readonly jobs: JobSettings
  /** Namespaces whose KafkaBackups count. Absent: all of them. */
  readonly watchNamespaces?: ReadonlyArray<string>
  /** Runs at the same time, over all resources. */
  readonly maxConcurrentRuns: number
  /** Drills at the same time, over all resources; they do not count as runs. */
  readonly maxConcurrentDrills: number
  /** Checks at the same time, over all resources; they do not count as runs either. */
  readonly maxConcurrentChecks: number
  /** Longest time between two checks of a resource without a run, in milliseconds. Absent: only after an edit. */
  readonly checkEveryMillis: number | undefined
  readonly fibers: ReconcileFibers.FiberSettings
}

export const defaults = {
  maxConcurrentRuns: 10,
  maxConcurrentDrills: 2,
  maxConcurrentChecks: 5,
  checkEveryMillis: 6 * 3_600_000,
  fibers: ReconcileFibers.defaults
} as const

/**
 * The reconciler: watches resources, Jobs and pods, and reconciles each resource that something happened to. To be run
 * by the leader; never ends by itself. Everything that it knows it learns again after a restart.
 */
export const run = Effect.fn("Reconciler.run")(function* (settings: Settings) {
  const api = yield* KubernetesApi
  const health = yield* Health
  const metrics = yield* OperatorMetrics
  const watched = yield* Watched
  const scopes = settings.watchNamespaces ?? [undefined]
  const caches = Caches.make(scopes)
  const queue = RunQueue.make(settings.maxConcurrentRuns)
  const drillQueue = RunQueue.make(settings.maxConcurrentDrills)
  const checkQueue = RunQueue.make(settings.maxConcurrentChecks)
  const { checkEveryMillis, jobs } = settings
  const context: ReconcileContext = { caches, queue, drillQueue, checkQueue, checkEveryMillis, settings: jobs }
  const services = yield* Effect.context<ReconcileServices>()
  const serveQueue = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const key of queue.next(caches.load(now))) fibers.wake(key)
    for (const key of drillQueue.next(caches.drillLoad(now))) fibers.wake(key)
    for (const key of checkQueue.next(caches.checkLoad(now))) fibers.wake(key)
    yield* metrics.activeRuns(caches.activeRuns())
    yield* metrics.startingRuns(caches.startingRuns())
    yield* metrics.queuedRuns(queue.length())
    yield* metrics.drills({ active: caches.activeDrills(), queued: drillQueue.length() })
  })
  const fibers: ReconcileFibers.ReconcileFibers = yield* ReconcileFibers.make(
    // A Job that does not start makes room without any event.
    (key) =>
      Effect.provideContext(
        Effect.tap(reconcileKey(context, key), () => serveQueue),
        services
      ),
    (key, cause) => Effect.provideContext(failed(context, key, cause), services),
    settings.fibers
  )

  const ofOthers = { jobs: settings.jobs, fibers: settings.fibers, scopes }
  const others = [
    yield* RestoreReconciler.make(ofOthers),
    yield* OffsetReconciler.make("KafkaOffsetReset", ofOthers),
    yield* OffsetReconciler.make("KafkaOffsetRollback", ofOthers)
  ]

  /** True once all caches are synced. No reconcile before: with half the facts it would start runs that exist. */
  let isOpen = false
  const onChange = Effect.fnUntraced(function* (keys: ReadonlyArray<Key>) {
    if (!isOpen) {
      yield* health.become({ _tag: "Starting", waitingFor: unsynced(caches) })
      if (!caches.isSynced()) return
      isOpen = true
      yield* health.become({ _tag: "Leading" })
      yield* Effect.logInfo("watching").pipe(
        Effect.annotateLogs({ kafkaBackups: caches.resources.size(), jobs: caches.jobs.size() })
      )
      for (const key of caches.resources.keys()) fibers.wake(key)
      return
    }
    for (const key of keys) fibers.wake(key)
    yield* serveQueue
    yield* metrics.workQueueDepth(fibers.depth())
  })

  const watch = <A extends KubeObject>(
    kind: Kind.Kind<A>,
    labelSelector: string | undefined,
    absorb: (delta: Delta<A>, scope: Scope) => ReadonlyArray<Key>
  ) =>
    Effect.forEach(
      scopes,
      (scope) => {
        const selection = given({ namespace: scope, labelSelector })
        return Stream.runForEach(api.watch(kind, selection), (delta) => onChange(absorb(delta, scope)))
      },
      { concurrency: "unbounded", discard: true }
    )

  yield* Effect.addFinalizer(() => metrics.forgetAll)
  yield* watched.show([
    { kind: Kind.kafkaBackups.kind, resources: caches.resources },
    ...others.map(({ source }) => source)
  ])
  yield* Effect.all(
    [
      watch(Kind.kafkaBackups, undefined, caches.resources.absorb),
      ...others.map(({ watch }) => watch),
      watch(Kind.jobs, Labels.ours, (delta, scope) => {
        for (const { onJobs } of others) onJobs(delta, scope)
        return caches.absorbJobs(delta, scope)
      }),
      watch(Kind.pods, Labels.ours, (delta, scope) => {
        for (const { onPods } of others) onPods(delta, scope)
        return caches.pods.absorb(delta, scope)
      })
    ],
    { concurrency: "unbounded", discard: true }
  )
  return yield* Effect.die(new Error("a watch ended"))
}, Effect.scoped)

type ReconcileServices = KubernetesApi | PodProgress | StatusReport.Services

const unsynced = ({ jobs, pods, resources }: Caches.Caches): ReadonlyArray<string> =>
  Object.entries({ kafkabackups: resources, jobs, pods }).flatMap(([name, cache]) => (cache.isSynced() ? [] : [name]))

/** One reconcile of one resource, measured. */
const reconcileKey = Effect.fnUntraced(function* (context: ReconcileContext, key: Key) {
  const metrics = yield* OperatorMetrics
  const resource = context.caches.resources.get(key)
  if (resource === undefined) {
    context.queue.settle(key)
    context.drillQueue.settle(key)
    context.checkQueue.settle(key)
    context.caches.forgetTombstones(key)
    const [namespace = "", name = ""] = key.split("/")
    yield* metrics.forget({ namespace, name })
    return { _tag: "Gone" } as const
  }
  const since = yield* Clock.currentTimeMillis
  const observed = Observed.of(context.caches, resource, since)
  const result = yield* reconcileObserved(context, observed)
  const until = yield* Clock.currentTimeMillis
  const isUnchanged = context.caches.resources.versionOf(key) === resource.metadata.resourceVersion
  const outcome = observed.problems.length > 0 ? "user_must_act" : isUnchanged ? "unchanged" : "changed"
  yield* metrics.reconciled(outcome, (until - since) / 1000)
  return result
})

const reconcileObserved = Effect.fnUntraced(function* (
  context: ReconcileContext,
  first: Observed.Observed
): Effect.fn.Return<ReconcileResult, KubernetesError, ReconcileServices> {
  const observed = (yield* LivePodRead.confirm(context.caches, first))
    ? Observed.of(context.caches, first.resource, first.nowMillis)
    : first
  const { deletionTimestamp } = observed.resource.metadata
  const deletedMillis = JobFacts.millis(deletionTimestamp)
  if (deletedMillis !== undefined) return yield* ReconcileDeletion.reconcile(context, observed, deletedMillis)
  yield* Finalizer.keep(context.caches, observed)
  const events = yield* StuckEvents.list(observed)
  const { resources } = context.caches
  if (resources.versionOf(observed.key) === observed.resource.metadata.resourceVersion && events.length === 0) {
    return yield* Reconcile.reconcile(context, observed)
  }
  const resource = resources.get(observed.key) ?? observed.resource
  return yield* Reconcile.reconcile(context, Observed.of(context.caches, resource, observed.nowMillis, events))
})

/** A reconcile that failed is tried again; the log says whether that can help. */
const failed = Effect.fnUntraced(function* (
  { checkQueue, drillQueue, queue }: ReconcileContext,
  key: Key,
  cause: Cause.Cause<KubernetesError>
) {
  // It would keep its place, and with it a part of the room, for as long as its reconciles fail.
  queue.settle(key)
  drillQueue.settle(key)
  checkQueue.settle(key)
  const metrics = yield* OperatorMetrics
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  yield* metrics.reconciled(error === undefined ? "defect" : "retry", 0)
  yield* Effect.annotateLogs(error === undefined ? logDefect(cause) : logFailure(error), { resource: key })
  return error?.reason._tag === "Throttled" ? error.reason.retryAfterMillis : undefined
})

const logDefect = (cause: Cause.Cause<KubernetesError>) =>
  Effect.logError("internal error while reconciling a resource (please report it)", cause)

/** The resource or its namespace was deleted in the meantime: the watches report it in a moment. */
const isDeletion = ({ reason, request }: KubernetesError): boolean =>
  reason._tag === "NotFound"
    ? !reason.isKindMissing && request.includes(` ${Kind.kafkaBackups.plural} `)
    : reason._tag === "Forbidden" && reason.isNamespaceTerminating

const logFailure = (error: KubernetesError) => {
  // The resource changed in the meantime: that is an ordinary reason to reconcile again.
  if (hasReason("Conflict")(error) || isDeletion(error)) return Effect.logDebug(`reconciling again: ${error.message}`)
  const log = error.isRetryable ? Effect.logWarning : Effect.logError
  return log(`reconcile failed, trying again: ${error.message}`)
}
