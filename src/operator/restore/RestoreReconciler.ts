import { Cause, Clock, Effect, Option, type Scope, Stream } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import { type Delta, KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../../kubernetes/KubernetesError.ts"
import type { Job, KubeObject, Pod } from "../../kubernetes/Objects.ts"
import { given } from "../../resource/Json.ts"
import * as Previous from "../../status/Previous.ts"
import * as RestoreAnnouncements from "../../status/restore/RestoreAnnouncements.ts"
import { OperatorMetrics } from "../../telemetry/OperatorMetrics.ts"
import type * as InformerCache from "../InformerCache.ts"
import type { JobSettings } from "../jobs/JobSettings.ts"
import type { PodProgress } from "../PodProgress.ts"
import * as ReconcileFibers from "../ReconcileFibers.ts"
import type { ReconcileResult } from "../ReconcileContext.ts"
import * as RestoreCaches from "./RestoreCaches.ts"
import type { RestoreContext } from "./RestoreContext.ts"
import * as RestoreObserved from "./RestoreObserved.ts"
import * as RestoreReconcile from "./RestoreReconcile.ts"
import * as RestoreReport from "./RestoreReport.ts"

/** How restores are reconciled. */
export interface Settings {
  readonly jobs: JobSettings
  readonly fibers: ReconcileFibers.FiberSettings
  /** Namespaces whose KafkaRestores count; `undefined` is all of them. */
  readonly scopes: ReadonlyArray<InformerCache.Scope>
}

/**
 * The part of the reconciler that is for restores. Jobs and pods come from the watches of the whole reconciler. Backups
 * do not wait for it: where the API server does not know the kind KafkaRestore, or denies it, only restores are not
 * reconciled.
 */
export interface RestoreReconciler {
  /** Watches KafkaRestores; never ends by itself. */
  readonly watch: Effect.Effect<void>
  readonly onJobs: (delta: Delta<Job>, scope: InformerCache.Scope) => void
  readonly onPods: (delta: Delta<Pod>, scope: InformerCache.Scope) => void
}

type Services = KubernetesApi | PodProgress | OperatorMetrics | RestoreReport.Services

export const make = Effect.fn("RestoreReconciler.make")(function* ({
  fibers: fiberSettings,
  jobs,
  scopes
}: Settings): Effect.fn.Return<RestoreReconciler, never, Services | Scope.Scope> {
  const api = yield* KubernetesApi
  const caches = RestoreCaches.make(scopes)
  const services = yield* Effect.context<Services>()
  /** By uid: restores whose deletion was announced. */
  const announced = new Set<string>()

  const fibers = yield* ReconcileFibers.make(
    (key) => Effect.provideContext(reconcileKey({ caches, settings: jobs }, key, announced), services),
    (key, cause) => Effect.provideContext(failed(key, cause), services),
    fiberSettings
  )

  /** True once all caches are synced. No reconcile before: with half the facts it would start Jobs that exist. */
  let isOpen = false
  const wake = (keys: ReadonlyArray<InformerCache.Key>) => {
    if (isOpen) {
      for (const key of keys) fibers.wake(key)
    } else if (caches.isSynced()) {
      isOpen = true
      for (const key of caches.resources.keys()) fibers.wake(key)
    }
  }

  const watched = (scope: InformerCache.Scope) =>
    Stream.runForEach(api.watch(Kind.kafkaRestores, given({ namespace: scope })), (delta) =>
      Effect.gen(function* () {
        // First of all: the end of its Job must not be taken for a failure.
        wake(caches.resources.absorb(delta, scope))
        if (delta._tag === "Delete") yield* cancelled(delta.object, announced)
      })
    )

  return {
    watch: Effect.provideContext(
      Effect.forEach(scopes, watched, { concurrency: "unbounded", discard: true }),
      services
    ),
    onJobs: (delta, scope) => wake(caches.absorbJobs(delta, scope)),
    onPods: (delta, scope) => wake(caches.pods.absorb(delta, scope))
  }
})

/**
 * Announces once that a deletion stops a restore, or leaves a retention hold. Its Job ends with it: the resource owns
 * the Job.
 */
const cancelled = Effect.fnUntraced(function* ({ metadata, status }: KubeObject, announced: Set<string>) {
  const { name, namespace = "", uid = "" } = metadata
  if (announced.has(uid)) return
  const announcement = RestoreAnnouncements.cancelled(Previous.readRestore(status))
  if (announcement === undefined) return
  announced.add(uid)
  yield* RestoreReport.announce({ name, namespace, uid }, [announcement])
})

const reconcileKey = Effect.fnUntraced(function* (
  context: RestoreContext,
  key: InformerCache.Key,
  announced: Set<string>
): Effect.fn.Return<ReconcileResult, KubernetesError, Services> {
  const metrics = yield* OperatorMetrics
  const { caches } = context
  const resource = caches.resources.get(key)
  if (resource === undefined) {
    caches.forgetTombstones(key)
    const [namespace = "", name = ""] = key.split("/")
    yield* metrics.forgetRestore({ namespace, name })
    return { _tag: "Gone" }
  }
  if (resource.metadata.deletionTimestamp !== undefined) {
    // It waits for its Job, or for somebody's finalizer: nothing is started any more.
    yield* cancelled(resource, announced)
    return { _tag: "After", millis: Infinity }
  }
  const since = yield* Clock.currentTimeMillis
  const observed = RestoreObserved.of(caches, resource, since)
  const result = yield* RestoreReconcile.reconcile(context, observed)
  const until = yield* Clock.currentTimeMillis
  const isUnchanged = caches.resources.versionOf(key) === resource.metadata.resourceVersion
  const outcome = observed.problems.length > 0 ? "user_must_act" : isUnchanged ? "unchanged" : "changed"
  yield* metrics.reconciled(outcome, (until - since) / 1000)
  return result
})

/** A reconcile that failed is tried again; the log says whether that can help. */
const failed = Effect.fnUntraced(function* (key: InformerCache.Key, cause: Cause.Cause<KubernetesError>) {
  const metrics = yield* OperatorMetrics
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  yield* metrics.reconciled(error === undefined ? "defect" : "retry", 0)
  yield* Effect.annotateLogs(error === undefined ? logDefect(cause) : logFailure(error), { restore: key })
  return error?.reason._tag === "Throttled" ? error.reason.retryAfterMillis : undefined
})

const logDefect = (cause: Cause.Cause<KubernetesError>) =>
  Effect.logError("internal error while reconciling a restore (please report it)", cause)

/** The resource or its namespace was deleted in the meantime: the watches report it in a moment. */
const isDeletion = ({ reason, request }: KubernetesError): boolean =>
  reason._tag === "NotFound"
    ? !reason.isKindMissing && request.includes(` ${Kind.kafkaRestores.plural} `)
    : reason._tag === "Forbidden" && reason.isNamespaceTerminating

const logFailure = (error: KubernetesError) => {
  // The resource changed in the meantime: that is an ordinary reason to reconcile again.
  if (hasReason("Conflict")(error) || isDeletion(error)) return Effect.logDebug(`reconciling again: ${error.message}`)
  const log = error.isRetryable ? Effect.logWarning : Effect.logError
  return log(`reconcile of a restore failed, trying again: ${error.message}`)
}
