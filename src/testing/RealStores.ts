import { Effect, Stream } from "effect"
import type { ObjectStores, ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"

/** Stores outside of memory, with the number of calls under way. */
export interface RealStores {
  readonly stores: ObjectStores["Service"]
  /** Virtual time stops while a call is under way: a disk takes real time only. */
  readonly callsOut: () => number
}

export const counting = (stores: ObjectStores["Service"]): RealStores => {
  let out = 0
  const counted = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => void out++),
      () => call,
      () => Effect.sync(() => void out--)
    )
  // Each pull counts, not the whole stream: its reader may wait for virtual time in between.
  const countedStream = <A>(stream: Stream.Stream<A, ObjectStoreError>): Stream.Stream<A, ObjectStoreError> =>
    Stream.unwrap(Effect.map(Stream.toPull(stream), (pull) => Stream.fromPull(Effect.succeed(counted(pull)))))
  const store = (inner: ObjectStoreShape): ObjectStoreShape => ({
    location: inner.location,
    ...(inner.storing === undefined ? {} : { storing: inner.storing }),
    put: (...args) => counted(inner.put(...args)),
    get: (key) => counted(inner.get(key)),
    head: (key) => counted(inner.head(key)),
    delete: (key, options) => counted(inner.delete(key, options)),
    ...(inner.protection === undefined ? {} : { protection: (info) => counted(inner.protection!(info)) }),
    ...(inner.rehearse === undefined ? {} : { rehearse: (...args) => counted(inner.rehearse!(...args)) }),
    ...(inner.afterlife === undefined ? {} : { afterlife: counted(inner.afterlife) }),
    read: (key) => countedStream(inner.read(key)),
    list: (prefix) => countedStream(inner.list(prefix)),
    folders: countedStream(inner.folders)
  })
  return { stores: { open: (target) => Effect.map(counted(stores.open(target)), store) }, callsOut: () => out }
}
