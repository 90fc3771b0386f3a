import { Clock, Effect } from "effect"
import * as AbandonedRuns from "../manifest/AbandonedRuns.ts"
import * as Adoption from "../manifest/Adoption.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as RetentionDecision from "./RetentionDecision.ts"
import * as RetentionRemoval from "./RetentionRemoval.ts"

/**
 * Now, for the age of backups: where the store's clock and the machine's differ, the one that shows less. A clock that
 * is wrong keeps a backup longer then, and removes none too early. The store's shows in the lock that the caller holds.
 */
const nowMillis = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  { time }: RetentionDecision.Rules
) {
  const machineMillis = yield* Clock.currentTimeMillis
  if (time?.maxAgeMillis === undefined) return machineMillis
  return Math.min(machineMillis, yield* AbandonedRuns.storeMillis(store, Adoption.ownerOf(resource)))
})

/** What `run` would do now. Changes nothing. */
export const preview = Effect.fn("RetentionPass.preview")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  rules: RetentionDecision.Rules
) {
  const now = yield* Clock.currentTimeMillis
  const decided = yield* RetentionDecision.decide(store, resource, rules, now, "everything")
  return yield* RetentionRemoval.preview(store, decided)
})

/**
 * Keeps the backups of this resource that the rules keep and removes the others, after finishing removals that were
 * interrupted. Unfinished runs are removed once they are abandoned, whoever made them. Does not touch sets of others
 * and foreign files. The caller holds the owner's lock.
 */
export const run = Effect.fn("RetentionPass.run")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  rules: RetentionDecision.Rules,
  thoroughness: RetentionDecision.Thoroughness = "everything"
) {
  const now = yield* nowMillis(store, resource, rules)
  return yield* RetentionRemoval.carryOut(
    store,
    resource,
    yield* RetentionDecision.decide(store, resource, rules, now, thoroughness)
  )
})
