import { Effect } from "effect"
import type * as BackupId from "../identity/BackupId.ts"
import type { Owner } from "../identity/RunIdentity.ts"
import * as AbandonedRuns from "../manifest/AbandonedRuns.ts"
import * as Adoption from "../manifest/Adoption.ts"
import type { CatalogueError } from "../manifest/CatalogueError.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as Claims from "../manifest/Claims.ts"
import * as Ledger from "../manifest/Ledger.ts"
import * as OwnerLock from "../manifest/OwnerLock.ts"
import * as Readers from "../manifest/Readers.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import * as SetLocks from "../manifest/SetLocks.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isLocked, lockedText, ObjectStoreError, stillLocked } from "../storage/ObjectStoreError.ts"
import * as Collecting from "./Collecting.ts"
import * as FailedRuns from "./FailedRuns.ts"
import * as InUse from "./InUse.ts"
import type * as RetentionPlan from "./RetentionPlan.ts"
import * as RetentionOutcome from "./RetentionOutcome.ts"

/** A store that protects the object for now keeps it. */
export const unlessLocked = <A, E, R>(request: Effect.Effect<A, E, R>) =>
  Effect.asVoid(request).pipe(Effect.catchIf(isLocked, () => Effect.void))

/** The store keeps an object: it protects it for now, or this identity may not delete it. */
const isKept = (error: unknown): error is ObjectStoreError =>
  isLocked(error) ||
  (error instanceof ObjectStoreError &&
    error.operation === "delete" &&
    error.reason._tag === "StorageAuthorizationFailed")

/**
 * Holds the locks of the earlier resources whose backups are removed, too: one of their Jobs may still be at work.
 * Their indexes go first, and with the last backup the records of their runs: afterwards nothing names them any more,
 * so nobody could finish it. A store may protect both; an index that stays is empty.
 */
const withTheirLocks = (
  store: ObjectStoreShape,
  makers: ReadonlyArray<RetentionPlan.Maker>,
  work: Effect.Effect<void, CatalogueError | ObjectStoreError>
): Effect.Effect<void, CatalogueError | ObjectStoreError> =>
  makers.reduce(
    (inner, { isLast, owner }) =>
      OwnerLock.holding(
        store,
        owner,
        "the removal of adopted backups",
        SetIndex.empty(store, owner).pipe(
          Effect.andThen(unlessLocked(SetIndex.removeAll(store, owner))),
          Effect.andThen(unlessLocked(Ledger.removeAll(store, owner))),
          Effect.andThen(unlessLocked(FailedRuns.forgetAll(store, owner))),
          Effect.andThen(isLast ? unlessLocked(Claims.forgetAll(store, owner)) : Effect.void),
          Effect.andThen(inner)
        ),
        "fiveMinutes"
      ),
    work
  )

/** What stays although it was decided to go. */
interface Staying {
  /** Because the store keeps it, and why. */
  readonly locked: Array<RetentionOutcome.RetentionOutcome["locked"][number]>
  /** Because somebody began to read it. */
  inUse: InUse.InUse
  /** The first refusal for a missing permission. */
  denied?: ObjectStoreError
}

const keeping = (staying: Staying, backupId: BackupId.BackupId, removal: Effect.Effect<void, ObjectStoreError>) =>
  removal.pipe(
    Effect.catchIf(isKept, (error) => {
      const why = lockedText(error) ?? `permission denied: ${error.reason.message}`
      const lock = isLocked(error) ? { lock: error.reason.locked } : {}
      staying.locked.push({ backupId, why, ...lock })
      if (!isLocked(error)) staying.denied ??= error
      return Effect.logInfo("a backup stays for now: the store keeps its objects").pipe(
        Effect.annotateLogs({ backupId, why })
      )
    })
  )

/** Fails with what protects the set, before anything of it is changed. */
const assertFree = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: BackupId.BackupId,
  stillNamed: ReadonlySet<string>
) {
  const found = yield* SetLocks.find(store, backupId, stillNamed)
  if (found === undefined) return
  const { key, protection } = found
  const advice = "the next retention after its lock has ended removes it"
  const reason = stillLocked(key, protection, advice)
  return yield* new ObjectStoreError({ operation: "delete", location: store.location, reason })
})

/**
 * Says of every backup that it is being removed, before an object of any of them goes: one that goes may name objects
 * of another one, and one that the store keeps still needs them. One that the store keeps is not touched: it is looked
 * at first. Returns those that stay whole.
 */
const condemn = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  owner: Owner,
  going: ReadonlyArray<BackupId.BackupId>,
  { collection, heedsReaders }: Pick<RetentionPlan.Decided, "collection" | "heedsReaders">,
  staying: Staying
) {
  const condemned = new Set<BackupId.BackupId>()
  for (const backupId of going) {
    const write = Effect.map(SetRemoval.condemn(store, backupId, owner), (isNew) => {
      if (isNew) condemned.add(backupId)
    })
    yield* keeping(staying, backupId, Effect.andThen(assertFree(store, backupId, collection.stillNamed), write))
  }
  if (condemned.size > 0 && heedsReaders) {
    // A reader that registers after this finds the tombstone.
    const read = [...InUse.ofReaders(yield* Readers.live(store))].filter(([backupId]) => condemned.has(backupId))
    staying.inUse = new Map(yield* Effect.filter(read, ([backupId]) => Catalogue.hasManifest(store, backupId)))
    yield* Effect.forEach(staying.inUse.keys(), (backupId) => SetRemoval.spare(store, backupId), { discard: true })
  }
  const stays = new Set<string>([...staying.locked.map(({ backupId }) => backupId), ...staying.inUse.keys()])
  return yield* Effect.filter(
    going.filter((backupId) => stays.has(backupId)),
    (backupId) => Catalogue.isComplete(store, backupId)
  )
})

