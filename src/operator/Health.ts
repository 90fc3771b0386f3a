import { Clock, Context, Effect, Layer } from "effect"

/** The answer to a probe. */
export interface ProbeAnswer {
  readonly isWell: boolean
  /** One line for people. */
  readonly text: string
}

/** What this replica can do. */
export type Readiness =
  /** Not ready: the server's definitions do not have what this version needs; `text` says what. */
  | { readonly _tag: "Outdated"; readonly text: string }
  /** Not ready: its caches of these kinds are not synced. */
  | { readonly _tag: "Starting"; readonly waitingFor: ReadonlyArray<string> }
  /** Ready to take over: another replica leads; its name may be unknown. */
  | { readonly _tag: "Standby"; readonly leader: string | undefined }
  /** Not ready: another operator has this one's Lease, and leads elsewhere. Both in words. */
  | { readonly _tag: "Barred"; readonly leader: string; readonly watches: string; readonly wanted: string }
  /** Not ready: the Lease cannot be used. */
  | { readonly _tag: "Unable"; readonly why: string }
  | { readonly _tag: "Leading" }
  /** No longer ready: asked to stop. */
  | { readonly _tag: "Stopping" }

/** How old the last heartbeat may be, in milliseconds. */
export const staleMillis = 30_000

const beatEvery = "1 second"

/** Whether the process is alive: the supervised root sent a heartbeat recently. */
export const liveness = (sinceBeatMillis: number): ProbeAnswer =>
  sinceBeatMillis <= staleMillis
    ? { isWell: true, text: "ok" }
    : {
        isWell: false,
        text: `no heartbeat for ${Math.floor(sinceBeatMillis / 1000)} s: the operator's work has ended or the process is stuck`
      }

/** Whether this replica does the work, or can take it over. */
export const readiness = (state: Readiness): ProbeAnswer => {
  switch (state._tag) {
    case "Outdated":
      return { isWell: false, text: state.text }
    case "Starting":
      return { isWell: false, text: `starting: waiting for the caches of ${state.waitingFor.join(", ")}` }
    case "Standby":
      return {
        isWell: true,
        text:
          state.leader === undefined ? "standing by: who leads is not known yet" : `standing by: ${state.leader} leads`
      }
    case "Barred":
      return {
        isWell: false,
        text:
          `nobody works for ${state.wanted}: ${state.leader} of another operator has the Lease of this one, and watches ` +
          `${state.watches}; install each operator in a namespace of its own`
      }
    case "Unable":
      return { isWell: false, text: `this replica could not take over, and who leads is not known: ${state.why}` }
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
     * Sends a heartbeat every second and never ends. To be run beside the operator's work, under the same supervision:
     * when that ends, so do the heartbeats.
     */
    readonly heartbeat: Effect.Effect<never>
    readonly become: (state: Readiness) => Effect.Effect<void>
    readonly state: Effect.Effect<Readiness>
    readonly live: Effect.Effect<ProbeAnswer>
    readonly ready: Effect.Effect<ProbeAnswer>
  }
>()("kafka-backup/operator/Health") {}

/** Before anything is known. */
export const beginning: Readiness = { _tag: "Starting", waitingFor: ["kafkabackups", "jobs", "pods"] }

const make = Effect.gen(function* () {
  // Not the time of day, which may jump.
  const nowMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))
  let lastBeatMillis = yield* nowMillis
  let state: Readiness = beginning
  const beat = Effect.map(nowMillis, (millis) => void (lastBeatMillis = millis))
  return Health.of({
    heartbeat: Effect.forever(Effect.andThen(beat, Effect.sleep(beatEvery))),
    become: (next) => Effect.sync(() => void (state = next)),
    state: Effect.sync(() => state),
    live: Effect.map(nowMillis, (millis) => liveness(millis - lastBeatMillis)),
    ready: Effect.sync(() => readiness(state))
  })
})

/** Alive for `staleMillis` without a heartbeat, which is the time to start; not ready until `become` says so. */
export const layer: Layer.Layer<Health> = Layer.effect(Health, make)
