import { Console, Effect } from "effect"
import * as GroupLog from "../restore/groups/GroupLog.ts"
import * as GroupOutcome from "../restore/groups/GroupOutcome.ts"
import * as Display from "./Display.ts"
import { counted } from "./Quantities.ts"

/** What a command on offsets shows while it works, and what it says of a stop. */

/** How far the command is. */
export interface Work {
  readonly log: GroupLog.GroupLog
  /** The groups that are to be set; undefined before that, and where none is changed. */
  groupIds: ReadonlyArray<string> | undefined
  /** Stored, or about to be. */
  snapshotId: string | undefined
  /** Names the groups that are left, for a repeat. */
  readonly how: string
}

export const make = (how: string): Work => ({ log: GroupLog.make(), groupIds: undefined, snapshotId: undefined, how })

/** The progress line. */
export const line = ({ groupIds, log }: Pick<Work, "groupIds" | "log">): string =>
  groupIds === undefined
    ? "asking the cluster …"
    : `setting offsets: ${log.ended.size} of ${counted(groupIds.length, "consumer group")}`

/** What stays of a command that was stopped, and how to go on: one line. */
export const told = ({ groupIds = [], how, log, snapshotId }: Work): string => {
  if (log.begun.size === 0) {
    return snapshotId === undefined
      ? "stopped: no offset was changed. The same command begins again"
      : `stopped: no offset was changed. Snapshot ${snapshotId} may be stored: then repeat with createSnapshot: false, which keeps it`
  }
  const ended = [...log.ended.values()].filter(GroupOutcome.isReset).map(({ group }) => group)
  const between = [...log.begun].filter((group) => !log.ended.has(group))
  const set = ended.length === 0 ? "" : `: ${ended.join(", ")}`
  const unsure = between.length === 0 ? "" : `; of ${between.join(", ")} some offsets may be set`
  return `stopped: ${ended.length} of ${counted(groupIds.length, "consumer group")} ${ended.length === 1 ? "was" : "were"} set${set}${unsure}. Repeat the command for the others alone: ${how}`
}

/** Shows how far the work is, and says of a stop what stays. */
export const telling =
  (work: Work) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    effect.pipe(
      Display.during(() => line(work)),
      Effect.onInterrupt(() => Console.error(told(work)))
    )
