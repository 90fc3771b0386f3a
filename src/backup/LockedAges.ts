import type { KafkaBackupSpec } from "../resource/KafkaBackupSpec.ts"

const dayMillis = 86_400_000

/** Most backups that are counted under a lock: further ones are left out, and `isCut` says so. */
const mostCounted = 1_000_000

/** For how many days the resource asks the store to lock what it writes; 0 where it does not. */
export const lockDays = ({ storage: { azure, gcs, s3, storageType } }: Pick<KafkaBackupSpec, "storage">): number => {
  const lock = { s3: s3?.objectLock, azure: azure?.immutability, gcs: gcs?.objectRetention, pvc: undefined }[
    storageType
  ]
  return lock?.days ?? 0
}

/** The ages of the backups that stay where a lock keeps each for `days`, whatever the rules say; newest first. */
export const of = (
  ages: ReadonlyArray<number>,
  days: number,
  intervalMillis: number
): { readonly ages: ReadonlyArray<number>; readonly isCut: boolean } => {
  const wanted = Math.ceil((days * dayMillis) / intervalMillis)
  const count = Math.min(wanted, mostCounted)
  const lockedMillis = count * intervalMillis
  const locked = Array.from({ length: count }, (_, n) => n * intervalMillis)
  return { ages: [...locked, ...ages.filter((age) => age >= lockedMillis)], isCut: count < wanted }
}
