import { Cause, Clock, Effect, Option, type Scope, Stream } from "effect"
import type * as Kind from "../../kubernetes/Kind.ts"
import { type Delta, KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../../kubernetes/KubernetesError.ts"
import type { Job, KubeObject, Pod } from "../../kubernetes/Objects.ts"
import { given } from "../../resource/Json.ts"
import type { Announcement } from "../../status/Announcements.ts"
import { OperatorMetrics } from "../../telemetry/OperatorMetrics.ts"
import type { EventRecorder } from "../EventRecorder.ts"
import type * as InformerCache from "../InformerCache.ts"
import type { JobSettings } from "../jobs/JobSettings.ts"
import type { PodProgress } from "../PodProgress.ts"
import * as ReconcileFibers from "../ReconcileFibers.ts"
import type { ReconcileResult } from "../ReconcileContext.ts"
import * as Announcing from "./Announcing.ts"
import type { Source } from "../Watched.ts"
import type { OneTimeCaches } from "./OneTimeCaches.ts"

export type Services = KubernetesApi | PodProgress | OperatorMetrics | EventRecorder

/** How resources of a kind are reconciled. */
export interface Settings {
  readonly jobs: JobSettings
  readonly fibers: ReconcileFibers.FiberSettings
  /** Namespaces whose resources count; `undefined` is all of them. */
  readonly scopes: ReadonlyArray<InformerCache.Scope>
}

/** One kind of resources that are carried out once, by Jobs that they own. */
export interface Parts extends Omit<Settings, "jobs"> {
  readonly kind: Kind.Kind
  /** In messages: `restore`. */
  readonly noun: string
  readonly caches: OneTimeCaches
  /** Reconciles one resource that is not being deleted. */
  readonly reconcile: (
    resource: KubeObject,
    nowMillis: number
  ) => Effect.Effect<{ readonly result: ReconcileResult; readonly hasProblems: boolean }, KubernetesError, Services>
  /** Forgets the metrics of a resource that is gone. */
  readonly forget: (ref: { readonly namespace: string; readonly name: string }) => Effect.Effect<void, never, Services>
  /** What a deletion stops or leaves, by the status; undefined for nothing that is to be told. */
  readonly cancelled: (status: unknown) => Announcement | undefined
}

/**
 * The part of the reconciler that is for one kind. Jobs and pods come from the watches of the whole reconciler. Backups
 * do not wait for it: where the API server does not know the kind, or denies it, only its resources are not reconciled.
 */
export interface KindReconciler {
  /** The resources that it knows, for whoever only looks at them. */
  readonly source: Source
  /** Watches the resources; never ends by itself. */
  readonly watch: Effect.Effect<void>
  readonly onJobs: (delta: Delta<Job>, scope: InformerCache.Scope) => void
  readonly onPods: (delta: Delta<Pod>, scope: InformerCache.Scope) => void
}

export const make = Effect.fn("KindReconciler.make")(function* (
  parts: Parts
): Effect.fn.Return<KindReconciler, never, Services | Scope.Scope> {
  const { caches, kind, scopes } = parts
  const api = yield* KubernetesApi
  const services = yield* Effect.context<Services>()
  /** By uid: resources whose deletion was announced. */
  const announced = new Set<string>()

  const fibers = yield* ReconcileFibers.make(
    (key) => Effect.provideContext(reconcileKey(parts, key, announced), services),
    (key, cause) => Effect.provideContext(failed(parts, key, cause), services),
    parts.fibers
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
    Stream.runForEach(api.watch(kind, given({ namespace: scope })), (delta) =>
      Effect.gen(function* () {
        // First of all: the end of its Job must not be taken for a failure.
        wake(caches.resources.absorb(delta, scope))
        if (delta._tag === "Delete") yield* cancelled(parts, delta.object, announced)
      })
    )

  return {
    source: { kind: kind.kind, resources: caches.resources },
    watch: Effect.provideContext(
      Effect.forEach(scopes, watched, { concurrency: "unbounded", discard: true }),
      services
    ),
    onJobs: (delta, scope) => wake(caches.absorbJobs(delta, scope)),
    onPods: (delta, scope) => wake(caches.pods.absorb(delta, scope))
  }
})

/** Announces once what a deletion stops or leaves. The Job ends with the resource, which owns it. */
const cancelled = Effect.fnUntraced(function* (parts: Parts, { metadata, status }: KubeObject, announced: Set<string>) {
  const { name, namespace = "", uid = "" } = metadata
  if (announced.has(uid)) return
  const announcement = parts.cancelled(status)
  if (announcement === undefined) return
  announced.add(uid)
  yield* Announcing.announce(parts.kind.kind, { name, namespace, uid }, [announcement])
})

const reconcileKey = Effect.fnUntraced(function* (
  parts: Parts,
  key: InformerCache.Key,
  announced: Set<string>
): Effect.fn.Return<ReconcileResult, KubernetesError, Services> {
  const metrics = yield* OperatorMetrics
  const { caches } = parts
  const resource = caches.resources.get(key)
  if (resource === undefined) {
    caches.forgetTombstones(key)
    const [namespace = "", name = ""] = key.split("/")
    yield* parts.forget({ namespace, name })
    return { _tag: "Gone" }
  }
  if (resource.metadata.deletionTimestamp !== undefined) {
    // It waits for its Job, or for somebody's finalizer: nothing is started any more.
    yield* cancelled(parts, resource, announced)
    return { _tag: "After", millis: Infinity }
  }
  const since = yield* Clock.currentTimeMillis
  const { hasProblems, result } = yield* parts.reconcile(resource, since)
  const until = yield* Clock.currentTimeMillis
  const isUnchanged = caches.resources.versionOf(key) === resource.metadata.resourceVersion
  const outcome = hasProblems ? "user_must_act" : isUnchanged ? "unchanged" : "changed"
  yield* metrics.reconciled(outcome, (until - since) / 1000)
  return result
})

/** A reconcile that failed is tried again; the log says whether that can help. */
const failed = Effect.fnUntraced(function* (
  { kind, noun }: Parts,
  key: InformerCache.Key,
  cause: Cause.Cause<KubernetesError>
) {
  const metrics = yield* OperatorMetrics
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  yield* metrics.reconciled(error === undefined ? "defect" : "retry", 0)
  const log =
    error === undefined
      ? Effect.logError(`internal error while reconciling a ${noun} (please report it)`, cause)
      : logFailure(kind, noun, error)
  yield* Effect.annotateLogs(log, { [noun.replaceAll(" ", "_")]: key })
  return error?.reason._tag === "Throttled" ? error.reason.retryAfterMillis : undefined
})

/** The resource or its namespace was deleted in the meantime: the watches report it in a moment. */
const isDeletion = (kind: Kind.Kind, { reason, request }: KubernetesError): boolean =>
  reason._tag === "NotFound"
    ? !reason.isKindMissing && request.includes(` ${kind.plural} `)
    : reason._tag === "Forbidden" && reason.isNamespaceTerminating

const logFailure = (kind: Kind.Kind, noun: string, error: KubernetesError) => {
  // The resource changed in the meantime: that is an ordinary reason to reconcile again.
  if (hasReason("Conflict")(error) || isDeletion(kind, error)) {
    return Effect.logDebug(`reconciling again: ${error.message}`)
  }
  const log = error.isRetryable ? Effect.logWarning : Effect.logError
  return log(`reconcile of a ${noun} failed, trying again: ${error.message}`)
}
