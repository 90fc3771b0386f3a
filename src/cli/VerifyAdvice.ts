import { clusterMetadataName } from "../manifest/BackupKeys.ts"
import type { Verification } from "../manifest/Verification.ts"

/* What to do about a backup that a verification found damaged. Pure. */

/** Records are affected, any document that a restore needs, or only what restores of ACLs and quotas need. */
export type Damaged = "records" | "documents" | "metadata"

export const damaged = ({
  backupId,
  broken,
  problems
}: Pick<Verification, "backupId" | "broken" | "problems">): Damaged =>
  problems.length > 0
    ? "records"
    : broken.every(({ key }) => key === `${backupId}/${clusterMetadataName}`)
      ? "metadata"
      : "documents"

export const advice: Readonly<Record<Damaged, string>> = {
  records:
    "make a new backup now, while Kafka has the records: an incremental one often repairs this one and others, too; to restore, use another backup, since the offsets named above cannot be restored from this one",
  documents:
    "no damage of records was found, but a restore refuses a backup whose documents are not as they were committed: put the objects named above back from earlier versions in the bucket, and take away what does not belong to the backup; or use another backup",
  metadata: `no damage of records was found, and a restore without acls and quotas does not need ${clusterMetadataName}: for ACLs and quotas put it back from an earlier version in the bucket, or use another backup`
}
