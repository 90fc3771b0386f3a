import { plannedOffsets, type RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import * as ShardDeal from "../manifest/ShardDeal.ts"
import * as ShardEnds from "../manifest/ShardEnds.ts"
import type { RunProgress } from "../worker/RunProgress.ts"

/*
 * The progress that a process shows of its part of a run, and what others have added to the backup.
 */

export interface ShardProgress {
  /** Shows what of this part is durable. */
  readonly show: (part: RunPlan, state: RunState.RunState) => void
  /** The part is at its ends. */
  readonly finished: (part: RunPlan) => void
}

/** How many partitions a plan, or a part of one, has. */
export const partitionsOf = ({ topics }: RunPlan): number =>
  topics.reduce((n, { partitions }) => n + partitions.length, 0)

const total = (parts: ReadonlyArray<RunPlan>) => ({
  partitions: parts.reduce((n, part) => n + partitionsOf(part), 0),
  offsets: parts.reduce((n, part) => n + plannedOffsets(part), 0)
})

const showAlone = (progress: RunProgress, plan: RunPlan, state: RunState.RunState): void => {
  const open = RunState.unfinished(plan, state)
  progress.partitions = partitionsOf(plan)
  const toHeal = RunState.toHeal(plan, state).reduce((n, { from, until }) => n + until - from, 0)
  progress.partitionsDone = progress.partitions - open.length
  progress.offsets = RunState.offsetsToRead(plan, state) + toHeal
  progress.offsetsDone =
    progress.offsets - toHeal - open.reduce((n, { partition, position }) => n + partition.until - position, 0)
}

/**
 * Of a process that works at these parts of the plan. Where they are not the whole plan, the progress names that, too:
 * whoever adds up the shards has to know what they make together.
 */
export const make = (
  progress: RunProgress,
  plan: RunPlan,
  seat: ShardDeal.Seat,
  parts: ReadonlyArray<RunPlan>
): ShardProgress => {
  if (ShardDeal.count(plan) === 1) {
    return { show: (part, state) => showAlone(progress, part, state), finished: () => undefined }
  }
  const own = total(parts)
  const done = { partitions: 0, offsets: 0 }
  progress.shard = { ...seat, run: total([plan]) }
  return {
    show: (part, state) => {
      showAlone(progress, part, state)
      // Never more than all: a shard of another process may be read again here.
      progress.partitionsDone = Math.min(own.partitions, done.partitions + progress.partitionsDone)
      progress.offsetsDone = Math.min(own.offsets, done.offsets + Math.max(0, progress.offsetsDone))
      progress.partitions = own.partitions
      progress.offsets = own.offsets
    },
    finished: (part) => {
      done.partitions += partitionsOf(part)
      done.offsets += plannedOffsets(part)
    }
  }
}

/** What others have read and stored of these shards; `own` are the attempts of this process. */
export const elsewhere = (ends: ReadonlyArray<ShardEnds.ShardEnd>, own: ReadonlySet<number>): ShardEnds.Added =>
  ends
    .filter(({ attempt }) => !own.has(attempt))
    .reduce((sum, { added }) => ShardEnds.plus(sum, added), ShardEnds.nothingAdded)
