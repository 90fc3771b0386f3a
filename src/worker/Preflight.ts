import { Effect, type Exit, Stream } from "effect"
import { randomBytes, randomUUID } from "node:crypto"
import { type Owner, ownerKey } from "../identity/RunIdentity.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import type { ObjectKey, ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isLocked, lockedText, Misconfigured, ObjectStoreError, StoreUnavailable } from "../storage/ObjectStoreError.ts"

/** One thing that a run needs from the store, tried with a test object. Gives a note for people, or nothing. */
export interface StorageCheck {
  /** The thing that is tried, in a few words. */
  readonly name: string
  readonly effect: Effect.Effect<string | void, ObjectStoreError>
}

export interface CheckResult {
  readonly name: string
  readonly exit: Exit.Exit<string | void, ObjectStoreError>
}

const largeName = "large-object"
/** Of the test object that is stored as data is; always the same, because a lock may keep it for a moment. */
const dataName = "stored-as-data"

const newKey = (owner: Owner): ObjectKey => BackupKeys.preflight(ownerKey(owner), randomUUID())

/**
 * The test object that an earlier run had to leave in a write-once bucket, so that there is one of them for each
 * resource and not one for each run; otherwise a new one.
 */
const leftOrNew = (store: ObjectStoreShape, owner: Owner): Effect.Effect<ObjectKey> =>
  store.list(BackupKeys.preflightOf(ownerKey(owner))).pipe(
    Stream.filter(({ key }) => !key.endsWith(largeName) && !key.endsWith(dataName)),
    Stream.take(1),
    Stream.runCollect,
    Effect.map(([left]) => left?.key ?? newKey(owner)),
    // One of the checks reports it.
    Effect.catch(() => Effect.succeed(newKey(owner)))
  )

/**
 * Everything that a run needs from the store, in the order in which it needs it: write, create only if absent (tried
 * twice: the second must be refused), read back, list, delete. The test object lies in the folder of this program and
 * is removed again, unless the store protects it from removal.
 */
export const storageChecks = (store: ObjectStoreShape, key: ObjectKey): ReadonlyArray<StorageCheck> => {
  const content = Buffer.from("kafka-backup was here\n")
  const wrong = (detail: string, advice: string) =>
    new ObjectStoreError({
      operation: "put",
      location: store.location,
      reason: new Misconfigured({ detail, advice })
    })
  return [
    {
      name: "may write",
      effect: Effect.asVoid(store.put(key, [content], { ifAbsent: true })).pipe(
        Effect.catchReason("ObjectStoreError", "ObjectExists", () => Effect.void)
      )
    },
    {
      name: "honours create-if-absent",
      effect: store.put(key, [content, content], { ifAbsent: true }).pipe(
        Effect.andThen(
          wrong(
            "the store overwrote an object that it should have created only if absent",
            "use a store, or a version of it, that honours conditional writes: without them two runs could overwrite each other"
          )
        ),
        Effect.catchReason("ObjectStoreError", "ObjectExists", () => Effect.void)
      )
    },
    {
      name: "returns the bytes that were written",
      effect: Effect.flatMap(store.get(key), (found) =>
        Buffer.compare(Buffer.from(found), content) === 0
          ? Effect.void
          : wrong(
              "the store returned other bytes than were written",
              "do not keep backups there until the cause is found"
            )
      )
    },
    {
      name: "may list",
      effect: store.list(key).pipe(
        Stream.filter((info) => info.key === key),
        Stream.runCount,
        Effect.flatMap((n) =>
          n === 1
            ? Effect.void
            : wrong(
                "a listing leaves out an object that exists",
                "use a store with consistent listings: catalogue and retention cannot work without them"
              )
        )
      )
    },
    {
      name: "may delete",
      effect: store
        .delete(key)
        .pipe(
          Effect.catchIf(isLocked, (error) =>
            Effect.succeed(`not yet: the store keeps its objects (${lockedText(error)}); retention removes them later`)
          )
        )
    }
  ]
}

