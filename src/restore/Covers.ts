import type { BackupSet } from "../manifest/Catalogue.ts"
import type { ResolvedBackup } from "../outcome/RestoreSummary.ts"
import * as Cut from "./Cut.ts"

/** What is to be known of a backup before it is restored. Pure. */
export const of = (set: BackupSet, why: string | undefined): ResolvedBackup => {
  const until = Cut.coveredUntil(set)
  let from = Infinity
  if (Cut.hasTimeRanges(set)) {
    for (const { partitions } of set.manifest.topics) {
      for (const { segments } of partitions) {
        for (const { start_timestamp } of segments) from = Math.min(from, start_timestamp)
      }
    }
  }
  return {
    backupId: set.backupId,
    capturedMillis: until,
    ...(from === Infinity ? {} : { coversFromMillis: from }),
    coversUntilMillis: until,
    ...(why === undefined ? {} : { why })
  }
}
