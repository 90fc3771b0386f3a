import { Cause, Effect, Layer, Schedule } from "effect"
import * as Election from "./kubernetes/Election.ts"
import type { KubernetesApi } from "./kubernetes/KubernetesApi.ts"
import * as Definitions from "./operator/Definitions.ts"
import * as EventRecorder from "./operator/EventRecorder.ts"
import * as Health from "./operator/Health.ts"
import type { PodProgress } from "./operator/PodProgress.ts"
import * as Reconciler from "./operator/Reconciler.ts"
import * as Rival from "./operator/Rival.ts"
import { Watched } from "./operator/Watched.ts"
import { OperatorMetrics } from "./telemetry/OperatorMetrics.ts"

/** How one operator process is set up. */
export interface Settings extends Reconciler.Settings {
  /** Name of this replica, for Events. */
  readonly instance: string
  /** Where replicas agree on the leader. Absent: this is the only replica. */
  readonly election?: Pick<
    Election.Settings,
    "namespace" | "name" | "identity" | "leaseMillis" | "renewMillis" | "retryMillis"
  >
}

/** Restarts of the root after a defect: soon at first, then at most every half minute. */
const restarts = Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("30 seconds")]).pipe(Schedule.jittered)

/** Only the end of its scope ends the root. */
const supervised = <R>(root: Effect.Effect<never, never, R>): Effect.Effect<never, never, R> =>
  root.pipe(
    Effect.sandbox,
    Effect.tapError((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.void
        : Effect.logError("internal error: the operator's work ended and is restarted (please report it)", cause)
    ),
    Effect.retry({ schedule: restarts, while: (cause) => !Cause.hasInterruptsOnly(cause) }),
    Effect.catch(Effect.failCause)
  )

/** What a replica that does not lead can do. */
const readinessOf = (
  standing: Exclude<Election.Standing, { readonly _tag: "Leading" }>,
  own: Rival.Replica
): Health.Readiness => {
  if (standing._tag === "Unable") return standing
  const { holder, scope } = standing
  return holder !== undefined && Rival.isRival(own, { identity: holder, scope })
    ? { _tag: "Barred", leader: holder, watches: Rival.inWords(scope), wanted: Rival.inWords(own.scope) }
    : { _tag: "Standby", leader: holder }
}

const root = (settings: Settings) =>
  Effect.gen(function* () {
    const health = yield* Health.Health
    const metrics = yield* OperatorMetrics
    const work = Effect.andThen(metrics.leadership(true), Reconciler.run(settings))
    const { election } = settings
    const scope = Rival.scopeOf(settings.watchNamespaces)
    const onChange =
      (identity: string) =>
      (standing: Election.Standing): Effect.Effect<void> => {
        // Ready when the caches are.
        if (standing._tag === "Leading") return Effect.void
        const readiness = readinessOf(standing, { identity, scope })
        return Effect.all(
          [
            metrics.leadership(false),
            health.become(readiness),
            readiness._tag === "Barred" ? Effect.logError(Health.readiness(readiness).text) : Effect.void
          ],
          { discard: true }
        )
      }
    const leading =
      election === undefined
        ? work
        : Election.asLeader({ ...election, scope, onChange: onChange(election.identity) }, work)
    return yield* Effect.raceFirst(Effect.andThen(Definitions.awaited, leading), health.heartbeat)
  })

/**
 * The whole operator, with its ports open, for as long as the scope lasts: one supervised root fiber that reconciles
 * while it leads. `Health` answers its probes, and `Watched` has the resources that it watches while it leads.
 */
export const layer = (
  settings: Settings
): Layer.Layer<Health.Health | Watched, never, KubernetesApi | PodProgress | OperatorMetrics> =>
  Layer.effectDiscard(Effect.forkScoped(supervised(root(settings)))).pipe(
    Layer.provide(EventRecorder.layer(settings.instance)),
    Layer.provideMerge(Layer.mergeAll(Health.layer, Watched.layer))
  )