/** The outcome where these sets stay although they were to go. */
const withStaying = (
  { outcome: decision, own }: RetentionPlan.Decided,
  { denied, inUse, locked }: Staying,
  afterlife: string | undefined
): RetentionOutcome.RetentionOutcome => {
  const told = afterlife === undefined ? {} : { afterlife }
  if (locked.length + inUse.size === 0) return { ...decision, ...told }
  const stays = new Set<string>([...inUse.keys(), ...locked.map(({ backupId }) => backupId)])
  const gone = decision.removed.filter((backupId) => !stays.has(backupId))
  // What was planned of the others counts on all of them to go.
  const { space: _planned, ...rest } = decision
  return RetentionOutcome.of(own, gone, {
    ...rest,
    ...told,
    notes: [...rest.notes, ...InUse.notes(inUse, rest.removed)],
    locked: [...decision.locked, ...locked],
    ...(denied === undefined ? {} : { denied })
  })
}

const afterlifeOf = (store: ObjectStoreShape) => store.afterlife ?? Effect.succeed(undefined)

/** What `carryOut` would make of it as the store says now. Changes nothing. */
export const preview = Effect.fnUntraced(function* (store: ObjectStoreShape, decided: RetentionPlan.Decided) {
  const { abandoned = [], collection, demand, outcome, remains } = decided
  const staying: Staying = { locked: [], inUse: new Map() }
  const going = [...outcome.removed, ...remains, ...abandoned.map(({ backupId }) => backupId)]
  for (const backupId of going) yield* keeping(staying, backupId, assertFree(store, backupId, collection.stillNamed))
  if (going.length === 0) return outcome
  const kept = new Set<string>(staying.locked.map(({ backupId }) => backupId))
  const told = withStaying(decided, staying, yield* afterlifeOf(store))
  if (kept.size === 0) return told
  // What stays needs what it needed.
  const needs = [...demand.needs, ...decided.leavingNeeds.filter(({ backupId }) => kept.has(backupId))]
  const left = { ...demand, needs, going: demand.going.filter((backupId) => !kept.has(backupId)) }
  return { ...told, space: yield* Collecting.space(store, left, yield* Collecting.plan(store, left)) }
})

/**
 * Removes the decided sets and what nobody needs of earlier ones, but no object that a remaining set names. A set that
 * the store keeps stays whole, and is tried again by the next pass.
 */
export const carryOut = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  decided: RetentionPlan.Decided
) {
  const { abandoned = [], collection, demand, earlier, index, outcome: decision, remains } = decided
  const owner = Adoption.ownerOf(resource)
  yield* Effect.ignore(Effect.forEach(decided.staleReaders, (key) => store.delete(key), { discard: true }))
  const going = [...decision.removed, ...remains, ...abandoned.map(({ backupId }) => backupId)]
  if (going.length + collection.collected.length === 0) {
    // Without it the next run reads more; nothing else depends on it.
    if (index !== undefined) yield* Effect.ignore(SetIndex.write(store, owner, index.after, index))
    return decision
  }
  // Before the first removal: a set that is in the index is not looked at again.
  if (index !== undefined) yield* SetIndex.write(store, owner, index.after, index)
  yield* Effect.forEach(abandoned, (run) => unlessLocked(AbandonedRuns.forget(store, run)), { discard: true })
  const staying: Staying = { locked: [], inUse: new Map() }
  const removal = Effect.gen(function* () {
    const whole = new Set(yield* condemn(store, owner, going, decided, staying))
    const needs = [...demand.needs, ...decided.leavingNeeds.filter(({ backupId }) => whole.has(backupId))]
    const { collected, stillNamed } =
      whole.size === 0 ? collection : yield* Collecting.plan(store, { ...demand, needs })
    const isKeptAlready = (backupId: BackupId.BackupId) => staying.locked.some((kept) => kept.backupId === backupId)
    for (const backupId of going) {
      if (whole.has(backupId) || isKeptAlready(backupId)) continue
      yield* keeping(staying, backupId, SetRemoval.remove(store, backupId, owner, stillNamed))
    }
    for (const folder of collected) {
      yield* keeping(staying, folder.backupId, SetRemoval.collect(store, folder, stillNamed))
    }
  })
  yield* withTheirLocks(store, earlier, removal)
  const { locked, inUse } = staying
  if (locked.length + inUse.size > 0 && index !== undefined) {
    const isStaying = (backupId: BackupId.BackupId) =>
      inUse.has(backupId) || locked.some((kept) => kept.backupId === backupId)
    const stays = index.leaving.filter(({ backupId }) => isStaying(backupId))
    // One of which a part is gone is no backup any more: only a set that is not in the index is looked at again.
    const still = yield* Effect.filter(stays, ({ backupId }) => Catalogue.isComplete(store, backupId))
    const contents = { ...index, sets: [...index.sets, ...still] }
    yield* Effect.ignore(SetIndex.write(store, owner, index.after + 1, contents))
  }
  return withStaying(decided, staying, yield* afterlifeOf(store))
})
