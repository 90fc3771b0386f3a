import { Effect } from "effect"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import * as Retention from "../plan/Retention.ts"
import { isSameOwner, type Owner } from "../plan/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"

/** What a pass did. */
export interface RetentionOutcome {
  readonly kept: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  /** Why less was removed than asked for. */
  readonly notes: ReadonlyArray<string>
}

/**
 * Keeps the newest `keep` verified successes of this owner and removes the older ones, after finishing removals that
 * were cut short. Sets of others, unfinished runs and foreign files are not touched.
 */
export const run = Effect.fn("RetentionPass.run")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  keep: number | undefined
) {
  const entries = yield* Catalogue.entries(store)
  const own = entries.flatMap((entry) =>
    entry._tag === "Complete" && entry.facts !== undefined && isSameOwner(entry.facts.identity.owner, owner)
      ? [{ backupId: entry.backupId, slotMillis: Date.parse(entry.facts.identity.slot), isOwnVerifiedSuccess: true }]
      : []
  )
  const unreadable = entries.flatMap((entry) => (entry._tag === "Unreadable" ? [entry] : []))
  if (unreadable.length > 0) {
    return {
      kept: own.map((set) => set.backupId),
      removed: [],
      notes: unreadable.map(
        (entry) => `retention removed nothing: what ${entry.backupId} still needs is unknown: ${entry.detail}`
      )
    } satisfies RetentionOutcome
  }
  const doomed = [
    ...(yield* SetRemoval.unfinished(store, owner, entries)),
    ...Retention.expired(own, keep).map((set) => set.backupId)
  ]
  if (doomed.length > 0) {
    const staying = entries.flatMap((entry) =>
      entry._tag === "Complete" && !doomed.includes(entry.backupId) ? [entry.backupId] : []
    )
    const stillNamed = yield* SetRemoval.namedElsewhere(store, staying)
    yield* Effect.forEach(doomed, (backupId) => SetRemoval.remove(store, backupId, owner, stillNamed), {
      discard: true
    })
  }
  return {
    kept: own.map((set) => set.backupId).filter((backupId) => !doomed.includes(backupId)),
    removed: doomed,
    notes: []
  } satisfies RetentionOutcome
})
