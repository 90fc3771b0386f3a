import { Effect } from "effect"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import type { CatalogueSummary } from "../outcome/RunSummary.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import * as Retention from "./Retention.ts"
import type { Owner } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"

/** What a pass did. */
export interface RetentionOutcome {
  readonly kept: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  /** Why less was removed than asked for. */
  readonly notes: ReadonlyArray<string>
  /** The kept sets, for history; absent when the pass did not come so far. */
  readonly catalogue?: CatalogueSummary
}

/** What is in storage, and what a pass means to do with it. */
export interface Decided {
  readonly entries: ReadonlyArray<Catalogue.CatalogueEntry>
  readonly outcome: RetentionOutcome
}

/** The outcome of removing `removed` of what there is. */
export const outcome = (
  entries: ReadonlyArray<Catalogue.CatalogueEntry>,
  owner: Owner,
  removed: ReadonlyArray<string>,
  notes: ReadonlyArray<string>
): RetentionOutcome => {
  const kept = OwnSets.of(entries, owner).filter((set) => !removed.includes(set.backupId))
  return { kept: kept.map((set) => set.backupId), removed, notes, catalogue: OwnSets.summary(kept) }
}

/** A note for each set of which nobody knows what it needs. */
export const unknownNeeds = (entries: ReadonlyArray<Catalogue.CatalogueEntry>): ReadonlyArray<string> =>
  entries.flatMap((entry) =>
    entry._tag === "Unreadable"
      ? [`retention removed nothing: what ${entry.backupId} still needs is unknown: ${entry.detail}`]
      : []
  )

/** What a pass over what is stored now would do. */
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

/** Removes what was decided on, and nothing that a set which stays still names. */
export const carryOut = Effect.fnUntraced(function* (store: ObjectStoreShape, owner: Owner, decided: Decided) {
  const { removed } = decided.outcome
  if (removed.length > 0) {
    const staying = decided.entries.flatMap((entry) =>
      entry._tag === "Complete" && !removed.includes(entry.backupId) ? [entry.backupId] : []
    )
    const stillNamed = yield* SetRemoval.namedElsewhere(store, staying)
    yield* Effect.forEach(removed, (backupId) => SetRemoval.remove(store, backupId, owner, stillNamed), {
      discard: true
    })
  }
  return decided.outcome
})

/** What `run` would do now, without doing it. */
export const preview = Effect.fn("RetentionPass.preview")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  keep: number | undefined
) {
  return (yield* decide(store, owner, keep)).outcome
})

/**
 * Keeps the newest `keep` verified successes of this owner and removes the older ones, after finishing removals that
 * were cut short. Sets of others, unfinished runs and foreign files are not touched. The caller holds the owner's lock.
 */
export const run = Effect.fn("RetentionPass.run")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  keep: number | undefined
) {
  return yield* carryOut(store, owner, yield* decide(store, owner, keep))
})
