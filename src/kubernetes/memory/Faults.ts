import type { Duration, Effect } from "effect"
import type { KubernetesReason } from "../KubernetesError.ts"

export type Verb = "get" | "list" | "watch" | "create" | "apply" | "replace" | "patch" | "remove"

/** One request to the API server. */
export interface Call {
  /** Counted from 1 over all clients of this server. */
  readonly index: number
  readonly client: string
  readonly verb: Verb
  /** Plural, as in `jobs`. */
  readonly kind: string
  readonly namespace?: string | undefined
  readonly name?: string
  readonly subresource?: "status"
  /** What was sent: the object or the patch. */
  readonly body?: unknown
  /** Its length as JSON, in bytes; 0 without one. */
  readonly bytes: number
  readonly atMillis: number
}

/**
 * What goes wrong with a request.
 * - `Fail`: refused with this reason; nothing is changed.
 * - `LoseAnswer`: carried out, but the caller gets `Unavailable`.
 * - `Delay`: waits first, under the Clock; forever with `Duration.infinity`.
 * - `Run`: another writer acts right before or right after the request is carried out. A failure of it is a defect.
 * - `Crash`: the client's process dies right before or right after the request is carried out. The request never
 *   returns, later requests of the client fail, and `kill` runs in a fiber of its own to end the crashed fibers.
 */
export type Fault =
  | { readonly _tag: "Fail"; readonly reason: KubernetesReason }
  | { readonly _tag: "LoseAnswer" }
  | { readonly _tag: "Delay"; readonly duration: Duration.Input }
  | { readonly _tag: "Run"; readonly moment: "before" | "after"; readonly effect: Effect.Effect<unknown, unknown> }
  | { readonly _tag: "Crash"; readonly moment: "before" | "after"; readonly kill: Effect.Effect<unknown> }

/** Which requests a fault hits. Requests that do not pass `when` are not counted. */
export interface Occasion {
  readonly when?: (call: Call) => boolean
  /** The first request that is hit, counted from 1 since the fault was scripted. Default 1. */
  readonly nth?: number
  /** How many requests in a row are hit. Default 1; `Infinity` until the faults are cleared. */
  readonly times?: number
}

/** Called once for every request, in order. */
export type Plan = (call: Call) => ReadonlyArray<Fault>

/** The faults of one server, in the order in which they were scripted. */
export interface Script {
  readonly add: (plan: Plan) => void
  readonly clear: () => void
  readonly met: Plan
}

export const make = (): Script => {
  const plans: Array<Plan> = []
  return {
    add: (plan) => void plans.push(plan),
    clear: () => void plans.splice(0),
    met: (call) => plans.flatMap((plan) => plan(call))
  }
}

/** The plan that answers one occasion with one fault. */
export const at = (fault: Fault & Occasion): Plan => {
  const first = fault.nth ?? 1
  let seen = 0
  return (call) => {
    if (fault.when?.(call) === false) return []
    seen++
    return seen >= first && seen < first + (fault.times ?? 1) ? [fault] : []
  }
}
