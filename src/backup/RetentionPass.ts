import { Effect } from "effect"
import type * as Adoption from "../manifest/Adoption.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as RetentionDecision from "./RetentionDecision.ts"
import * as RetentionRemoval from "./RetentionRemoval.ts"

/** What `run` would do now. Changes nothing. */
export const preview = Effect.fn("RetentionPass.preview")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  rules: RetentionDecision.Rules
) {
  return (yield* RetentionDecision.decide(store, resource, rules, "everything")).outcome
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
  return yield* RetentionRemoval.carryOut(
    store,
    resource,
    yield* RetentionDecision.decide(store, resource, rules, thoroughness)
  )
})
