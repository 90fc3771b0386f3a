import { Effect, Schema, Stream } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import { digest, isSameRun, ownerKey, RunIdentity } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import { CatalogueError, NoFreeId, RunAlreadyTaken } from "./CatalogueError.ts"
import * as Documents from "./Documents.ts"

/** Stands in the set's folder: whose run this folder belongs to. */
const Claim = Schema.Struct({ version: Schema.Literal(1), identity: RunIdentity })
/** Stands outside: which id the run got, remembered when the set is gone. */
const RunRecord = Schema.Struct({ version: Schema.Literal(1), identity: RunIdentity, backupId: Schema.String })

/** True when anything at all lies in the folder, ours or foreign. */
const isOccupied = (store: ObjectStoreShape, backupId: string) =>
  store.list(`${backupId}/`).pipe(
    Stream.take(1),
    Stream.runCount,
    Effect.map((n) => n > 0)
  )

/** Tries to have the folder of one candidate id; true when it is this run's, now or since an earlier attempt. */
const reserve = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: string, identity: RunIdentity) {
  const key = BackupKeys.claim(backupId)
  const existing = yield* Documents.readIfThere(store, key, Claim)
  if (existing !== undefined) return isSameRun(existing.identity, identity)
  if (yield* isOccupied(store, backupId)) return false
  if (yield* Documents.create(store, key, Claim, { version: 1, identity })) return true
  return isSameRun((yield* Documents.read(store, key, Claim)).identity, identity)
})

/**
 * The backup id of this run, the same at every attempt. The slot's own id, or, where another set has it, the next free
 * second; a foreign set is never touched. Fails with `RunAlreadyTaken` when the run's set was made and removed again.
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
      return candidate as string
    }
  }
  const firstTried = BackupId.forSlot(identity.owner.name, slotMillis)
  return yield* new CatalogueError({ reason: new NoFreeId({ firstTried, location: store.location }) })
})

/** Whose run a folder was claimed for; undefined where there is no claim, or none that can be believed. */
export const claimant = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: string) {
  const claim = yield* Documents.readIfThere(store, BackupKeys.claim(backupId), Claim).pipe(
    Effect.catchTag("CatalogueError", () => Effect.succeed(undefined))
  )
  return claim?.identity.owner
})
