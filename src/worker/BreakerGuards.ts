import { Effect, type Scope } from "effect"
import type { BrokerGuards } from "../kafka/BrokerGuards.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import * as GuardedObjectStore from "../storage/GuardedObjectStore.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Breaker from "./Breaker.ts"
import * as BreakerJournal from "./BreakerJournal.ts"
import * as BreakerClassifiers from "./BreakerClassifiers.ts"

/** What stands between a run and the systems it depends on. */
export interface Guards {
  /** Opening the store; a store that is away when the run begins is waited for like one that goes away later. */
  readonly opening: GuardedObjectStore.RetryPolicy
  readonly store: (store: ObjectStoreShape) => ObjectStoreShape
  /** The first connection to the cluster, likewise. */
  readonly connecting: <A>(once: () => Effect.Effect<A, KafkaError>) => Effect.Effect<A, KafkaError>
  /** Absent where breakers are switched off: a source then has its own patience only. */
  readonly brokers: BrokerGuards | undefined
}

/**
 * The guards of one run; what they wait for is told to `shown`. Without settings a store gets bounded patience and
 * brokers none beyond what a source has by itself.
 */
export const make = (
  settings: Breaker.BreakerSettings | undefined,
  shown: BreakerJournal.Shown
): Effect.Effect<Guards, never, Scope.Scope> =>
  Effect.gen(function* () {
    if (settings === undefined) {
      return {
        opening: GuardedObjectStore.bounded,
        store: (store) => GuardedObjectStore.make(store, GuardedObjectStore.bounded),
        connecting: (once) => once(),
        brokers: undefined
      }
    }
    const breakers = yield* Breaker.make(settings, BreakerJournal.make(shown))
    const brokers = new Map<number | "any", Breaker.Breaker<KafkaError>>()
    const broker = (node: number | "any") => {
      const known = brokers.get(node)
      if (known !== undefined) return known
      const target = node === "any" ? "the kafka cluster" : `kafka broker ${node}`
      const made = breakers.of(target, BreakerClassifiers.broker)
      brokers.set(node, made)
      return made
    }
    return {
      opening: breakers.of("storage", BreakerClassifiers.storage).persist,
      connecting: broker("any").persist,
      store: (store) =>
        GuardedObjectStore.make(store, breakers.of(`storage ${store.location}`, BreakerClassifiers.storage).persist),
      brokers: { guard: (node) => broker(node).attempt, budgetMillis: settings.budgetMillis }
    }
  })
