import type { Effect } from "effect"
import type { KafkaError } from "./KafkaError.ts"

/** Something to do every so many milliseconds while a call is held back; its failure becomes the call's. */
export interface WhileWaiting {
  readonly everyMillis: number
  readonly look: Effect.Effect<void, KafkaError>
}

/**
 * Makes one call to a broker, or to any of them, as soon as it may be made; fails with the broker's last failure when that
 * takes too long.
 */
export type BrokerGuard = (
  node: number | "any"
) => <A>(call: Effect.Effect<A, KafkaError>, whileWaiting?: WhileWaiting) => Effect.Effect<A, KafkaError>

/** How a source treats brokers that do not answer. */
export interface BrokerGuards {
  readonly guard: BrokerGuard
  /** How long a broker may stay silent before a read fails, in milliseconds. */
  readonly budgetMillis: number
}