/**
 * Where the target says how data is to be stored (encryption, class, lock): that the store takes an object so, and has
 * it so afterwards. The object may stay for the minute that it is locked; the next check replaces or finds it.
 */
const asData = (store: ObjectStoreShape, owner: Owner): ReadonlyArray<StorageCheck> => {
  if (store.storing === undefined) return []
  const key = BackupKeys.preflight(ownerKey(owner), dataName)
  return [
    {
      name: `stores data as the resource says (${store.storing})`,
      effect: store.put(key, [Buffer.from("kafka-backup was here\n")], { role: "trial" }).pipe(
        // The lock of a minute keeps it: then it is left, and not hidden under one more marker by each check.
        Effect.andThen(store.delete(key, { role: "data" })),
        Effect.catchIf(isLocked, () => Effect.void)
      )
    }
  ]
}

/**
 * Sends one object of so many bytes: proxies in front of a store may limit the size of a request. Where the store can
 * be made to refuse it at its end, nothing is stored; else it is stored and removed again, unless the store keeps it.
 * Its key is always the same, so that a write-once bucket keeps one of them at most.
 */
const largeObject = (store: ObjectStoreShape, owner: Owner, bytes: number): StorageCheck => {
  const key = BackupKeys.preflight(ownerKey(owner), largeName)
  const piece = randomBytes(1024 * 1024)
  const pieces = Array.from({ length: Math.ceil(bytes / piece.byteLength) }, () => piece)
  return {
    name: `takes an object of ${Math.ceil(bytes / piece.byteLength)} MiB, as large as a segment`,
    effect: (store.rehearse === undefined
      ? store.put(key, pieces, { ifAbsent: true }).pipe(
          Effect.andThen(store.delete(key)),
          Effect.catchReason("ObjectStoreError", "ObjectExists", () => store.delete(key))
        )
      : store.rehearse(key, pieces)
    ).pipe(
      // Some proxies close the connection before their answer can be read.
      Effect.mapError((error) =>
        error.reason._tag === "StoreUnavailable"
          ? new ObjectStoreError({
              operation: error.operation,
              location: error.location,
              reason: new StoreUnavailable({
                detail: error.reason.detail,
                ifItLasts: "raise the body limit of the proxy before the store: it accepted a small object"
              })
            })
          : error
      ),
      Effect.catchIf(isLocked, () => Effect.void)
    )
  }
}

/**
 * All checks, one after the other, each with its outcome, and last an object of `segmentBytes`, unless that is 0.
 * `begins` is told which check is under way. Stops after a refused write.
 */
export const checkStorage = Effect.fn("Preflight.checkStorage")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  segmentBytes: number,
  begins: (name: string) => void
) {
  const results: Array<CheckResult> = []
  const small = storageChecks(store, yield* leftOrNew(store, owner))
  const large = segmentBytes === 0 ? [] : [largeObject(store, owner, segmentBytes)]
  for (const { effect, name } of [...small, ...asData(store, owner), ...large]) {
    begins(name)
    const exit = yield* Effect.exit(effect)
    results.push({ name, exit })
    if (exit._tag === "Failure" && name === "may write") break
  }
  return results as ReadonlyArray<CheckResult>
})

/**
 * Fails with the first check that fails, before a run has read anything: the store would otherwise refuse hours later.
 */
export const assertStorage = Effect.fn("Preflight.assertStorage")(function* (store: ObjectStoreShape, owner: Owner) {
  const all = (key: ObjectKey) => Effect.forEach(storageChecks(store, key), ({ effect }) => effect, { discard: true })
  // Before anything else was written: then nobody takes a permission that is missing for credentials that have ended.
  yield* Effect.forEach(asData(store, owner), ({ effect }) => effect, { discard: true })
  const first = yield* leftOrNew(store, owner)
  // What was left may be the object of another attempt, which removes it meanwhile: a new one decides. What the two
  // have made of it is of no use to later runs.
  yield* Effect.catch(all(first), () => Effect.andThen(Effect.ignore(store.delete(first)), all(newKey(owner))))
})
