import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import type { CatalogueSummary } from "../outcome/RunSummary.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import * as Retention from "./Retention.ts"
import type { Owner } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"

/** The result of a retention pass. */
export interface RetentionOutcome {
  readonly kept: ReadonlyArray<BackupId>
  readonly removed: ReadonlyArray<BackupId>
  /** Why the pass removed less than asked for. */
  readonly notes: ReadonlyArray<string>
  /** The kept sets, for history; absent if the pass failed before it knew them. */
  readonly catalogue?: CatalogueSummary
}

/** What storage holds, and what a pass is going to remove. */
export interface Decided {
  readonly entries: ReadonlyArray<Catalogue.CatalogueEntry>
  readonly outcome: RetentionOutcome
}

/** The outcome of removing the sets `removed`. */
export const outcome = (
  entries: ReadonlyArray<Catalogue.CatalogueEntry>,
  owner: Owner,
  removed: ReadonlyArray<BackupId>,
  notes: ReadonlyArray<string>
): RetentionOutcome => {
  const kept = OwnSets.of(entries, owner).filter((set) => !removed.includes(set.backupId))
  return { kept: kept.map((set) => set.backupId), removed, notes, catalogue: OwnSets.summary(kept) }
}

/** A note for each set that may need objects of other sets, because its manifest cannot be read. */
export const unknownNeeds = (entries: ReadonlyArray<Catalogue.CatalogueEntry>): ReadonlyArray<string> =>
  entries.flatMap((entry) =>
    entry._tag === "Unreadable"
      ? [`retention removed nothing, because ${entry.backupId} may need objects of other backups: ${entry.detail}`]
      : []
  )

/** What a pass over the present storage would do. */
const decide = Effect.fnUntraced(function* (store: ObjectStoreShape, owner: Owner, keep: number | undefined) {
  const entries = yield* Catalogue.entries(store)
  const notes = unknownNeeds(entries)
  if (notes.length > 0) return { entries, outcome: outcome(entries, owner, [], notes) } satisfies Decided
  const own = OwnSets.of(entries, owner).map((set) => ({ ...set, isOwnVerifiedSuccess: true }))
  const removed = [
    ...(yield* SetRemoval.unfinished(store, owner, entries)),
    ...Retention.expired(own, keep).map((set) => set.backupId)
  ]
  return { entries, outcome: outcome(entries, owner, removed, []) } satisfies Decided
})

/** Removes the decided sets, but no object that a remaining set names. */
export const carryOut = Effect.fnUntraced(function* (store: ObjectStoreShape, owner: Owner, decided: Decided) {
  const { removed } = decided.outcome
  if (removed.length > 0) {
    const remaining = decided.entries.flatMap((entry) =>
      entry._tag === "Complete" && !removed.includes(entry.backupId) ? [entry.backupId] : []
    )
    const stillNamed = yield* SetRemoval.namedElsewhere(store, remaining)
    yield* Effect.forEach(removed, (backupId) => SetRemoval.remove(store, backupId, owner, stillNamed), {
      discard: true
    })
  }
  return decided.outcome
})

/** What `run` would do now. Changes nothing. */
export const preview = Effect.fn("RetentionPass.preview")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  keep: number | undefined
) {
  return (yield* decide(store, owner, keep)).outcome
})

/**
 * Keeps the newest `keep` verified successes of this owner and removes the older ones, after finishing removals that
 * were interrupted. Does not touch sets of others, unfinished runs and foreign files. The caller holds the owner's
 * lock.
 */
export const run = Effect.fn("RetentionPass.run")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  keep: number | undefined
) {
  return yield* carryOut(store, owner, yield* decide(store, owner, keep))
})
