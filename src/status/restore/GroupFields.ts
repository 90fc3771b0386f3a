import type { RestoreSummary } from "../../outcome/RestoreSummary.ts"
import { given } from "../../resource/Json.ts"
import * as Format from "../Format.ts"
import * as GroupsLeft from "../GroupsLeft.ts"
import type { GroupStepFacts, RestoreStatus } from "./RestoreFacts.ts"
import type { RestoreReasonOf } from "./RestoreReasons.ts"

/** What a status says of consumer groups. */

type OffsetResetStatus = NonNullable<RestoreStatus["offsetResetStatus"]>

const groups = (n: number): string => (n === 1 ? "1 consumer group" : `${Format.count(n)} consumer groups`)

/** A summary names as many groups as it has room for. */
const unnamed = (known: Required<GroupsLeft.KnownGroups>): string | undefined => {
  const named = known.groupsReset.length + known.groupsSkipped.length
  const others = known.groupsResetTotal + known.groupsSkippedTotal - named
  return others <= 0 ? undefined : `${groups(others)} more: the log of the Job's pod names all.`
}

/** What sets groups that the annotation cannot set. */
export const byHand =
  "To set their offsets, run kafka-backup offsets reset with the manifest of this KafkaRestore and --group. The log of the restore's pod names them."

/**
 * True for a status of an earlier version that does not name all groups: it has a message about the others, and no
 * totals, so that nobody knows which of the others were set.
 */
export const isVague = ({ groupsSkippedTotal, message }: Partial<OffsetResetStatus>): boolean =>
  groupsSkippedTotal === undefined && message !== undefined

/** Such a status without a message names all: its totals are given, since a message may come. */
const counted = (known: OffsetResetStatus): OffsetResetStatus => {
  const { groupsReset = [], groupsSkipped = [] } = known
  return isVague(known)
    ? known
    : { groupsResetTotal: groupsReset.length, groupsSkippedTotal: groupsSkipped.length, ...known }
}

/** The fields of an attempt that has ended; the snapshot stays for ever. */
export const fields = (
  previous: RestoreStatus,
  summary: RestoreSummary | undefined
): Pick<RestoreStatus, "offsetResetStatus" | "rollbackSnapshotId"> => {
  const found = summary?.groups
  const known = found === undefined ? undefined : GroupsLeft.after({}, found)
  return given({
    rollbackSnapshotId: summary?.rollbackSnapshotId ?? previous.rollbackSnapshotId,
    offsetResetStatus:
      known === undefined
        ? previous.offsetResetStatus
        : { phase: "Completed" as const, ...known, ...given({ message: unnamed(known) }) }
  })
}

/** The fields when the group step is repeated: what was set before stays set. */
export const again = (
  { offsetResetStatus: previous = { phase: "Completed" } }: RestoreStatus,
  { found, isActive, problem, token }: GroupStepFacts
): OffsetResetStatus => {
  // Its end is known: the operator may have died before it gave the Job its time to live.
  if (previous.token === token) return previous
  if (isActive) return { ...previous, phase: problem === undefined ? "Running" : "Pending" }
  if (found === undefined) {
    return {
      ...counted(previous),
      phase: "Failed",
      token,
      message: Format.sentence(problem ?? "No reason was reported")
    }
  }
  const { message: _message, ...before } = previous
  const known = GroupsLeft.after(before, found)
  return { ...before, ...known, phase: "Completed", token, ...given({ message: unnamed(known) }) }
}

interface Answer {
  readonly status: "True" | "False"
  readonly reason: RestoreReasonOf<"GroupsReset">
  readonly message: string
}

/** Whether the groups have their offsets; undefined where nothing new is known. `status` is the next one. */
export const answer = (
  summary: RestoreSummary | undefined,
  step: GroupStepFacts | undefined,
  { offsetResetStatus: known = { phase: "Completed" } }: RestoreStatus
): Answer | undefined => {
  if (summary?.groups === undefined && (step === undefined || (step.isActive && step.problem === undefined))) {
    return undefined
  }
  const { groupsReset = [], groupsSkipped = [] } = known
  const { groupsResetTotal: reset = groupsReset.length, groupsSkippedTotal: skipped = groupsSkipped.length } = known
  if (skipped === 0 && step?.problem === undefined) {
    return { status: "True", reason: "AllReset", message: `The offsets of ${groups(reset)} were set and read back.` }
  }
  const others = skipped - groupsSkipped.length
  const named = [
    ...groupsSkipped.map(({ group, reason }) => `${group}: ${reason}`),
    ...(others > 0 ? [`${Format.count(others)} more`] : [])
  ]
  const all = isVague(known) ? ", and perhaps others," : ` of ${reset + skipped}`
  const left = Format.sentence(`${groups(skipped)}${all} were left as they are: ${named.join("; ")}`)
  const unreachable = GroupsLeft.unreachable(known)
  const beyond = unreachable > 0 ? ` ${GroupsLeft.beyond(unreachable, byHand)}` : ""
  const problem = step?.found === undefined ? step?.problem : undefined
  return {
    status: "False",
    reason: "GroupsSkipped",
    message: problem === undefined ? `${left}${beyond}` : `${Format.sentence(problem)} ${left}`
  }
}
