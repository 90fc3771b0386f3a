import type * as BackupId from "../identity/BackupId.ts"
import type { DamageSummary } from "../outcome/VerificationSummary.ts"
import * as Damage from "./Damage.ts"

/** What may be known of damage to a set: what a reading recorded, or what a comparison with storage found last. */
export interface Told {
  readonly damage?: { readonly text: string }
  readonly check?: { readonly damage?: string }
}

/** A set of one resource. */
export interface KnownSet extends Told {
  readonly backupId: BackupId.BackupId
  readonly completedMillis: number
}

/** In a few words what is damaged of a set; undefined where nothing is known to be. */
export const damageOf = ({ check, damage }: Told): string | undefined => damage?.text ?? check?.damage

/** Most characters of the text. */
const longest = 300

/** Which of the resource's sets are known to be damaged, for its status: how many, and the newest of each kind. */
export const summary = (sets: ReadonlyArray<KnownSet>): DamageSummary => {
  const newestFirst = sets.toSorted(
    (a, b) => b.completedMillis - a.completedMillis || (a.backupId < b.backupId ? 1 : -1)
  )
  const damaged = newestFirst.filter((set) => damageOf(set) !== undefined)
  const [first] = damaged
  if (first === undefined) return { sets: 0, text: "" }
  const whole = newestFirst.find((set) => damageOf(set) === undefined)
  return {
    sets: damaged.length,
    text: Damage.shortened(`${first.backupId}: ${damageOf(first)}`, longest),
    newest: first.backupId,
    ...(whole === undefined ? {} : { newestWhole: whole.backupId })
  }
}
