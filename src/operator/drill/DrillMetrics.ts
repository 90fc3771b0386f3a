import { Effect } from "effect"
import type { DrillObservation } from "../../status/drill/DrillFacts.ts"
import * as NextDrill from "../../status/drill/NextDrill.ts"
import * as Format from "../../status/Format.ts"
import type { Status } from "../../status/Status.ts"
import type { OperatorMetrics } from "../../telemetry/OperatorMetrics.ts"
import type { DrillState } from "../../telemetry/OperatorReport.ts"
import type { Observed } from "../Observed.ts"

/** Reports what a reconcile wrote about drills: their state, and each end once. */
export const report = Effect.fn("DrillMetrics.report")(function* (
  metrics: OperatorMetrics["Service"],
  { name, namespace, previous }: Pick<Observed, "name" | "namespace" | "previous">,
  observation: DrillObservation,
  next: Status
) {
  const ref = { namespace, name }
  if (next.drill === undefined) return yield* metrics.forgetDrills(ref)
  if (observation._tag !== "Found") return
  yield* metrics.drill(ref, state(observation, next))
  for (const drill of observation.facts.ended) {
    if (!NextDrill.isNews(previous.drill, next.drill, drill)) continue
    const { endMillis, outcome, reason, startMillis } = drill
    yield* metrics.drillEnded(ref, { outcome, reason, durationSeconds: (endMillis - startMillis) / 1000 })
  }
})

const state = (
  { facts: { memory, state } }: Extract<DrillObservation, { readonly _tag: "Found" }>,
  { conditions, drill }: Status
): DrillState => {
  const restorable = conditions?.find(({ type }) => type === "Restorable")?.status
  return {
    isRestorable: restorable === "True" ? true : restorable === "False" ? false : undefined,
    lastPassedMillis: drill?.lastPassedTime === undefined ? undefined : Format.millis(drill.lastPassedTime),
    estimatedSeconds: drill?.estimatedRestoreSeconds,
    expected:
      state._tag === "Scheduled" && state.intervalSeconds !== undefined && memory.sinceMillis !== undefined
        ? { intervalSeconds: state.intervalSeconds, sinceMillis: memory.sinceMillis }
        : undefined
  }
}
