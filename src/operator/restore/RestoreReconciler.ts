import { Effect, type Scope } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import * as Previous from "../../status/Previous.ts"
import * as RestoreAnnouncements from "../../status/restore/RestoreAnnouncements.ts"
import { OperatorMetrics } from "../../telemetry/OperatorMetrics.ts"
import type * as InformerCache from "../InformerCache.ts"
import type { JobSettings } from "../jobs/JobSettings.ts"
import type * as ReconcileFibers from "../ReconcileFibers.ts"
import * as KindReconciler from "./KindReconciler.ts"
import * as RestoreCaches from "./RestoreCaches.ts"
import * as RestoreObserved from "./RestoreObserved.ts"
import * as RestoreReconcile from "./RestoreReconcile.ts"

/** How restores are reconciled. */
export interface Settings {
  readonly jobs: JobSettings
  readonly fibers: ReconcileFibers.FiberSettings
  /** Namespaces whose KafkaRestores count; `undefined` is all of them. */
  readonly scopes: ReadonlyArray<InformerCache.Scope>
}

/** The part of the reconciler that is for restores. */
export const make = ({
  fibers,
  jobs,
  scopes
}: Settings): Effect.Effect<KindReconciler.KindReconciler, never, KindReconciler.Services | Scope.Scope> => {
  const caches = RestoreCaches.make(scopes)
  return KindReconciler.make({
    kind: Kind.kafkaRestores,
    noun: "restore",
    caches,
    fibers,
    scopes,
    reconcile: (resource, nowMillis) => {
      const observed = RestoreObserved.of(caches, resource, nowMillis)
      return Effect.map(RestoreReconcile.reconcile({ caches, settings: jobs }, observed), (result) => ({
        result,
        hasProblems: observed.problems.length > 0
      }))
    },
    forget: (ref) => Effect.flatMap(OperatorMetrics, (metrics) => metrics.forgetRestore(ref)),
    cancelled: (status) => RestoreAnnouncements.cancelled(Previous.readRestore(status))
  })
}
