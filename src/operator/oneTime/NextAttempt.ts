/** What decides about a restore's next step. */
export interface NextAttemptInput {
  /** Name of the Job that the resource asks for now. */
  readonly wanted: string
  /** The spec can be used. */
  readonly isUsable: boolean
  /** The status says that every record was restored. */
  readonly isCompleted: boolean
  /** The status says that a Job of an earlier spec wrote. */
  readonly isEditTooLate: boolean
  readonly hasStartedWriting: boolean
  /** The Job that the resource asks for has ended, is still there, and was reported. */
  readonly isWantedOver: boolean
  /** A Job that is not over. */
  readonly unfinished: { readonly name: string; readonly isBeingDeleted: boolean } | undefined
  /** The newest Job that has ended, and whose end is not in the status. */
  readonly unreported: string | undefined
  /** The Job that the status names, and whether its end is in the status. */
  readonly known: { readonly name: string; readonly hasEnded: boolean } | undefined
}

export type NextAttempt =
  /** There is nothing to do. */
  | { readonly _tag: "Rest" }
  /** A Job is at work. */
  | { readonly _tag: "Watch"; readonly name: string }
  /** The Job has another spec than the resource, and has written nothing: it is stopped. */
  | { readonly _tag: "Stop"; readonly name: string }
  | { readonly _tag: "Report"; readonly name: string }
  /** The Job that the status names is gone, and its end was never observed. */
  | { readonly _tag: "Lost"; readonly name: string }
  /** The retry annotation has an earlier value again: the Job of that value has ended long ago. */
  | { readonly _tag: "UsedBefore"; readonly name: string }
  | { readonly _tag: "Start"; readonly name: string }

/**
 * What to do next. Two Jobs of a restore never overlap, and a Job that has begun to write is never stopped. A restore
 * that failed is tried again only when the resource asks for another Job than the one that failed.
 */
export const next = (input: NextAttemptInput): NextAttempt => {
  const {
    hasStartedWriting,
    isCompleted,
    isEditTooLate,
    isUsable,
    isWantedOver,
    known,
    unfinished,
    unreported,
    wanted
  } = input
  if (unfinished !== undefined) {
    const { isBeingDeleted, name } = unfinished
    const isWanted = name === wanted || !isUsable || isCompleted || hasStartedWriting
    return isWanted || isBeingDeleted ? { _tag: "Watch", name } : { _tag: "Stop", name }
  }
  // Also of a restore that is complete: the operator may have died before it gave the Job its time to live.
  if (unreported !== undefined) return { _tag: "Report", name: unreported }
  if (isCompleted || isEditTooLate) return { _tag: "Rest" }
  if (known !== undefined && !known.hasEnded && (known.name === wanted || !isUsable)) {
    return { _tag: "Lost", name: known.name }
  }
  if (!isUsable || known?.name === wanted) return { _tag: "Rest" }
  return { _tag: isWantedOver ? "UsedBefore" : "Start", name: wanted }
}
