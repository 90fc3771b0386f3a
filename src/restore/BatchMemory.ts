import { Effect, type Scope } from "effect"
import { ByteBudget, type Lease } from "../segment/ByteBudget.ts"

/**
 * The memory that batches of an attempt may take together, from when they are made until they are answered. Brokers
 * allow five unanswered batches for each partition: with records of many megabytes that is more than a container has.
 */
export class BatchMemory {
  readonly #budget: ByteBudget

  /** In bytes. A batch that is larger waits until it is alone. */
  constructor(capacity: number) {
    this.#budget = new ByteBudget(capacity)
  }

  /** Gives leases for batches, each to be closed once; with the scope they give back what they still hold. */
  leases(): Effect.Effect<() => Lease, never, Scope.Scope> {
    return Effect.suspend(() => {
      const open = new Set<Lease>()
      const forget = (lease: Lease) => void open.delete(lease)
      const make = () => {
        const lease = this.#budget.lease(forget)
        open.add(lease)
        return lease
      }
      const closeAll = Effect.sync(() => open.forEach((lease) => lease.close()))
      return Effect.as(
        Effect.addFinalizer(() => closeAll),
        make
      )
    })
  }
}
