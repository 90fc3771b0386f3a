import type * as BackupId from "../identity/BackupId.ts"
import { isSameOwner, type Owner } from "../identity/RunIdentity.ts"
import * as AbandonedRuns from "../manifest/AbandonedRuns.ts"
import type * as Adoption from "../manifest/Adoption.ts"
import type * as DamagedSets from "../manifest/DamagedSets.ts"
import type * as Needs from "../manifest/Needs.ts"
import type * as OwnSets from "../manifest/OwnSets.ts"
import type * as SetIndex from "../manifest/SetIndex.ts"
import type * as SetRemoval from "../manifest/SetRemoval.ts"
import type { ObjectKey } from "../storage/ObjectStore.ts"
import type * as AbandonedFolders from "./AbandonedFolders.ts"
import type * as Collecting from "./Collecting.ts"
import * as RetentionOutcome from "./RetentionOutcome.ts"

/* What a pass is going to do, between the decision and the removal. */

/** An earlier resource whose backups are removed, or that had begun a removal. */
export interface Maker {
  readonly owner: Owner
  /** No backup of it is left. */
  readonly isLast: boolean
}

/** What a pass is going to remove. */
export interface Decided {
  readonly outcome: RetentionOutcome.RetentionOutcome
  /** The sets of the owner before anything is removed. */
  readonly own: ReadonlyArray<OwnSets.OwnSet & DamagedSets.Told>
  /** What decides on the objects of what is removed, and what follows from it. */
  readonly demand: Collecting.Demand
  readonly collection: Collecting.Collection
  /** What the sets that are removed need, in case the store does not let them go. */
  readonly leavingNeeds: ReadonlyArray<Needs.Need>
  /** Whether a set stays that somebody began to read meanwhile. */
  readonly heedsReaders: boolean
  /** Documents of readers that ended long ago. */
  readonly staleReaders: ReadonlyArray<ObjectKey>
  /** Folders without a backup in which paused attempts wrote after the removal: removed, too. */
  readonly remains: ReadonlyArray<BackupId.BackupId>
  /** Unfinished runs, of any resource, that are removed as well; they are no backups. */
  readonly abandoned?: ReadonlyArray<AbandonedRuns.AbandonedRun>
  readonly earlier: ReadonlyArray<Maker>
  /** What the index holds from now on, and the number of the present one; absent if it stays as it is. */
  readonly index?: SetIndex.Contents & {
    readonly after: number
    /** The sets that are removed, in case the store does not let them go. */
    readonly leaving: ReadonlyArray<SetIndex.IndexedSet>
  }
}

/**
 * The earlier resources that made one of these backups, and the other resources that had begun to remove one of them:
 * these, too, may still be at work. `all` are the backups of every resource.
 */
export const makersOf = (
  resource: Adoption.Resource,
  { earlier }: Adoption.Adoption,
  removed: ReadonlyArray<string>,
  unfinished: ReadonlyArray<SetRemoval.Unfinished>,
  all: ReadonlyArray<Adoption.Candidate>
): ReadonlyArray<Maker> => {
  const owners = [
    ...earlier.filter(({ sets }) => sets.some(({ backupId }) => removed.includes(backupId))).map(({ owner }) => owner),
    ...unfinished.flatMap(({ backupId, owner }) =>
      removed.includes(backupId) && !isSameOwner(owner, resource) ? [owner] : []
    )
  ]
  return owners
    .filter((owner, n) => owners.findIndex((other) => isSameOwner(other, owner)) === n)
    .map((owner) => ({
      owner,
      isLast: all.every(
        ({ backupId, facts }) => !isSameOwner(facts.identity.owner, owner) || removed.includes(backupId)
      )
    }))
}

const nothingToCollect = {
  demand: { going: [], retired: [], needs: [] },
  collection: { stillNamed: new Set<string>(), collected: [] },
  leavingNeeds: []
} as const

/** A pass that removes nothing. */
export const keepingAll = (own: Decided["own"], more: Parameters<typeof RetentionOutcome.of>[2]): Decided => ({
  outcome: RetentionOutcome.of(own, [], more),
  own,
  earlier: [],
  ...nothingToCollect,
  remains: [],
  heedsReaders: true,
  staleReaders: []
})

/** The same, with unfinished runs that nobody goes on with. */
export const withAbandoned = (decided: Decided, { going, notes: staying }: AbandonedFolders.Decided): Decided => {
  const notes = [...decided.outcome.notes, ...staying, ...going.map(AbandonedRuns.note)]
  return { ...decided, abandoned: going, outcome: { ...decided.outcome, notes } }
}
