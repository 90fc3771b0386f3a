import type { Duration } from "effect"
import type { ObjectStoreReason, Operation } from "./ObjectStoreError.ts"

export type { Operation } from "./ObjectStoreError.ts"

/**
 * Which calls a fault meets. Calls are counted from the moment the fault is scripted, those of other keys not counted.
 */
export interface Occasion {
  readonly operation: Operation
  /** Only calls whose key (or list prefix) passes. Absent: every call. */
  readonly key?: (key: string) => boolean
  /** The first call that is met, counted from 1. Absent: 1. */
  readonly nth?: number
  /** How many calls in a row are met. Absent: 1; `Infinity` until the faults are cleared. */
  readonly times?: number
}

/**
 * What goes wrong at an occasion.
 * - `Fail`: refused with this reason, before anything happened.
 * - `LoseAnswer`: the work is done, but the caller sees `StoreUnavailable`.
 * - `Delay`: the work waits first, for ever with `Duration.infinity`.
 * - `Break`: `read` and `get` lose their connection after so many bytes.
 */
export type Fault = Occasion &
  (
    | { readonly _tag: "Fail"; readonly reason: ObjectStoreReason }
    | { readonly _tag: "LoseAnswer" }
    | { readonly _tag: "Delay"; readonly duration: Duration.Input }
    | { readonly _tag: "Break"; readonly afterBytes: number }
  )

/** The faults of one store, in the order in which they were scripted. */
export interface Script {
  readonly add: (fault: Fault) => void
  readonly clear: () => void
  /** The faults that this call meets; counts the call. */
  readonly met: (operation: Operation, key: string) => ReadonlyArray<Fault>
}

export const make = (): Script => {
  let scripted: Array<{ readonly fault: Fault; calls: number }> = []
  return {
    add: (fault) => void scripted.push({ fault, calls: 0 }),
    clear: () => void (scripted = []),
    met: (operation, key) =>
      scripted
        .filter((entry) => {
          if (entry.fault.operation !== operation || entry.fault.key?.(key) === false) return false
          entry.calls++
          const first = entry.fault.nth ?? 1
          return entry.calls >= first && entry.calls < first + (entry.fault.times ?? 1)
        })
        .map((entry) => entry.fault)
  }
}
