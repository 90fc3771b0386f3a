import { Effect, type Scope } from "effect"
import type { OffsetKind } from "../../resource/OffsetCrds.ts"
import * as OffsetAnnouncements from "../../status/offsets/OffsetAnnouncements.ts"
import * as Previous from "../../status/Previous.ts"
import { OperatorMetrics } from "../../telemetry/OperatorMetrics.ts"
import * as Labels from "../Labels.ts"
import * as KindReconciler from "../oneTime/KindReconciler.ts"
import * as OneTimeCaches from "../oneTime/OneTimeCaches.ts"
import * as OffsetObserved from "./OffsetObserved.ts"
import * as OffsetReconcile from "./OffsetReconcile.ts"
import * as OffsetReport from "./OffsetReport.ts"

const annotations = {
  KafkaOffsetReset: Labels.offsetResetAnnotation,
  KafkaOffsetRollback: Labels.offsetRollbackAnnotation
} as const

const nouns = { KafkaOffsetReset: "reset of offsets", KafkaOffsetRollback: "rollback of offsets" } as const

/** The part of the reconciler that is for one kind of resources about offsets. */
export const make = (
  kind: OffsetKind,
  { fibers, jobs, scopes }: KindReconciler.Settings
): Effect.Effect<KindReconciler.KindReconciler, never, KindReconciler.Services | Scope.Scope> => {
  const caches = OneTimeCaches.make(scopes, annotations[kind])
  return KindReconciler.make({
    kind: OffsetReport.kinds[kind],
    noun: nouns[kind],
    caches,
    fibers,
    scopes,
    reconcile: (resource, nowMillis) => {
      const observed = OffsetObserved.of(kind, caches, resource, nowMillis)
      return Effect.map(OffsetReconcile.reconcile({ caches, settings: jobs }, observed), (result) => ({
        result,
        hasProblems: observed.problems.length > 0
      }))
    },
    forget: (ref) => Effect.flatMap(OperatorMetrics, (metrics) => metrics.forgetOffsets(kind, ref)),
    cancelled: (status) => OffsetAnnouncements.cancelled(Previous.readOffsets(status))
  })
}
