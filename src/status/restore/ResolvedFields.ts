import type { ResolvedBackup } from "../../outcome/RestoreSummary.ts"
import { given } from "../../resource/Json.ts"
import * as Format from "../Format.ts"
import type { RestoreFacts, RestoreStatus } from "./RestoreFacts.ts"

/** What a status says of the backup that is restored. */

const written = ({
  backupId,
  capturedMillis,
  coversFromMillis,
  coversUntilMillis,
  why
}: ResolvedBackup): NonNullable<RestoreStatus["resolved"]> => ({
  backupId,
  capturedAt: Format.time(capturedMillis),
  coversUntil: Format.time(coversUntilMillis),
  ...given({
    coversFrom: coversFromMillis === undefined || coversFromMillis < 0 ? undefined : Format.time(coversFromMillis),
    why
  })
})

/**
 * The backup: what a pod reported of it, else what was known of the same one before. What another attempt had chosen
 * is forgotten, unless it began to write: then all attempts take the same one.
 */
export const resolved = (
  previous: RestoreStatus,
  { active, backupId, ended }: RestoreFacts
): RestoreStatus["resolved"] => {
  const reported = ended?.summary?.resolved ?? active?.progress?.resolved
  if (reported !== undefined) return written(reported)
  if (backupId !== "") return previous.resolved?.backupId === backupId ? previous.resolved : { backupId }
  const isAnother = active !== undefined && active.jobName !== previous.jobName
  return isAnother && previous.startedWriting === undefined ? undefined : previous.resolved
}
