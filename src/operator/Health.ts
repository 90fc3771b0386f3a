import { Clock, Context, Effect, Layer } from "effect"

/** The answer to a probe. */
export interface ProbeAnswer {
  readonly isWell: boolean
  /** One line for people. */
  readonly text: string
}

/** What this replica can do. */
export type Readiness =
  /** Not ready: its caches of these kinds have not seen what there is. */
  | { readonly _tag: "Starting"; readonly waitingFor: ReadonlyArray<string> }
  /** Ready to take over: another replica leads, whose name is known or not. */
  | { readonly _tag: "Standby"; readonly leader: string | undefined }
  | { readonly _tag: "Leading" }
  /** Not ready any more: asked to end. */
  | { readonly _tag: "Stopping" }

/** How old the last heartbeat may be, in milliseconds. */
export const staleMillis = 30_000

const beatEvery = "1 second"

/** Whether the process is worth keeping: the supervised root gave a sign of life not long ago. */
export const liveness = (sinceBeatMillis: number): ProbeAnswer =>
  sinceBeatMillis <= staleMillis
    ? { isWell: true, text: "ok" }
    : {
        isWell: false,
        text: `no heartbeat for ${Math.floor(sinceBeatMillis / 1000)} s: the operator's work has ended or the process is stuck`
      }

/** Whether this replica would do the work, or is fit to take it over. */
export const readiness = (state: Readiness): ProbeAnswer => {
  switch (state._tag) {
    case "Starting":
      return { isWell: false, text: `starting: has not read ${state.waitingFor.join(", ")} yet` }
    case "Standby":
      return { isWell: true, text: `standing by: ${state.leader ?? "another replica"} leads` }
    case "Leading":
      return { isWell: true, text: "leading" }
    case "Stopping":
      return { isWell: false, text: "stopping" }
  }
}

/** What the probes ask. */
export class Health extends Context.Service<
  Health,
  {
    /**
     * Gives a sign of life every second and never ends. To be run beside the operator's work, under the same supervision: when
     * that ends, so do the signs.
     */
    readonly heartbeat: Effect.Effect<never>
    readonly become: (state: Readiness) => Effect.Effect<void>
    readonly live: Effect.Effect<ProbeAnswer>
    readonly ready: Effect.Effect<ProbeAnswer>
  }
>()("kafka-backup/operator/Health") {}

const make = Effect.gen(function* () {
  // Not the time of day, which may jump.
  const nowMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))
  let lastBeatMillis = yield* nowMillis
  let state: Readiness = { _tag: "Starting", waitingFor: ["anything"] }
  const beat = Effect.map(nowMillis, (millis) => void (lastBeatMillis = millis))
  return Health.of({
    heartbeat: Effect.forever(Effect.andThen(beat, Effect.sleep(beatEvery))),
    become: (next) => Effect.sync(() => void (state = next)),
    live: Effect.map(nowMillis, (millis) => liveness(millis - lastBeatMillis)),
    ready: Effect.sync(() => readiness(state))
  })
})

/** Alive for `staleMillis` without a heartbeat, which is the time to start; not ready until told. */
export const layer: Layer.Layer<Health> = Layer.effect(Health, make)
