import type { Effect } from "effect"
import type { KafkaError } from "./KafkaError.ts"

/** A check to repeat while a call is held back; its failure becomes the failure of the call. */
export interface WhileWaiting {
  readonly everyMillis: number
  readonly check: Effect.Effect<void, KafkaError>
}

/**
 * Makes one call to a broker, or to any broker, as soon as it is allowed; fails with the broker's last failure if that
 * takes too long.
 */
export type BrokerGuard = (
  node: number | "any"
) => <A>(call: Effect.Effect<A, KafkaError>, whileWaiting?: WhileWaiting) => Effect.Effect<A, KafkaError>

/** How a source handles brokers that do not answer. */
export interface BrokerGuards {
  readonly guard: BrokerGuard
  /** How long a broker may stay silent before a read fails, in milliseconds. */
  readonly budgetMillis: number
}
