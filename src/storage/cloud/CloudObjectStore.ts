import { Effect, Stream } from "effect"
import * as KeyRules from "../KeyRules.ts"
import type { ObjectInfo, ObjectKey, ObjectStoreShape } from "../ObjectStore.ts"
import { Misconfigured, type ObjectStoreError, type Operation, stillLocked } from "../ObjectStoreError.ts"
import * as Pieces from "../Pieces.ts"
import * as Retry from "../Retry.ts"
import * as Listing from "./Listing.ts"
import * as Reading from "./Reading.ts"
import type { Found, Locks, Remote } from "./Remote.ts"
import * as Writing from "./Writing.ts"

/**
 * The port over single requests: checks keys before any request, repeats once what may pass, pages, takes broken reads
 * up again, and recognises its own earlier write behind an "exists". One small request shows at opening whether the
 * place, the address and the credentials are good.
 */
export const open = <Seen extends Found>(remote: Remote<Seen>): Effect.Effect<ObjectStoreShape, ObjectStoreError> =>
  Effect.gen(function* () {
    const { locks, rehearse, root } = remote
    const full = (key: string) => root + key
    const relative = (name: string) => name.slice(root.length)

    const info = ({ fingerprint, modifiedMillis, name, protection, size }: Found): ObjectInfo => ({
      key: relative(name) as ObjectKey,
      size,
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(modifiedMillis === undefined ? {} : { modifiedMillis }),
      ...(protection === undefined ? {} : { protection })
    })

    /** Looks first whether something protects it: the server might only hide it then. */
    const removeFree = (key: string, { advice, protection }: Locks) =>
      Effect.flatMap(protection(full(key)), (found) =>
        found === undefined
          ? remote.remove(full(key))
          : Effect.fail(remote.error("delete", stillLocked(key, found, advice)))
      )

    /** Refuses keys that could mean another object, before any request. */
    const checked = (operation: Operation, key: string): Effect.Effect<void, ObjectStoreError> => {
      const refused =
        operation === "list" ? KeyRules.prefixRefusal(key) : (KeyRules.refusal(key) ?? KeyRules.refusal(full(key)))
      if (refused === undefined) return Effect.void
      const detail = `${KeyRules.shown(key)} is not usable as a key: ${refused}`
      return Effect.fail(remote.error(operation, new Misconfigured({ detail, advice: "use another name" })))
    }

    yield* Retry.retrying(Retry.opening, () => remote.page("open", full(""), { limit: 1, foldersOnly: false }))

    return {
      location: remote.location,
      ...(remote.storing === undefined ? {} : { storing: remote.storing }),
      put: (key, pieces, options = {}) =>
        Effect.andThen(
          checked("put", key),
          Effect.map(Writing.put(remote, key, full(key), pieces, options), ({ found, sha256 }) => ({
            ...info(found),
            ...(sha256 === undefined ? {} : { sha256 })
          }))
        ),
      get: (key) =>
        Effect.andThen(checked("get", key), Stream.runCollect(Reading.read(remote, "get", key, full(key)))).pipe(
          Effect.map((pieces) => Pieces.joined(pieces))
        ),
      read: (key) => Stream.unwrap(Effect.as(checked("read", key), Reading.read(remote, "read", key, full(key)))),
      head: (key) =>
        Effect.andThen(
          checked("head", key),
          Effect.map(
            Retry.retrying(Retry.atOnce, () => remote.head(full(key))),
            info
          )
        ),
      list: (prefix) => Stream.unwrap(Effect.as(checked("list", prefix), Listing.objects(remote, full(prefix), info))),
      // Servers order these with their slash (`a-b/` before `a/`), we without it.
      folders: Stream.fromIterableEffect(
        Effect.map(Stream.runCollect(Listing.folders(remote, full(""))), (names) =>
          [...new Set(names.map((name) => relative(name).slice(0, -1)))]
            .filter((name) => name !== "")
            .sort(KeyRules.byUtf8)
        )
      ),
      delete: (key, { role } = {}) =>
        Effect.andThen(
          checked("delete", key),
          Retry.retrying(Retry.atOnce, () =>
            role === "data" && locks !== undefined ? removeFree(key, locks) : remote.remove(full(key))
          ).pipe(Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.void))
        ),
      ...(rehearse === undefined
        ? {}
        : {
            rehearse: (key, pieces) =>
              Effect.andThen(
                checked("put", key),
                Retry.retrying(Retry.atOnce, () => rehearse(full(key), { pieces, size: Pieces.byteLength(pieces) }))
              )
          }),
      ...(locks === undefined
        ? {}
        : {
            protection: ({ key, protection }) =>
              protection !== undefined
                ? Effect.succeed(protection ?? undefined)
                : Effect.andThen(
                    checked("delete", key),
                    Retry.retrying(Retry.atOnce, () => locks.protection(full(key))).pipe(
                      Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(undefined))
                    )
                  ),
            afterlife: locks.afterlife
          })
    } satisfies ObjectStoreShape
  })
