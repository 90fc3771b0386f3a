import { Effect } from "effect"

interface Waiter {
  readonly lease: Lease
  readonly bytes: number
  readonly resume: () => void
}

/**
 * Bytes of memory that all who work at the same time may take together. Whoever came first is served first: a large
 * request is not overtaken by small ones. A request for more than everything counts as one for everything, so that it
 * is served, and alone.
 */
export class ByteBudget {
  readonly capacity: number
  #free: number
  #waiting: Array<Waiter> = []

  constructor(capacity: number) {
    this.capacity = capacity
    this.#free = capacity
  }

  /** A lease without bytes. `onClose` is told each time that it is closed. */
  lease(onClose?: (lease: Lease) => void): Lease {
    return new Lease(this, onClose)
  }

  /** For `Lease`: bytes for it now, or never by this call. */
  takeNow(lease: Lease, bytes: number): boolean {
    const counted = Math.min(bytes, this.capacity)
    if (this.#waiting.length > 0 || counted > this.#free) return false
    this.#free -= counted
    lease.held += counted
    return true
  }

  /** For `Lease`: bytes for it in its turn. Returns what takes the request back. */
  enqueue(lease: Lease, bytes: number, resume: () => void): () => void {
    const waiter = { lease, bytes: Math.min(bytes, this.capacity), resume }
    this.#waiting.push(waiter)
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiter)
      this.#serve()
    }
  }

  /** For `Lease`. */
  give(bytes: number): void {
    this.#free += bytes
    this.#serve()
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next !== undefined && next.bytes <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#free -= next.bytes
      next.lease.held += next.bytes
      next.resume()
    }
  }
}

/**
 * What one fiber holds of a budget. It takes once, gives back, and may take again: whoever waits for more while holding
 * some could wait for another one that does the same.
 */
export class Lease {
  readonly #budget: ByteBudget
  readonly #onClose: ((lease: Lease) => void) | undefined
  /** Bytes. Changed by the budget. */
  held = 0

  constructor(budget: ByteBudget, onClose?: (lease: Lease) => void) {
    this.#budget = budget
    this.#onClose = onClose
  }

  /**
   * Waits for its turn. Interrupted, it holds either nothing or all: `close` gives that back. Where there is room it
   * costs no waiting.
   */
  take(bytes: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.held > 0) return Effect.die(new Error("a lease that holds bytes must not wait for more"))
      if (this.#budget.takeNow(this, bytes)) return Effect.void
      return Effect.callback<void>((resume) => {
        const cancel = this.#budget.enqueue(this, bytes, () => resume(Effect.void))
        return Effect.sync(cancel)
      })
    })
  }

  /** Gives back what it holds above `bytes`. */
  keep(bytes: number): void {
    const excess = this.held - bytes
    if (excess <= 0) return
    this.held = bytes
    this.#budget.give(excess)
  }

  /** Gives back everything. May be called at any time, any number of times. */
  close(): void {
    this.keep(0)
    this.#onClose?.(this)
  }
}
