import { Console, Effect, Exit } from "effect"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as GroupLog from "../restore/groups/GroupLog.ts"
import * as GroupOutcome from "../restore/groups/GroupOutcome.ts"
import * as OffsetReporting from "../restore/groups/OffsetReporting.ts"
import * as Explanation from "../worker/Explanation.ts"
import * as Display from "./Display.ts"
import * as OffsetsOutput from "./OffsetsOutput.ts"
import { counted } from "./Quantities.ts"
import * as Shutdown from "./Shutdown.ts"
import * as StandardOutput from "./StandardOutput.ts"

/** What a command on offsets shows while it works, and what it says of a stop. */

/** How far the command is. */
export interface Work {
  readonly log: GroupLog.GroupLog
  /** The groups that are to be set; undefined before that, and where none is changed. */
  groupIds: ReadonlyArray<string> | undefined
  /** Stored, about to be, or brought back. */
  snapshotId: string | undefined
  /** What is to be known beside the groups. */
  notes: ReadonlyArray<string>
  /** Names the groups that are left, for a repeat. */
  readonly how: string
  /** A repeat is refused where the snapshot is there: the manifest of a reset must say createSnapshot: false then. */
  readonly storesOnce: boolean
}

export const make = (how: string, storesOnce = false): Work => ({
  log: GroupLog.make(),
  groupIds: undefined,
  snapshotId: undefined,
  notes: [],
  how,
  storesOnce
})

/** The progress line. */
export const line = ({ groupIds, log }: Pick<Work, "groupIds" | "log">): string =>
  groupIds === undefined
    ? "asking the cluster …"
    : `setting offsets: ${log.ended.size} of ${counted(groupIds.length, "consumer group")}`

/** How a repeat names the groups that are left, and gets past the snapshot. */
const again = ({ how, snapshotId, storesOnce }: Work): string =>
  snapshotId === undefined || !storesOnce
    ? how
    : `${how}, with createSnapshot: false, which keeps snapshot ${snapshotId}`

/** What stays of a command that was stopped, and how to go on: one line. */
export const told = (work: Work): string => {
  const { groupIds = [], log, snapshotId, storesOnce } = work
  if (log.begun.size === 0) {
    return snapshotId === undefined || !storesOnce
      ? "stopped: no offset was changed. The same command begins again"
      : `stopped: no offset was changed. Snapshot ${snapshotId} may be stored: then repeat with createSnapshot: false, which keeps it`
  }
  const ended = [...log.ended.values()].filter(GroupOutcome.isReset).map(({ group }) => group)
  const between = [...log.begun].filter((group) => !log.ended.has(group))
  const set = ended.length === 0 ? "" : `: ${ended.join(", ")}`
  const unsure = between.length === 0 ? "" : `; of ${between.join(", ")} some offsets may be set`
  return `stopped: ${ended.length} of ${counted(groupIds.length, "consumer group")} ${ended.length === 1 ? "was" : "were"} set${set}${unsure}. Repeat the command for the others alone: ${again(work)}`
}

/** How a command ends that was stopped once it had begun to set a group; undefined before that. */
const settled = (work: Work) => {
  const { groupIds, log, notes, snapshotId } = work
  const context: Parameters<typeof OffsetReporting.settled>[0] = { groupIds, log, outcome: undefined }
  const exit = OffsetReporting.settled(context, Exit.interrupt())
  if (context.outcome === undefined) return undefined
  if (Exit.isSuccess(exit)) {
    return {
      exitCode: exitCodes.success,
      document: OffsetsOutput.outcome(context.outcome, snapshotId, "json", { notes })
    }
  }
  const advice = `repeat the command for these groups alone, since those that were set may have read on: ${again(work)}`
  const error = { ...Explanation.explain(exit.cause), advice }
  return {
    exitCode: error.exitCode,
    document: OffsetsOutput.outcome(context.outcome, snapshotId, "json", { error, notes })
  }
}

/** Says what stays. Whoever repeated the whole would set groups again that have read on: it ends as what it is. */
const stop = Effect.fnUntraced(function* (work: Work, format: OffsetsOutput.Format) {
  yield* Console.error(told(work))
  const ended = settled(work)
  if (ended === undefined) return
  const outcome = yield* Shutdown.Outcome
  outcome.exitCode = ended.exitCode
  if (format === "json") yield* Effect.ignore(StandardOutput.print(ended.document))
})

/** The same at the second signal. */
const endAtOnce = (work: Work) => (): Shutdown.EndedAtOnce => ({
  exitCode: exitCodes.interrupted,
  ...settled(work),
  message: told(work)
})

/** Shows how far the work is, and says of a stop what stays. */
export const telling =
  (work: Work, format: OffsetsOutput.Format = "text") =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Shutdown.Outcome, (outcome) => {
      outcome.endAtOnce = endAtOnce(work)
      return effect.pipe(
        Display.during(() => line(work)),
        Effect.onInterrupt(() => stop(work, format))
      )
    })
