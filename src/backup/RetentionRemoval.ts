import { Effect } from "effect"
import type * as BackupId from "../identity/BackupId.ts"
import * as AbandonedRuns from "../manifest/AbandonedRuns.ts"
import * as Adoption from "../manifest/Adoption.ts"
import type { CatalogueError } from "../manifest/CatalogueError.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as Claims from "../manifest/Claims.ts"
import * as OwnerLock from "../manifest/OwnerLock.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isLocked, lockedText, type ObjectStoreError } from "../storage/ObjectStoreError.ts"
import type * as RetentionDecision from "./RetentionDecision.ts"
import * as RetentionOutcome from "./RetentionOutcome.ts"

/** A store that protects the object for now keeps it. */
export const unlessLocked = <A, E, R>(request: Effect.Effect<A, E, R>) =>
  Effect.asVoid(request).pipe(Effect.catchIf(isLocked, () => Effect.void))

/**
 * Holds the locks of the earlier resources whose backups are removed, too: one of their Jobs may still be at work.
 * Their indexes go first, and with the last backup the records of their runs: afterwards nothing names them any more,
 * so nobody could finish it. A store may protect both; an index that stays is empty.
 */
const withTheirLocks = (
  store: ObjectStoreShape,
  makers: ReadonlyArray<RetentionDecision.Maker>,
  work: Effect.Effect<void, CatalogueError | ObjectStoreError>
): Effect.Effect<void, CatalogueError | ObjectStoreError> =>
  makers.reduce(
    (inner, { isLast, owner }) =>
      OwnerLock.holdingPatiently(
        store,
        owner,
        "the removal of adopted backups",
        SetIndex.empty(store, owner).pipe(
          Effect.andThen(unlessLocked(SetIndex.removeAll(store, owner))),
          Effect.andThen(isLast ? unlessLocked(Claims.forgetAll(store, owner)) : Effect.void),
          Effect.andThen(inner)
        )
      ),
    work
  )

/**
 * Removes the decided sets, but no object that a remaining set names. A set that the store locks stays whole, and is
 * tried again by the next pass.
 */
export const carryOut = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  decided: RetentionDecision.Decided
) {
  const { abandoned = [], earlier, index, naming, outcome: decision, own, remains } = decided
  const removed = [...decision.removed, ...remains]
  const owner = Adoption.ownerOf(resource)
  if (removed.length + abandoned.length === 0) {
    // Without it the next run reads more; nothing else depends on it.
    if (index !== undefined) yield* Effect.ignore(SetIndex.write(store, owner, index.after, index.sets))
    return decision
  }
  // Before the first removal: a set that is in the index is not looked at again.
  if (index !== undefined) yield* SetIndex.write(store, owner, index.after, index.sets)
  const stillNamed = yield* SetRemoval.namedElsewhere(store, naming)
  const locked: Array<{ readonly backupId: BackupId.BackupId; readonly why: string }> = []
  yield* Effect.forEach(abandoned, (run) => unlessLocked(AbandonedRuns.forget(store, run)), { discard: true })
  const removal = Effect.forEach(
    [...removed, ...abandoned.map(({ backupId }) => backupId)],
    (backupId) =>
      SetRemoval.remove(store, backupId, owner, stillNamed).pipe(
        Effect.catchIf(isLocked, (error) => {
          const why = lockedText(error) ?? error.message
          locked.push({ backupId, why })
          return Effect.logInfo("a backup stays for now: the store protects it from removal").pipe(
            Effect.annotateLogs({ backupId, why })
          )
        })
      ),
    { discard: true }
  )
  yield* withTheirLocks(store, earlier, removal)
  if (locked.length === 0) return decision
  if (index !== undefined) {
    const stays = index.leaving.filter(({ backupId }) => locked.some((kept) => kept.backupId === backupId))
    // One of which a part is gone is no backup any more: only a set that is not in the index is looked at again.
    const still = yield* Effect.filter(stays, ({ backupId }) => Catalogue.isComplete(store, backupId))
    yield* Effect.ignore(SetIndex.write(store, owner, index.after + 1, [...index.sets, ...still]))
  }
  const gone = decision.removed.filter((backupId) => !locked.some((kept) => kept.backupId === backupId))
  return RetentionOutcome.of(own, gone, { ...decision, locked })
})
