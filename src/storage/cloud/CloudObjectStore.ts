import { Effect, Option, Stream } from "effect"
import * as KeyRules from "../KeyRules.ts"
import type { ObjectInfo, ObjectKey, ObjectStoreShape } from "../ObjectStore.ts"
import { Misconfigured, type ObjectStoreError, StoreUnavailable } from "../ObjectStoreError.ts"
import * as Pieces from "../Pieces.ts"
import * as Retry from "../Retry.ts"
import * as Reading from "./Reading.ts"
import type { Found, Operation, Remote } from "./Remote.ts"
import * as Writing from "./Writing.ts"

/** Objects of one page; servers give fewer when they please. */
const pageSize = 1000

/** Where a paged listing stands. */
interface Progress {
  readonly token: string | undefined
  readonly last: string
}

/**
 * The port over single requests: checks keys before any request, repeats once what may pass, pages, takes broken reads up
 * again, and recognises its own earlier write behind an "exists". One small request shows at opening whether the place,
 * the address and the credentials are good.
 */
export const open = <Seen extends Found>(remote: Remote<Seen>): Effect.Effect<ObjectStoreShape, ObjectStoreError> =>
  Effect.gen(function* () {
    const { root } = remote
    const full = (key: string) => root + key
    const relative = (name: string) => name.slice(root.length)

    const info = ({ name, size, fingerprint, modifiedMillis }: Found): ObjectInfo => ({
      key: relative(name) as ObjectKey,
      size,
      fingerprint,
      ...(modifiedMillis === undefined ? {} : { modifiedMillis })
    })

    /** Refuses keys that could mean another object, before any request. */
    const checked = (operation: Operation, key: string): Effect.Effect<void, ObjectStoreError> => {
      const refused =
        operation === "list" ? KeyRules.prefixRefusal(key) : (KeyRules.refusal(key) ?? KeyRules.refusal(full(key)))
      if (refused === undefined) return Effect.void
      const detail = `${KeyRules.shown(key)} is not usable as a key: ${refused}`
      return Effect.fail(remote.error(operation, new Misconfigured({ detail, advice: "use another name" })))
    }

    const page = (prefix: string, token: string | undefined, foldersOnly: boolean) =>
      Retry.retrying(Retry.atOnce, () => remote.page("list", full(prefix), { token, limit: pageSize, foldersOnly }))

    const start: Progress = { token: undefined, last: "" }

    /** A server that names the same page as the next one would be asked for ever. */
    const following = (token: string | undefined, next: string | undefined, last: string) => {
      if (next === undefined) return Effect.succeed(Option.none<Progress>())
      if (next !== token) return Effect.succeed(Option.some<Progress>({ token: next, last }))
      const detail = "the listing does not go on: its next page is the same page"
      return Effect.fail(remote.error("list", new StoreUnavailable({ detail })))
    }

    const paged = (prefix: string) =>
      Stream.paginate(start, (progress) =>
        Effect.gen(function* () {
          const { objects, next } = yield* page(prefix, progress.token, false)
          const infos: Array<ObjectInfo> = []
          let last = progress.last
          for (const object of objects) {
            const one = info(object)
            // Markers of consoles for "folders"; no object of ours is named like that.
            if (one.key === "" || one.key.endsWith("/")) continue
            if (remote.listsInOrder && last !== "" && KeyRules.byUtf8(one.key, last) <= 0) {
              const detail = `the store lists ${KeyRules.shown(one.key)} after ${KeyRules.shown(last)}: not in ascending order`
              const advice = "use a bucket that lists names in lexicographic order"
              return yield* remote.error("list", new Misconfigured({ detail, advice }))
            }
            last = one.key
            infos.push(one)
          }
          return [infos, yield* following(progress.token, next, last)] as const
        })
      )

    const list = (prefix: string) =>
      remote.listsInOrder
        ? paged(prefix)
        : Stream.fromIterableEffect(
            Effect.map(Stream.runCollect(paged(prefix)), (infos) =>
              infos.toSorted((a, b) => KeyRules.byUtf8(a.key, b.key))
            )
          )

    const folders = Stream.paginate(start, ({ token }) =>
      Effect.gen(function* () {
        const { folders, next } = yield* page("", token, true)
        const names = folders.map((name) => relative(name).slice(0, -1)).filter((name) => name !== "")
        return [names, yield* following(token, next, "")] as const
      })
    )

    yield* Retry.retrying(Retry.opening, () => remote.page("open", full(""), { limit: 1, foldersOnly: false }))

    return {
      location: remote.location,
      put: (key, pieces, options = {}) =>
        Effect.andThen(checked("put", key), Effect.map(Writing.put(remote, key, full(key), pieces, options), info)),
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
      list: (prefix) => Stream.unwrap(Effect.as(checked("list", prefix), list(prefix))),
      // Servers order these with their slash (`a-b/` before `a/`), we without it.
      folders: Stream.fromIterableEffect(
        Effect.map(Stream.runCollect(folders), (names) => [...new Set(names)].sort(KeyRules.byUtf8))
      ),
      delete: (key) =>
        Effect.andThen(
          checked("delete", key),
          Retry.retrying(Retry.atOnce, () => remote.remove(full(key))).pipe(
            Effect.catchIf(
              (error) => error.reason._tag === "ObjectNotFound",
              () => Effect.void
            )
          )
        )
    } satisfies ObjectStoreShape
  })
