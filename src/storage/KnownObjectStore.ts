import { Effect, Stream } from "effect"
import type { ObjectStoreShape } from "./ObjectStore.ts"
import { ObjectStoreError, type ObjectStoreReason, type Operation, StoreUnavailable } from "./ObjectStoreError.ts"

/** Requests that need the same of a store and of what stands in front of it. */
const kinds: Readonly<Record<Operation, "list" | "read" | "write" | "delete">> = {
  open: "list",
  list: "list",
  get: "read",
  read: "read",
  head: "read",
  put: "write",
  delete: "delete"
}

/** True for failures that say nothing of the store itself, so that one which worked may work again. */
const mayPass = (reason: ObjectStoreReason, hasWorked: boolean): boolean =>
  "notFromStore" in reason && (reason.notFromStore === "connection" || (reason.notFromStore === "answer" && hasWorked))

const unavailable = ({ advice, location, operation, reason }: ObjectStoreError): ObjectStoreError =>
  new ObjectStoreError({
    operation,
    location,
    reason: new StoreUnavailable({
      detail: `${reason.message}, although the store answered before`,
      ifItLasts: advice,
      cause: reason
    })
  })

/**
 * A store that was opened by this run or command: its host, its certificate and its address were right. When the way
 * to it fails later, the failure is `StoreUnavailable` whatever it looks like: an unknown host, a refused handshake,
 * the web page of a load balancer. What something in front of the store answers counts like that only where the same
 * kind of request has worked before; what the store itself says keeps its meaning.
 */
export const make = (store: ObjectStoreShape): ObjectStoreShape => {
  // One listing opened the store.
  const worked = new Set([kinds.open])

  const known = (error: ObjectStoreError) =>
    mayPass(error.reason, worked.has(kinds[error.operation])) ? unavailable(error) : error

  const call = <A>(operation: Operation, once: Effect.Effect<A, ObjectStoreError>) =>
    once.pipe(
      Effect.map((answer) => {
        worked.add(kinds[operation])
        return answer
      }),
      Effect.mapError(known)
    )

  const { protection, rehearse } = store
  return {
    location: store.location,
    ...(store.storing === undefined ? {} : { storing: store.storing }),
    put: (key, pieces, options) => call("put", store.put(key, pieces, options)),
    get: (key) => call("get", store.get(key)),
    read: (key) => Stream.mapError(store.read(key), known),
    head: (key) => call("head", store.head(key)),
    list: (prefix) => Stream.mapError(store.list(prefix), known),
    folders: Stream.mapError(store.folders, known),
    delete: (key, options) => call("delete", store.delete(key, options)),
    ...(protection === undefined ? {} : { protection: (info) => call("delete", protection(info)) }),
    ...(rehearse === undefined ? {} : { rehearse: (key, pieces) => call("put", rehearse(key, pieces)) }),
    ...(store.afterlife === undefined ? {} : { afterlife: store.afterlife })
  }
}
