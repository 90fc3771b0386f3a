import { Cause, Exit } from "effect"
import { exitCodes } from "../../outcome/ExitCodes.ts"
import type { RunSummary } from "../../outcome/RunSummary.ts"
import * as Explanation from "../../worker/Explanation.ts"
import type { RestoreProgress } from "../RestoreProgress.ts"
import type { GroupOutcome, GroupSkipped, WantedGroup } from "./GroupOutcome.ts"
import * as GroupLog from "./GroupLog.ts"
import * as GroupSummary from "./GroupSummary.ts"
import { GroupsSkipped } from "./OffsetErrors.ts"
import type { Difference } from "./StoredOffsets.ts"

/** What a pod reports that worked on the offsets of consumer groups. */

/** The facts of an attempt that its summary needs, however it ends; filled as the attempt goes on. */
export interface OffsetContext {
  readonly startedMillis: number
  readonly progress: RestoreProgress
  isDryRun: boolean
  /** The snapshot that was stored, used or deleted. */
  snapshotId: string | undefined
  /** What the work does to a snapshot once it writes; undefined: it leaves all as they are. */
  snapshotChange: { readonly snapshotId: string; readonly what: "stored" | "deleted" } | undefined
  /** Present once offsets were set. */
  outcome: GroupOutcome | undefined
  /** The groups that are to be set; undefined before that. */
  groupIds: ReadonlyArray<string> | undefined
  readonly log: GroupLog.GroupLog
  readonly notes: Array<string>
}

export const context = (startedMillis: number, progress: RestoreProgress): OffsetContext => ({
  startedMillis,
  progress,
  isDryRun: false,
  snapshotId: undefined,
  snapshotChange: undefined,
  outcome: undefined,
  groupIds: undefined,
  log: GroupLog.make(),
  notes: []
})

/** The error for groups that were left; undefined where there are none. */
export const left = ({ groupsReset, groupsSkipped }: GroupOutcome, isStopped = false): GroupsSkipped | undefined => {
  if (groupsSkipped.length === 0) return undefined
  const skipped = groupsSkipped.map(({ group, reason }) => ({ group, reason }))
  const of = groupsReset.length + skipped.length
  return new GroupsSkipped({ skipped, of, ...(isStopped ? { isStopped } : {}) })
}

/**
 * How an attempt ended. One that was stopped once it had begun to set a group is not only interrupted: whoever repeats
 * the whole would set groups again that have read on. Fills in what became of the groups.
 */
export const settled = <E>(
  context: Pick<OffsetContext, "groupIds" | "log" | "outcome">,
  exit: Exit.Exit<void, E>
): Exit.Exit<void, E | GroupsSkipped> => {
  const { groupIds, log, outcome } = context
  if (Exit.isSuccess(exit) || !Cause.hasInterruptsOnly(exit.cause)) return exit
  if (groupIds === undefined || outcome !== undefined || log.begun.size === 0) return exit
  context.outcome = GroupLog.stopped(log, groupIds)
  const error = left(context.outcome, true)
  return error === undefined ? Exit.void : Exit.fail(error)
}

const counted = (n: number, one: string): string => `${n} ${one}${n === 1 ? "" : "s"}`

/** What a dry run would do. */
export const planned = (
  groups: ReadonlyArray<WantedGroup>,
  obstacles: ReadonlyArray<GroupSkipped>,
  snapshotId: string | undefined
): ReadonlyArray<string> => {
  const offsets = groups.reduce((sum, { forget = [], offsets }) => sum + offsets.length + forget.length, 0)
  return [
    `${counted(offsets, "offset")} of ${counted(groups.length, "consumer group")} would be set`,
    ...(snapshotId === undefined ? [] : [`the present offsets would be stored first, as snapshot ${snapshotId}`]),
    ...obstacles.map(({ group, reason }) => `consumer group ${group} would be left as it is: ${reason}`)
  ]
}

/** What a snapshot holds. */
export const stored = (found: { readonly groupIds: ReadonlyArray<string>; readonly topics: ReadonlyArray<string> }) =>
  `it holds ${counted(found.groupIds.length, "consumer group")} in ${counted(found.topics.length, "topic")}`

export const difference = ({ group, partition, present, stored, topic }: Difference): string =>
  `${group} ${topic}[${partition}] has ${present ?? "none"} instead of ${stored ?? "none"}`

const instant = (millis: number): string => new Date(millis).toISOString()

/** The summary of an attempt, however it ended. */
export const summary = (
  { isDryRun, notes, outcome, progress, snapshotId, startedMillis }: OffsetContext,
  completedMillis: number,
  exit: Exit.Exit<unknown, unknown>
): RunSummary => {
  const { startedWritingMillis } = progress
  const common = {
    version: 1,
    command: "offsets",
    startedAt: instant(startedMillis),
    completedAt: instant(completedMillis),
    notes,
    restore: {
      ...(isDryRun ? { dryRun: true } : {}),
      ...(startedWritingMillis === undefined ? {} : { startedWriting: instant(startedWritingMillis) }),
      ...(snapshotId === undefined ? {} : { rollbackSnapshotId: snapshotId }),
      ...(outcome === undefined ? {} : { groups: GroupSummary.of(outcome) })
    }
  } as const
  if (Exit.isSuccess(exit)) return { ...common, outcome: "success", exitCode: exitCodes.success }
  const { advice, exitCode, message, reason } = Explanation.explain(exit.cause)
  return {
    ...common,
    outcome: exitCode === exitCodes.interrupted ? "interrupted" : "failed",
    exitCode,
    reason,
    message,
    advice
  }
}
