import * as HoleMeans from "./HoleMeans.ts"
import type { Objection } from "./Objection.ts"
import type { PlannedPartition } from "./PlannedPartition.ts"

/** Offsets of one partition that would have to be filled, and are too many for it. */
export interface HoleCost {
  readonly fillers: number
  /** The value of `exact.maxFillerOffsets` with which they may be, if there is one. */
  readonly raise: number | undefined
  /** With Alter on the cluster they would not be too many. */
  readonly isDenied: boolean
}

/** Undefined: the partition can have its old offsets. Pure. */
export const of = (
  { end, records, start }: PlannedPartition,
  maxFillers: number,
  means: HoleMeans.Means
): HoleCost | undefined => {
  const holes = end - start - records
  const raise = holes > HoleMeans.most.markers ? undefined : Math.max(start, holes)
  if (start > maxFillers) return { fillers: start, raise, isDenied: false }
  if (holes > Math.min(HoleMeans.most.markers, maxFillers)) return { fillers: holes, raise, isDenied: false }
  return holes > HoleMeans.most[means] ? { fillers: holes, raise, isDenied: true } : undefined
}

/** Why the topic cannot have its old offsets. */
export const objection = (target: string, { fillers, isDenied, raise }: HoleCost): Objection => {
  const needs = `${target} needs ${fillers} offsets without a record in one partition to keep the old offsets`
  if (isDenied) {
    return {
      reason: "TargetDenied",
      message: `permission denied: the principal lacks Alter on cluster, and ${needs}`,
      advice: `grant the principal Alter on cluster, or set offsets: Auto or New; up to ${HoleMeans.most.transactions} such offsets need only Write on the transactional ids of the restore`
    }
  }
  return {
    reason: "TooManyFillers",
    message: needs,
    advice:
      raise === undefined
        ? "set offsets: Auto or New"
        : `set exact.maxFillerOffsets to at least ${raise}, or set offsets: Auto or New`
  }
}
