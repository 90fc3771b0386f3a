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

/** What a pass over what is stored now would do. */
const decide = Effect.fnUntraced(function* (store: ObjectStoreShape, owner: Owner, keep: number | undefined) {
  const entries = yield* Catalogue.entries(store)
  const own = entries.flatMap((entry) =>
    entry._tag === "Complete" && entry.facts !== undefined && isSameOwner(entry.facts.identity.owner, owner)
      ? [{ backupId: entry.backupId, slotMillis: Date.parse(entry.facts.identity.slot), isOwnVerifiedSuccess: true }]
      : []
  )
  const notes = entries.flatMap((entry) =>
    entry._tag === "Unreadable"
      ? [`retention removed nothing: what ${entry.backupId} still needs is unknown: ${entry.detail}`]
      : []
  )
  const removed =
    notes.length > 0
      ? []
      : [
          ...(yield* SetRemoval.unfinished(store, owner, entries)),
          ...Retention.expired(own, keep).map((set) => set.backupId)
        ]
  const kept = own.map((set) => set.backupId).filter((backupId) => !removed.includes(backupId))
  return { entries, outcome: { kept, removed, notes } satisfies RetentionOutcome }
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
  const { entries, outcome } = yield* decide(store, owner, keep)
  const { removed } = outcome
  if (removed.length > 0) {
    const staying = entries.flatMap((entry) =>
      entry._tag === "Complete" && !removed.includes(entry.backupId) ? [entry.backupId] : []
    )
    const stillNamed = yield* SetRemoval.namedElsewhere(store, staying)
    yield* Effect.forEach(removed, (backupId) => SetRemoval.remove(store, backupId, owner, stillNamed), {
      discard: true
    })
  }
  return outcome
})
