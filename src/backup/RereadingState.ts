import type { BackupId } from "../identity/BackupId.ts"
import type * as Ledger from "../manifest/Ledger.ts"
import type * as Verification from "../manifest/Verification.ts"
import type { ObjectInfo } from "../storage/ObjectStore.ts"

/* What a run knows of the stored backups that it reads again, from the first object to the record of them. */

/** An object that was read, and its row in the ledger. */
export interface Read {
  readonly row: number
  readonly located: Verification.LocatedSegment
  /** The backup whose manifest says what it must be. */
  readonly backupId: BackupId
}

/** An object that was not right twice. */
export interface Suspect extends Read {
  readonly detail: string
  /** What the store had under its key; undefined for nothing. */
  readonly seen: ObjectInfo | undefined
}

/** What a run has read again so far. */
export interface Rereading {
  readonly percent: number
  /** Up to date, but for what was read. Absent where it could not be brought up to date. */
  ledger: Ledger.Ledger | undefined
  /** All that the kept backups name is in it. */
  isComplete: boolean
  /** Backups of the resource that are known to be damaged, newest first. */
  damaged: ReadonlyArray<BackupId>
  readonly right: Array<Read>
  readonly suspects: Array<Suspect>
  /** Rows of objects that the store did not give: they go to the back of the queue with the time that they have. */
  readonly refused: Array<number>
  /** Rows of objects that their backup does not name: they leave the ledger. */
  readonly strays: Array<number>
  readonly notes: Array<string>
  isCutShort: boolean
}

export const begin = (percent: number): Rereading => ({
  percent,
  ledger: undefined,
  isComplete: false,
  damaged: [],
  right: [],
  suspects: [],
  refused: [],
  strays: [],
  notes: [],
  isCutShort: false
})
