import { Effect, Schema } from "effect"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as OwnerLock from "../manifest/OwnerLock.ts"
import * as Pins from "../manifest/Pins.ts"
import type { BackupId } from "../identity/BackupId.ts"
import { isSameOwner, type Owner } from "../identity/RunIdentity.ts"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"

/** Everything of a resource was to be removed, and somebody wants some of it to stay. */
export class BackupsPinned extends Schema.TaggedError<BackupsPinned>()("BackupsPinned", {
  backups: Schema.Array(Schema.String)
}) {
  override get message() {
    const [one] = this.backups
    return this.backups.length === 1
      ? `nothing is removed, because backup ${one} is pinned`
      : `nothing is removed, because ${this.backups.length} backups are pinned: ${this.backups.join(", ")}`
  }
  readonly advice =
    "to remove them all the same, unpin them first, with kafka-backup unpin or in the annotation kafka.oso.sh/pin, or give prune --all --including-pinned"
  readonly exitCode = exitCodes.usage
}

/**
 * Pins a complete backup, so that retention leaves it alone. Waits for a removal that is on: it holds the locks of the
 * backup's owner and of the resource. False if the backup was pinned already.
 */
export const pin = Effect.fn("Pinning.pin")(function* (
  store: ObjectStoreShape,
  resource: Owner,
  text: string,
  why: { readonly reason: string | undefined; readonly who: string }
) {
  const { backupId, facts } = yield* Catalogue.open(store, text)
  const maker = facts?.identity.owner
  // Once more under the lock: it may have been removed while this waited.
  const create = Effect.andThen(Catalogue.open(store, backupId), Pins.create(store, backupId, why))
  const holder = `${why.who}, pin`
  const held = OwnerLock.holding(store, maker ?? resource, holder, create, "fiveMinutes")
  return maker === undefined || isSameOwner(maker, resource)
    ? yield* held
    : yield* OwnerLock.holding(store, resource, holder, held, "fiveMinutes")
})

/** Those of these backups that are pinned. */
export const among = (
  store: ObjectStoreShape,
  backupIds: ReadonlyArray<BackupId>,
  annotation: string | undefined
): Effect.Effect<ReadonlyArray<BackupId>, Effect.Error<ReturnType<typeof Pins.all>>> =>
  Effect.map(Pins.of(store, annotation), (pins) => backupIds.filter((backupId) => pins.has(backupId)))
