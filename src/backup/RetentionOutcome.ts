import type * as BackupId from "../identity/BackupId.ts"
import * as DamagedSets from "../manifest/DamagedSets.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import type { CatalogueSummary } from "../outcome/RunSummary.ts"
import type { DamageSummary } from "../outcome/VerificationSummary.ts"
import type { Protection } from "../storage/Protection.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"

/** What becomes of one folder. */
export interface FolderSpace {
  readonly backupId: BackupId.BackupId
  /** It was a backup before: other backups needed a part of it. */
  readonly isRetired: boolean
  /** Bytes that are removed. */
  readonly freedBytes: number
  /** Bytes that stay for other backups, */
  readonly keptBytes: number
  /** which are these. */
  readonly neededBy: ReadonlyArray<BackupId.BackupId>
}

/** A backup that is to go and stays for now. */
export interface LockedSet {
  readonly backupId: BackupId.BackupId
  /** For people. */
  readonly why: string
  /** Present where a lock of the store is the reason. */
  readonly lock?: Protection
}

/** The result of a retention pass. */
export interface RetentionOutcome {
  readonly kept: ReadonlyArray<BackupId.BackupId>
  readonly removed: ReadonlyArray<BackupId.BackupId>
  /** Backups that no rule keeps and that stay, because newer ones lost what they hold: id and why. */
  readonly heldBack: ReadonlyArray<{ readonly backupId: BackupId.BackupId; readonly why: string }>
  /** Backups that no rule keeps and that stay for now, because the store keeps them or something needs them. */
  readonly locked: ReadonlyArray<LockedSet>
  /** For people, what becomes of the bytes of what is removed; absent where they are freed, or nobody knows. */
  readonly afterlife?: string
  /** Present where this identity may not delete an object: what the store said first. */
  readonly denied?: ObjectStoreError
  /** Why the pass removed nothing; empty if it did its work. */
  readonly blocked: ReadonlyArray<string>
  /** What the user should know about the backups: damaged ones, for example. */
  readonly notes: ReadonlyArray<string>
  /** The rules that keep a backup, by its id. */
  readonly reasons?: ReadonlyMap<string, ReadonlyArray<string>>
  /** The backups that are pinned, whether or not they are this resource's. */
  readonly pins?: ReadonlySet<string>
  /** The rules of the resource that were applied, as `RetentionSpec.timed` has them. */
  readonly rules?: string
  /** What each folder gives back; absent where nobody asked, as in a run. */
  readonly space?: ReadonlyArray<FolderSpace>
  /** The kept sets, for history; absent if the pass failed before it knew them. */
  readonly catalogue?: CatalogueSummary
  /** Of `kept` those that are known to be damaged: they count for no rule. */
  readonly keptDamaged?: ReadonlyArray<BackupId.BackupId>
  /** Which of them are known to be damaged; absent if the pass failed before. */
  readonly damaged?: DamageSummary
}

/** The outcome of removing `removed` from the sets `own` of one owner. */
export const of = (
  own: ReadonlyArray<OwnSets.OwnSet & DamagedSets.Told>,
  removed: ReadonlyArray<BackupId.BackupId>,
  more: Partial<Omit<RetentionOutcome, "kept" | "keptDamaged" | "removed" | "catalogue" | "damaged">> & {
    /** Further backups of the owner, of which nobody can read what they hold. */
    readonly unreadable?: ReadonlyArray<DamagedSets.KnownSet>
  } = {}
): RetentionOutcome => {
  const kept = own.filter((set) => !removed.includes(set.backupId))
  const {
    afterlife,
    blocked = [],
    denied,
    heldBack = [],
    locked = [],
    notes = [],
    pins,
    reasons,
    rules,
    space,
    unreadable = []
  } = more
  const catalogue = OwnSets.summary(kept, pins)
  return {
    kept: kept.map((set) => set.backupId),
    removed,
    heldBack,
    locked,
    blocked,
    notes,
    ...(afterlife === undefined ? {} : { afterlife }),
    ...(denied === undefined ? {} : { denied }),
    ...(space === undefined ? {} : { space }),
    catalogue,
    keptDamaged: kept.filter((set) => DamagedSets.damageOf(set) !== undefined).map((set) => set.backupId),
    damaged: DamagedSets.summary([...kept, ...unreadable]),
    ...(pins === undefined ? {} : { pins }),
    ...(reasons === undefined ? {} : { reasons }),
    ...(rules === undefined ? {} : { rules })
  }
}
