import { given } from "../resource/Json.ts"
import type { StoredDataNews } from "./Facts.ts"
import * as Format from "./Format.ts"
import type { Status } from "./Status.ts"

/** Most bytes of what a pod says about damage, and of an id. */
const maxBytes = { message: 1024, id: 512 } as const

const id = (text: string | undefined) =>
  text === undefined ? undefined : Format.cut(Format.line(text), maxBytes.id) || undefined

/** What is known of damage: the news, unless older than what is known. Without news it stays, also in a failed run. */
export const next = (previous: Status["damage"], { damage }: StoredDataNews): Status["damage"] => {
  if (damage === undefined) return previous
  const reportedTime = Format.time(damage.endMillis)
  if (previous !== undefined && reportedTime < previous.reportedTime) return previous
  const backups = Math.max(0, damage.sets)
  return given({
    backups,
    message: backups === 0 ? undefined : Format.cut(Format.line(damage.text), maxBytes.message) || undefined,
    newestBackupId: backups === 0 ? undefined : id(damage.newest),
    newestWholeBackupId: backups === 0 ? undefined : id(damage.newestWhole),
    reportedTime
  })
}

/** True if this backup, the newest one, is known to be damaged. */
export const isDamaged = (damage: Status["damage"], newestBackupId: string | undefined): boolean =>
  damage !== undefined && damage.backups > 0 && newestBackupId !== undefined && damage.newestBackupId === newestBackupId

/** Which backup to restore from while others are damaged. */
export const toRestoreFrom = ({ newestWholeBackupId }: NonNullable<Status["damage"]>): string =>
  newestWholeBackupId === undefined
    ? "No backup of this resource is without known damage"
    : `Restore from ${newestWholeBackupId}, the newest backup without known damage`
