import { Effect, type Scope } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import * as Previous from "../../status/Previous.ts"
import * as RestoreAnnouncements from "../../status/restore/RestoreAnnouncements.ts"
import { OperatorMetrics } from "../../telemetry/OperatorMetrics.ts"
import * as Labels from "../Labels.ts"
import * as KindReconciler from "../oneTime/KindReconciler.ts"
import * as OneTimeCaches from "../oneTime/OneTimeCaches.ts"
import * as RestoreObserved from "./RestoreObserved.ts"
import * as RestoreReconcile from "./RestoreReconcile.ts"

/** The part of the reconciler that is for restores. */
export const make = ({
  fibers,
  jobs,
  scopes
}: KindReconciler.Settings): Effect.Effect<
  KindReconciler.KindReconciler,
  never,
  KindReconciler.Services | Scope.Scope
> => {
  const caches = OneTimeCaches.make(scopes, Labels.restoreAnnotation)
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
