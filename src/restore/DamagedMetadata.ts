import { clusterMetadataName } from "../manifest/BackupKeys.ts"
import type { Broken } from "../manifest/Seal.ts"
import { objection, type Objection } from "./Objection.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"

/* A backup whose document of ACLs, users and quotas is damaged: what it says of records needs none. Pure. */

/** True for that document of the backup. */
export const isOf = (backupId: string, { key }: Pick<Broken, "key">): boolean =>
  key === `${backupId}/${clusterMetadataName}`

/** Only a restore that adds ACLs or quotas reads the document. */
export const isNeeded = ({
  createsAcls = false,
  createsQuotas = false
}: Pick<RestoreRequest, "createsAcls" | "createsQuotas">): boolean => createsAcls || createsQuotas

/** Against a restore that needs it. `what`: the object, and what is wrong with it. */
export const refused = (backupId: string, what: string): Objection =>
  objection(
    "BackupDamaged",
    `backup ${backupId} is damaged: ${what}`,
    `leave out acls and quotas: the records of this backup can be restored without ${clusterMetadataName}. For ACLs and quotas put it back from an earlier version in the bucket, or restore another backup`
  )

/** Of a restore that does not. */
export const note = (backupId: string, { detail, key }: Broken): string =>
  `backup ${backupId} is damaged where this restore reads nothing: ${key} ${detail}. Records are not affected; ACLs and quotas cannot be restored from it`
