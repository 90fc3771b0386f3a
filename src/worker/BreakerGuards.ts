import { Effect, Result, type Scope } from "effect"
import type { BrokerGuards } from "../kafka/BrokerGuards.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import * as GuardedObjectStore from "../storage/GuardedObjectStore.ts"
import * as KnownObjectStore from "../storage/KnownObjectStore.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import * as Breaker from "./Breaker.ts"
import * as BreakerJournal from "./BreakerJournal.ts"
import * as BreakerClassifiers from "./BreakerClassifiers.ts"

/** The guards between a run and the systems that it depends on. */
export interface Guards {
  /** For opening the store: a store that is down when the run begins is waited for like one that goes down later. */
  readonly opening: GuardedObjectStore.RetryPolicy
  readonly store: (store: ObjectStoreShape) => ObjectStoreShape
  /** The same for the first connection to the cluster. */
  readonly connecting: <A>(once: () => Effect.Effect<A, KafkaError>) => Effect.Effect<A, KafkaError>
  /** Undefined if breakers are disabled: a source then relies on its own time limits. */
  readonly brokers: BrokerGuards | undefined
}

/** Nothing is waited for: adapters repeat by themselves what a moment cures. */
const onceOnly: GuardedObjectStore.RetryPolicy = (once) => once(0)

const isUnknownHost = ({ reason }: ObjectStoreError) =>
  reason._tag === "StoreUnavailable" && reason.isUnknownHost === true

/** The same policy, except that an unknown host is a failure at once. */
const refusingUnknownHosts =
  (retry: GuardedObjectStore.RetryPolicy): GuardedObjectStore.RetryPolicy =>
  (once) =>
    Effect.flatMap(
      retry((earlier) =>
        once(earlier).pipe(
          Effect.map(Result.succeed),
          Effect.catchIf(isUnknownHost, (error) => Effect.succeed(Result.fail(error)))
        )
      ),
      Effect.fromResult
    )

/**
 * The guards of one run; `shown` holds what they wait for at the moment. Without settings, requests to a store are
 * retried within the bounds of `GuardedObjectStore.bounded`, and fetches within the time limits of the source itself.
 * `isScheduled`: the host of the store is known from earlier runs, so that a name server that does not know it is an
 * outage. Otherwise it is more likely a mistake in the resource, and opening fails at once.
 */
export const make = (
  settings: Breaker.BreakerSettings | undefined,
  shown: BreakerJournal.Shown,
  isScheduled: boolean
): Effect.Effect<Guards, never, Scope.Scope> =>
  Effect.gen(function* () {
    const opening = isScheduled ? (retry: GuardedObjectStore.RetryPolicy) => retry : refusingUnknownHosts
    const guarded = (store: ObjectStoreShape, retry: GuardedObjectStore.RetryPolicy) =>
      GuardedObjectStore.make(KnownObjectStore.make(store), retry)
    if (settings === undefined) {
      return {
        opening: opening(GuardedObjectStore.bounded),
        store: (store) => guarded(store, GuardedObjectStore.bounded),
        connecting: (once) => once(),
        brokers: undefined
      }
    }
    const breakers = yield* Breaker.make(settings, BreakerJournal.make(shown))
    const brokers = new Map<number | "any", Breaker.Breaker<KafkaError>>()
    const broker = (node: number | "any") => {
      const existing = brokers.get(node)
      if (existing !== undefined) return existing
      const target = node === "any" ? "the kafka cluster" : `kafka broker ${node}`
      const made = breakers.of(target, BreakerClassifiers.broker)
      brokers.set(node, made)
      return made
    }
    return {
      opening: opening(breakers.of("storage", BreakerClassifiers.storage).retry),
      connecting: broker("any").retry,
      store: (store) => guarded(store, breakers.of(`storage ${store.location}`, BreakerClassifiers.storage).retry),
      brokers: { guard: (node) => broker(node).attempt, budgetMillis: settings.budgetMillis }
    }
  })

/** The same guards for somebody who sits before it: what cannot be opened is a failure at once. */
export const failingAtOnce = (guards: Guards): Guards => ({
  ...guards,
  opening: onceOnly,
  connecting: (once) => once()
})
