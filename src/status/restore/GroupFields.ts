import type { GroupsSummary, RestoreSummary } from "../../outcome/RestoreSummary.ts"
import { given } from "../../resource/Json.ts"
import * as Format from "../Format.ts"
import type { RestoreStatus } from "./RestoreFacts.ts"
import type { RestoreReasonOf } from "./RestoreReasons.ts"

/** What a status says of consumer groups. */

const groups = (n: number): string => (n === 1 ? "1 consumer group" : `${Format.count(n)} consumer groups`)

/** A summary names as many groups as it has room for. */
const unnamed = ({ groupsReset, groupsSkipped, reset, skipped }: GroupsSummary): string | undefined => {
  const others = reset + skipped - groupsReset.length - groupsSkipped.length
  return others <= 0 ? undefined : `${groups(others)} more: the log of the Job's pod names all.`
}

/** The fields of an attempt that has ended; the snapshot stays for ever. */
export const fields = (
  previous: RestoreStatus,
  summary: RestoreSummary | undefined
): Pick<RestoreStatus, "offsetResetStatus" | "rollbackSnapshotId"> => {
  const found = summary?.groups
  return given({
    rollbackSnapshotId: summary?.rollbackSnapshotId ?? previous.rollbackSnapshotId,
    offsetResetStatus:
      found === undefined
        ? previous.offsetResetStatus
        : {
            phase: "Completed" as const,
            groupsReset: found.groupsReset,
            groupsSkipped: found.groupsSkipped,
            ...given({ message: unnamed(found) })
          }
  })
}

/** Whether the groups have their offsets; undefined where none was to be changed. */
export const answer = (
  summary: RestoreSummary | undefined
):
  | { readonly status: "True" | "False"; readonly reason: RestoreReasonOf<"GroupsReset">; readonly message: string }
  | undefined => {
  const found = summary?.groups
  if (found === undefined) return undefined
  const { groupsSkipped, reset, skipped } = found
  if (skipped === 0) {
    return { status: "True", reason: "AllReset", message: `The offsets of ${groups(reset)} were set and read back.` }
  }
  const others = skipped - groupsSkipped.length
  const named = [
    ...groupsSkipped.map(({ group, reason }) => `${group}: ${reason}`),
    ...(others > 0 ? [`${Format.count(others)} more`] : [])
  ]
  return {
    status: "False",
    reason: "GroupsSkipped",
    message: Format.sentence(`${groups(skipped)} of ${reset + skipped} were left as they are: ${named.join("; ")}`)
  }
}
