import { Effect, Option, Stream } from "effect"
import * as KeyRules from "../KeyRules.ts"
import type { ObjectInfo, ObjectKey, ObjectStoreShape } from "../ObjectStore.ts"
import { Misconfigured, type ObjectStoreError, type Operation } from "../ObjectStoreError.ts"
import * as Pieces from "../Pieces.ts"
import * as Retry from "../Retry.ts"
import * as Reading from "./Reading.ts"
import type { Found, Page, Remote } from "./Remote.ts"
import * as Writing from "./Writing.ts"

/** Objects of one page; servers give fewer when they please. */
const pageSize = 1000

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
      ...(fingerprint === undefined ? {} : { fingerprint }),
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

    /** Refuses to go on with a listing. Not as unavailable: asked again, the same server would answer the same. */
    const untrusted = (detail: string, advice: string) => remote.error("list", new Misconfigured({ detail, advice }))

    /** Pages one after the other, each asked for once: a server that leads back to one would be asked for ever. */
    const pages = (prefix: string, foldersOnly: boolean) =>
      Stream.suspend(() => {
        const asked = new Set<string>()
        return Stream.paginate<string | undefined, Page, ObjectStoreError>(undefined, (token) =>
          Effect.gen(function* () {
            const got = yield* page(prefix, token, foldersOnly)
            const { next } = got
            if (next !== undefined && (next === "" || asked.has(next))) {
              const detail =
                next === ""
                  ? "the listing breaks off: more was announced, but no way to it"
                  : "the listing does not go on: it leads back to a page that was read"
              return yield* untrusted(
                detail,
                "let no proxy between us and the store keep its answers, or use another store"
              )
            }
            if (next !== undefined) asked.add(next)
            return [[got], Option.fromUndefinedOr(next)] as const
          })
        )
      })

    /** What a page says of objects of ours. Markers of consoles for "folders" are none: no key of ours ends like that. */
    const infosOf = ({ objects }: Page) =>
      objects.map((object) => info(object)).filter(({ key }) => key !== "" && !key.endsWith("/"))

    const unordered = (key: string, last: string) =>
      untrusted(
        key === last
          ? `the store lists ${KeyRules.shown(key)} twice`
          : `the store lists ${KeyRules.shown(key)} after ${KeyRules.shown(last)}: not in ascending order`,
        "use a bucket that lists names in lexicographic order (on AWS a general purpose bucket, not a directory bucket)"
      )

    const list = (prefix: string) =>
      Stream.suspend(() => {
        let last: string | undefined
        const ascending = (infos: ReadonlyArray<ObjectInfo>) => {
          for (const { key } of infos) {
            if (last !== undefined && KeyRules.byUtf8(key, last) <= 0) return Effect.fail(unordered(key, last))
            last = key
          }
          return Effect.succeed(infos)
        }
        const listed = Stream.map(pages(prefix, false), infosOf)
        const inOrder = remote.listsInOrder
          ? listed
          : Stream.fromEffect(
              Effect.map(Stream.runCollect(listed), (infos) =>
                infos.flat().toSorted((a, b) => KeyRules.byUtf8(a.key, b.key))
              )
            )
        return inOrder.pipe(Stream.mapEffect(ascending), Stream.flattenIterable)
      })

    const folders = Stream.map(pages("", true), ({ folders }) =>
      folders.map((name) => relative(name).slice(0, -1)).filter((name) => name !== "")
    ).pipe(Stream.flattenIterable)

    yield* Retry.retrying(Retry.opening, () => remote.page("open", full(""), { limit: 1, foldersOnly: false }))

    return {
      location: remote.location,
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
      list: (prefix) => Stream.unwrap(Effect.as(checked("list", prefix), list(prefix))),
      // Servers order these with their slash (`a-b/` before `a/`), we without it.
      folders: Stream.fromIterableEffect(
        Effect.map(Stream.runCollect(folders), (names) => [...new Set(names)].sort(KeyRules.byUtf8))
      ),
      delete: (key) =>
        Effect.andThen(
          checked("delete", key),
          Retry.retrying(Retry.atOnce, () => remote.remove(full(key))).pipe(
            Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.void)
          )
        )
    } satisfies ObjectStoreShape
  })
