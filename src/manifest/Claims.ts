import { Effect, Schema, Stream } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import { digest, isSameRun, type Owner, ownerKey, RunIdentity } from "../identity/RunIdentity.ts"
import type { ObjectKey, ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import { CatalogueError, NoFreeId, RunAlreadyTaken } from "./CatalogueError.ts"
import * as Documents from "./Documents.ts"

/** In the folder of the set: the run that the folder belongs to. */
const Claim = Schema.Struct({ version: Schema.Literal(1), identity: RunIdentity })
/** Outside the folder: the id of the run, kept when the set is gone. */
const RunRecord = Schema.Struct({ version: Schema.Literal(1), identity: RunIdentity, backupId: BackupId.BackupId })

/** True if the folder holds any object. */
const isOccupied = (store: ObjectStoreShape, backupId: BackupId.BackupId) =>
  store.list(`${backupId}/`).pipe(
    Stream.take(1),
    Stream.runCount,
    Effect.map((n) => n > 0)
  )

/** Tries to reserve the folder of one candidate id; true if it belongs to this run, now or since an earlier attempt. */
const reserve = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: BackupId.BackupId,
  identity: RunIdentity
) {
  const key = BackupKeys.claim(backupId)
  const claim = Documents.readIfThere(store, key, Claim)
  const existing = yield* claim
  if (existing !== undefined) return isSameRun(existing.identity, identity)
  if (yield* isOccupied(store, backupId)) {
    // Since the claim was looked for, another attempt of this run may have taken the folder.
    const since = yield* claim
    return since !== undefined && isSameRun(since.identity, identity)
  }
  if (yield* Documents.create(store, key, Claim, { version: 1, identity }, "data")) return true
  return isSameRun((yield* Documents.read(store, key, Claim)).identity, identity)
})

/**
 * The backup id of this run, the same for every attempt: the id of its slot or, if another set has that, the next free
 * second. Never touches a foreign set. Fails with `RunAlreadyTaken` if the set of the run was made and removed again.
 */
export const take = Effect.fn("Claims.take")(function* (store: ObjectStoreShape, identity: RunIdentity) {
  const recordKey = BackupKeys.runRecord(ownerKey(identity.owner), digest(identity))
  const record = yield* Documents.readIfThere(store, recordKey, RunRecord)
  if (record !== undefined) {
    const claim = yield* Documents.readIfThere(store, BackupKeys.claim(record.backupId), Claim)
    if (claim !== undefined && isSameRun(claim.identity, identity)) return record.backupId
    return yield* new CatalogueError({ reason: new RunAlreadyTaken({ backupId: record.backupId }) })
  }
  const slotMillis = Date.parse(identity.slot)
  for (const candidate of BackupId.candidates(identity.owner.name, slotMillis)) {
    if (yield* reserve(store, candidate, identity)) {
      yield* Documents.create(store, recordKey, RunRecord, { version: 1, identity, backupId: candidate })
      return candidate
    }
  }
  const firstTried = BackupId.forSlot(identity.owner.name, slotMillis)
  return yield* new CatalogueError({ reason: new NoFreeId({ firstTried, location: store.location }) })
})

/** The backup id in the record of a run; undefined without a valid record. */
export const recordedId = (store: ObjectStoreShape, key: ObjectKey) =>
  Documents.readIfThere(store, key, RunRecord).pipe(
    Effect.map((record) => record?.backupId),
    Effect.catchTag("CatalogueError", () => Effect.succeed(undefined))
  )

/**
 * Removes the records of an owner that is gone. Without a uid they stay: a new resource of the same name must not
 * repeat an old run, whereas a uid never returns.
 */
export const forgetAll = (store: ObjectStoreShape, owner: Owner) =>
  owner.uid === undefined
    ? Effect.void
    : store.list(BackupKeys.runRecordFolder(ownerKey(owner))).pipe(
        Stream.mapEffect((info) => store.delete(info.key), { concurrency: 8, unordered: true }),
        Stream.runDrain
      )

/** How many records of runs stay when an owner without a uid is gone. */
export const staying = (store: ObjectStoreShape, owner: Owner) =>
  owner.uid === undefined ? Stream.runCount(store.list(BackupKeys.runRecordFolder(ownerKey(owner)))) : Effect.succeed(0)

/** The run that claimed a folder; undefined without a valid claim. */
export const claimed = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: BackupId.BackupId) {
  const claim = yield* Documents.readIfThere(store, BackupKeys.claim(backupId), Claim).pipe(
    Effect.catchTag("CatalogueError", () => Effect.succeed(undefined))
  )
  return claim?.identity
})

/** The owner of the run that claimed a folder; undefined without a valid claim. */
export const claimant = (store: ObjectStoreShape, backupId: BackupId.BackupId) =>
  Effect.map(claimed(store, backupId), (identity) => identity?.owner)
