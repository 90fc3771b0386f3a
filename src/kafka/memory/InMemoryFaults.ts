/** A fault in one answer of an in-memory broker. */
export type Fault =
  /** The answer carries this error code. */
  | { readonly _tag: "Code"; readonly code: number }
  /** A successful answer without data. */
  | { readonly _tag: "Empty" }
  /** An empty answer that asks the client to wait (KIP-219). */
  | { readonly _tag: "Throttled"; readonly millis: number }
  /** Only the first bytes of the record set arrive. */
  | { readonly _tag: "Cut"; readonly bytes: number }
  /** One bit of the record set is wrong; `bit` counts from its start, modulo its length. */
  | { readonly _tag: "FlippedBit"; readonly bit: number }
  /** The connection breaks before the answer. */
  | { readonly _tag: "ConnectionLost" }
  /** The request takes effect, then the connection breaks before the answer. Of requests that change something. */
  | { readonly _tag: "AnswerLost" }
  /** The connection breaks, and the request takes effect only later. Of requests that change something. */
  | { readonly _tag: "LateEffect"; readonly millis: number }
  /** A batch is in the leader's log, but too few replicas have it for that time: the answer is a time-out. */
  | { readonly _tag: "Uncommitted"; readonly millis: number }
  /** The right answer, later. */
  | { readonly _tag: "Delayed"; readonly millis: number }
  /** The leader names another replica to read from (KIP-392); ignored by that replica. */
  | { readonly _tag: "Redirected"; readonly node: number }

/** `rights` is the fetch without data that tells whether topics may be read. */
export type FaultOperation = "fetch" | "rights" | "offsets" | "metadata" | ChangingOperation

/**
 * `records` deletes them, `topics` creates and deletes topics, `producer` and `groups` ask coordinators, `transactions`
 * adds to transactions and ends them.
 */
export type ChangingOperation =
  | "produce"
  | "markers"
  | "producer"
  | "transactions"
  | "topics"
  | "configs"
  | "records"
  | "groups"

/** Which answers have the fault. */
export interface FaultPlan {
  /**
   * Default `fetch`. `metadata`, `offsets` and `rights` support `ConnectionLost` and `Delayed`; the latter two also
   * `Code`. The operations that change something support `Code`, `ConnectionLost`, `AnswerLost`, `LateEffect` and
   * `Delayed`; `produce` also `Throttled`, which appends the batch, and `Uncommitted`.
   */
  readonly operation?: FaultOperation
  /** Default: all topics, all partitions, all nodes. */
  readonly topic?: string
  readonly partition?: number
  readonly node?: number
  /** Matching answers without the fault that come first. Default 0. */
  readonly after?: number
  /** Matching answers that then have the fault. Default 1. */
  readonly times?: number
}

/** The properties of a request that a plan can match. */
export interface FaultRequest {
  readonly operation: FaultOperation
  readonly topic?: string
  readonly partition?: number
  readonly node?: number
}

export interface Faults {
  readonly inject: (fault: Fault, plan: FaultPlan) => void
  /** The fault of this request; of several that match, the one injected first. Counts as one use. */
  readonly next: (request: FaultRequest) => Fault | undefined
  readonly clear: () => void
}

const matches = (plan: FaultPlan, request: FaultRequest) =>
  (plan.operation ?? "fetch") === request.operation &&
  (plan.topic === undefined || plan.topic === request.topic) &&
  (plan.partition === undefined || plan.partition === request.partition) &&
  (plan.node === undefined || plan.node === request.node)

export const makeFaults = (): Faults => {
  let scripted: Array<{ readonly fault: Fault; readonly plan: FaultPlan; after: number; times: number }> = []
  return {
    inject: (fault, plan) => {
      scripted.push({ fault, plan, after: plan.after ?? 0, times: plan.times ?? 1 })
    },
    next: (request) => {
      const found = scripted.find(({ plan }) => matches(plan, request))
      if (found === undefined) return undefined
      if (found.after > 0) {
        found.after--
        return undefined
      }
      if (--found.times <= 0) scripted = scripted.filter((each) => each !== found)
      return found.fault
    },
    clear: () => {
      scripted = []
    }
  }
}
