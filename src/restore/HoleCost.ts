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

/** What limits the offsets that are filled. */
export interface Limits {
  /** `exact.maxFillerOffsets`. */
  readonly maxFillers: number
  /** What the principal may do about holes. */
  readonly means: HoleMeans.Means
  /** Most offsets of one partition that are taken one by one; absent: those of the means. */
  readonly mostSingly?: number | undefined
  /** The topic is compacted after the restore: brokers then remove empty records again. */
  readonly isCompacted: boolean
}

const holesOf = ({ end, records, start }: PlannedPartition): number => end - start - records

const singly = ({ means, mostSingly }: Limits): number => Math.min(HoleMeans.most[means], mostSingly ?? Infinity)

/**
 * Whether the holes of the partition are too many to be taken one by one, and are filled with empty records. It takes
 * a marker to have these removed again. Pure.
 */
export const isFilled = (partition: PlannedPartition, limits: Limits): boolean =>
  holesOf(partition) > singly(limits) && limits.isCompacted && limits.means !== "none"

/** Undefined: the partition can have its old offsets. Pure. */
export const of = (partition: PlannedPartition, limits: Limits): HoleCost | undefined => {
  const { isCompacted, maxFillers } = limits
  const { start } = partition
  const holes = holesOf(partition)
  const most = isCompacted ? Infinity : HoleMeans.most.markers
  const raise = holes > most ? undefined : Math.max(start, holes)
  if (start > maxFillers) return { fillers: start, raise, isDenied: false }
  if (holes > Math.min(most, maxFillers)) return { fillers: holes, raise, isDenied: false }
  if (holes <= singly(limits) || isFilled(partition, limits)) return undefined
  return { fillers: holes, raise, isDenied: true }
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
