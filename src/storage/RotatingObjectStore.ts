import { Effect, Semaphore, Stream } from "effect"
import * as GuardedObjectStore from "./GuardedObjectStore.ts"
import type { ObjectStoreShape } from "./ObjectStore.ts"
import { isLocked, type ObjectStoreError, type Operation } from "./ObjectStoreError.ts"

/**
 * No credentials end a lock, and none that are renewed may suddenly see locks: waiting for newer ones would hold up
 * every removal.
 */
const mayBeCured = (error: ObjectStoreError) => !isLocked(error) && !isUnseen(error) && isRefused(error)

const isUnseen = ({ reason }: ObjectStoreError) =>
  reason._tag === "StorageAuthorizationFailed" && reason.isUnseen === true

/** By the store, or by us: its certificate is signed by an authority that our Secret does not hold, or not yet. */
const isRefused = ({ reason }: ObjectStoreError) =>
  // Permissions may go with the credentials: another user's keys, a SAS token with more letters.
  ((reason._tag === "StorageAuthenticationFailed" || reason._tag === "StorageAuthorizationFailed") &&
    reason.notFromStore !== "answer") ||
  (reason._tag === "Misconfigured" && reason.mayBeRenewed === true)

/**
 * A store that outlives its credentials. When access is refused, or the store's certificate, `reopened` may give the
 * same store opened with newer ones, and the call is made again; undefined means that there are none, and the refusal
 * stands. It is told whether the credentials have worked for this kind of call before, so that they have ended rather
 * than never had the permission. Broken-off streams are taken up again where they were.
 */
export const make = (
  first: ObjectStoreShape,
  reopened: (haveWorked: boolean) => Effect.Effect<ObjectStoreShape | undefined>
): ObjectStoreShape => {
  const renewing = Semaphore.makeUnsafe(1)
  let current = first
  const worked = new Set<Operation>()

  const haveWorked = (operation: Operation) =>
    worked.has(operation) || (worked.size > 0 && (operation === "read" || operation === "list"))

  /** True when there is another store than the one that refused. */
  const renewed = (refusing: ObjectStoreShape, { operation }: ObjectStoreError) =>
    renewing.withPermit(
      Effect.suspend(() =>
        current !== refusing
          ? Effect.succeed(true)
          : Effect.map(reopened(haveWorked(operation)), (store) => {
              if (store !== undefined) current = store
              return store !== undefined
            })
      )
    )

  const persist: GuardedObjectStore.RetryPolicy = (once) =>
    Effect.suspend(() => {
      const refusing = current
      return Effect.catchIf(once(0), mayBeCured, (error) =>
        Effect.flatMap(renewed(refusing, error), (isRenewed) => (isRenewed ? once(1) : Effect.fail(error)))
      )
    })

  const latest = <A>(operation: Operation, call: (store: ObjectStoreShape) => Effect.Effect<A, ObjectStoreError>) =>
    Effect.suspend(() => call(current)).pipe(
      Effect.map((answer) => {
        worked.add(operation)
        return answer
      })
    )

  const switching: ObjectStoreShape = {
    location: first.location,
    ...(first.storing === undefined ? {} : { storing: first.storing }),
    put: (key, pieces, options) => latest("put", (store) => store.put(key, pieces, options)),
    get: (key) => latest("get", (store) => store.get(key)),
    read: (key) => Stream.suspend(() => current.read(key)),
    head: (key) => latest("head", (store) => store.head(key)),
    list: (prefix) => Stream.suspend(() => current.list(prefix)),
    folders: Stream.suspend(() => current.folders),
    delete: (key, options) => latest("delete", (store) => store.delete(key, options)),
    ...(first.protection === undefined
      ? {}
      : { protection: (info) => latest("delete", (store) => store.protection?.(info) ?? Effect.succeed(undefined)) }),
    ...(first.rehearse === undefined
      ? {}
      : { rehearse: (key, pieces) => latest("put", (store) => store.rehearse?.(key, pieces) ?? Effect.void) }),
    ...(first.afterlife === undefined
      ? {}
      : { afterlife: Effect.suspend(() => current.afterlife ?? Effect.succeed(undefined)) })
  }
  return GuardedObjectStore.make(switching, persist)
}
