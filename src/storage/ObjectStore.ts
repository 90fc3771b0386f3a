import { Context, type Effect, Schema, type Scope, type Stream } from "effect"
import type { ObjectStoreError } from "./ObjectStoreError.ts"
import type { Protection } from "./Protection.ts"
import type { StorageTarget } from "./StorageTarget.ts"

/**
 * Key of an object below the storage root (bucket + prefix, or directory), `/`-separated, without a leading slash.
 * No key of ours is another key's prefix followed by `/`: a directory could not hold both.
 */
export const ObjectKey = Schema.String.pipe(Schema.brand("ObjectKey"))
export type ObjectKey = typeof ObjectKey.Type

/** What a store knows of one object. */
export interface ObjectInfo {
  readonly key: ObjectKey
  /** Stored size in bytes. */
  readonly size: number
  /**
   * The server's own fingerprint of the content (an ETag, a checksum), equal for `put` and `head` while the object is
   * unchanged. Absent where a backend has none (a directory): what was stored there is proven by reading it back.
   */
  readonly fingerprint?: string
  /** Of a `put` that hashed the bytes on their way: SHA-256 of what was sent or written, lower-case hex. */
  readonly sha256?: string
  /** When the store says the object was written, in milliseconds since 1970. */
  readonly modifiedMillis?: number
  /** Where the store has said so along with the rest; null: nothing protects it. Absent: it has not said. */
  readonly protection?: Protection | null
}

/**
 * What an object is for. `data` is kept as long as its backup, and never replaced as long as it is whole: it gets the
 * storage class and the lock of the target. `trial` is a test object that is removed again: stored as data is, but
 * locked for a moment only, and fails where the store has not stored it so. All else is bookkeeping, which comes and
 * goes: stored as the bucket does by itself, and never locked.
 */
export type ObjectRole = "data" | "trial"

export interface PutOptions {
  /** Absent: bookkeeping. */
  readonly role?: ObjectRole
  /**
   * Create only: fails with `ObjectExists` when the key is already there, and leaves what is there untouched. After
   * `StoreUnavailable` the object may be there all the same: whoever tries again looks at what it holds.
   */
  readonly ifAbsent?: boolean
  /**
   * SHA-256 of all pieces, lower-case hex, where the caller has it: the store checks what arrived against it if it can.
   */
  readonly sha256?: string
}

export interface DeleteOptions {
  /**
   * `data`: an object that a lock keeps (a retention, a hold) fails so (`isLocked`), also where the store would only
   * hide it, keep its bytes and call it deleted. Absent: bookkeeping, which goes as the store lets it go.
   */
  readonly role?: "data"
}

/** Where bytes rest. Keys are relative to the root the store was opened for; nothing outside it is ever touched. */
export interface ObjectStoreShape {
  /** For people: `s3 bucket kafka-backups, prefix production/hourly`, `directory /volumes/backups`. */
  readonly location: string
  /**
   * For people, what the target asks of the store for its objects: `storageClass GLACIER_IR, objectLock GOVERNANCE for
   * 30 days`. Absent: nothing, every object is stored as the store does by itself.
   */
  readonly storing?: string
  /**
   * Writes the concatenation of `pieces` under `key`; readers see the whole object or none of it, and it is durable on
   * return.
   */
  readonly put: (
    key: ObjectKey,
    pieces: ReadonlyArray<Uint8Array>,
    options?: PutOptions
  ) => Effect.Effect<ObjectInfo, ObjectStoreError>
  /** The whole object. Meant for manifests, plans and checkpoints; read segments with `read`. */
  readonly get: (key: ObjectKey) => Effect.Effect<Uint8Array, ObjectStoreError>
  /**
   * The object's bytes in order, in pieces of the backend's choosing. Fails, never ends early, when the connection
   * breaks. A piece that is all of the memory behind it is the reader's own, which may free it.
   */
  readonly read: (key: ObjectKey) => Stream.Stream<Uint8Array, ObjectStoreError>
  readonly head: (key: ObjectKey) => Effect.Effect<ObjectInfo, ObjectStoreError>
  /** Every object whose key starts with `prefix` (a plain string prefix), complete, ascending by key; paged inside. */
  readonly list: (prefix: string) => Stream.Stream<ObjectInfo, ObjectStoreError>
  /** The distinct first segments of the keys (`a` for `a/b/c`), ascending, without listing what is below them. */
  readonly folders: Stream.Stream<string, ObjectStoreError>
  /** Deleting a missing key succeeds, so that retries are safe. */
  readonly delete: (key: ObjectKey, options?: DeleteOptions) => Effect.Effect<void, ObjectStoreError>
  /**
   * What keeps the object from being removed now; undefined: nothing does, or it is not there. Asks only where the
   * store may lock objects, and has not said so along with the rest of what is given. Absent: a store that refuses to
   * delete what it locks, or locks nothing.
   */
  readonly protection?: (
    info: Pick<ObjectInfo, "key" | "protection">
  ) => Effect.Effect<Protection | undefined, ObjectStoreError>
  /**
   * Sends so much content for `key` and has the store refuse it at its end, so that all that stands in between has
   * passed it on and nothing is stored, not even for a moment. Fails as `put`. Absent: only a `put` shows it.
   */
  readonly rehearse?: (key: ObjectKey, pieces: ReadonlyArray<Uint8Array>) => Effect.Effect<void, ObjectStoreError>
  /**
   * For people, what becomes of bytes that were removed: `the bucket keeps them as noncurrent versions`. Undefined:
   * they are freed, or the store does not say. Absent: they are freed.
   */
  readonly afterlife?: Effect.Effect<string | undefined>
}

/** The store of one run or one command. */
export class ObjectStore extends Context.Service<ObjectStore, ObjectStoreShape>()("kafka-backup/storage/ObjectStore") {}

/** Opens the store that a resource asks for; the table behind it is the one place that names every backend. */
export class ObjectStores extends Context.Service<
  ObjectStores,
  {
    readonly open: (target: StorageTarget) => Effect.Effect<ObjectStoreShape, ObjectStoreError, Scope.Scope>
  }
>()("kafka-backup/storage/ObjectStores") {}
