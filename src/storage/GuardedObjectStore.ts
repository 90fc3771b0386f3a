import { crc32 } from "@node-rs/crc32"
import { createHash } from "node:crypto"
import { Effect, Stream } from "effect"
import { type RetryPolicy, resumed } from "./guard/Resumed.ts"
import * as KeyRules from "./KeyRules.ts"
import type { ObjectInfo, ObjectKey, ObjectStoreShape, PutOptions } from "./ObjectStore.ts"
import { ContentMismatch, isLocked, isReason, ObjectStoreError } from "./ObjectStoreError.ts"
import * as Pieces from "./Pieces.ts"
import * as Retry from "./Retry.ts"

export type { RetryPolicy } from "./guard/Resumed.ts"

/** An object is there already, and must not or cannot be replaced. */
const mayBeOurs = (error: ObjectStoreError) => isReason("ObjectExists")(error) || isLocked(error)

/** Patience without a circuit breaker: at most 8 attempts of one call, and at most 2 minutes before the last begins. */
export const bounded: RetryPolicy = (once) => Retry.retrying(Retry.bounded, once)

/**
 * `store` with patience: every call is repeated by `persist` while waiting may cure its failure. Keeps every promise of
 * the port, also where an attempt took effect and only its answer was lost: a create that then finds its own bytes
 * succeeds. Broken streams are taken up again where they broke, on the same content, or fail; they never end early.
 */
export const make = (store: ObjectStoreShape, persist: RetryPolicy): ObjectStoreShape => {
  const changed = (operation: "read" | "list", key: string, detail: string) =>
    new ObjectStoreError({ operation, location: store.location, reason: new ContentMismatch({ key, detail }) })

  /** The object under `key` if it holds these bytes; undefined when it is another writer's, or gone again. */
  const ours = (key: ObjectKey, pieces: Pieces.Pieces, sha256: string | undefined) =>
    Effect.gen(function* () {
      const found = yield* store.head(key)
      if (found.size !== Pieces.byteLength(pieces)) return undefined
      const hash = createHash("sha256")
      yield* store.read(key).pipe(Stream.runForEach((piece) => Effect.sync(() => hash.update(piece))))
      return hash.digest("hex") === (sha256 ?? Pieces.sha256(pieces)) ? found : undefined
    }).pipe(Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(undefined)))

  const put = (key: ObjectKey, pieces: Pieces.Pieces, options: PutOptions = {}) =>
    persist((earlier) => {
      const once = store.put(key, pieces, options)
      // The first attempt that meets an object knows that it is another's; later ones may meet their own predecessor's.
      if (earlier === 0) return once
      return once.pipe(
        Effect.catchIf(mayBeOurs, (error) =>
          Effect.flatMap(ours(key, pieces, options.sha256), (found) =>
            found === undefined ? Effect.fail(error) : Effect.succeed(found)
          )
        )
      )
    })

  const read = (key: ObjectKey) =>
    Stream.suspend(() => {
      let delivered = 0
      let sum = 0
      /** Where the current opening stands below `delivered`, and the checksum of what it gave so far. */
      let at = 0
      let sumAgain = 0
      const replaced = changed("read", key, "it was replaced while it was read")
      return resumed(persist, store.read(key), {
        reopened: () => {
          at = 0
          sumAgain = 0
        },
        fresh: (pieces) => {
          const fresh: Array<Uint8Array> = []
          for (const piece of pieces) {
            const old = Math.min(delivered - at, piece.byteLength)
            if (old > 0) {
              sumAgain = crc32(piece.subarray(0, old), sumAgain)
              at += old
              if (at === delivered && sumAgain !== sum) return Effect.fail(replaced)
            }
            if (old === piece.byteLength) continue
            const rest = old > 0 ? piece.subarray(old) : piece
            sum = crc32(rest, sum)
            delivered += rest.byteLength
            at = delivered
            fresh.push(rest)
          }
          return Effect.succeed(fresh)
        },
        ended: Effect.suspend(() => (at < delivered ? Effect.fail(replaced) : Effect.void))
      })
    })

  /** An ascending listing goes on behind the last name that was delivered. */
  const ascending = <A>(source: Stream.Stream<A, ObjectStoreError>, name: (element: A) => string) =>
    Stream.suspend(() => {
      let last: string | undefined
      return resumed(persist, source, {
        reopened: () => undefined,
        fresh: (elements) => {
          const behind = last
          const fresh =
            behind === undefined ? elements : elements.filter((element) => KeyRules.byUtf8(name(element), behind) > 0)
          const newest = fresh.at(-1)
          if (newest !== undefined) last = name(newest)
          return Effect.succeed(fresh)
        },
        ended: Effect.void
      })
    })

  const { protection, rehearse } = store
  return {
    location: store.location,
    ...(store.storing === undefined ? {} : { storing: store.storing }),
    put,
    get: (key) => persist(() => store.get(key)),
    read,
    head: (key) => persist(() => store.head(key)),
    list: (prefix) => ascending<ObjectInfo>(store.list(prefix), (info) => info.key),
    folders: ascending(store.folders, (folder) => folder),
    delete: (key, options) => persist(() => store.delete(key, options)),
    ...(protection === undefined ? {} : { protection: (info) => persist(() => protection(info)) }),
    ...(rehearse === undefined ? {} : { rehearse: (key, pieces) => persist(() => rehearse(key, pieces)) }),
    ...(store.afterlife === undefined ? {} : { afterlife: store.afterlife })
  }
}
