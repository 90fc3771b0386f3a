import { Effect, Option, Stream } from "effect"
import * as KeyRules from "../KeyRules.ts"
import type { ObjectInfo } from "../ObjectStore.ts"
import { Misconfigured, type ObjectStoreError } from "../ObjectStoreError.ts"
import * as Retry from "../Retry.ts"
import type { Found, Page, Remote } from "./Remote.ts"

/** Objects of one page; servers give fewer when they please. */
const pageSize = 1000

type Any = Pick<Remote, "error" | "page" | "listsInOrder">

/**
 * A listing that cannot be trusted to be whole. Not unavailable: asked again, the same server would answer the same,
 * and whoever repeated the run would do so for ever.
 */
const untrusted = (remote: Any, detail: string, advice: string) =>
  remote.error("list", new Misconfigured({ detail, advice }))

/** Pages one after the other, each asked for once: a server that leads back to one would be asked for ever. */
const pages = (remote: Any, prefix: string, foldersOnly: boolean): Stream.Stream<Page, ObjectStoreError> =>
  Stream.suspend(() => {
    const asked = new Set<string>()
    return Stream.paginate<string | undefined, Page, ObjectStoreError>(undefined, (token) =>
      Effect.gen(function* () {
        const page = yield* Retry.retrying(Retry.atOnce, () =>
          remote.page("list", prefix, { token, limit: pageSize, foldersOnly })
        )
        const { next } = page
        if (next === undefined) return [[page], Option.none()] as const
        if (next === "" || asked.has(next)) {
          const detail =
            next === ""
              ? "the listing is incomplete: the store announced more, but no way to continue"
              : "the listing does not advance: the store names a page that was read before"
          const advice = "let no proxy in front of the store cache its answers, or use another store"
          return yield* untrusted(remote, detail, advice)
        }
        asked.add(next)
        return [[page], Option.some(next)] as const
      })
    )
  })

const unordered = (remote: Any, key: string, last: string) =>
  untrusted(
    remote,
    key === last
      ? `the store lists ${KeyRules.shown(key)} twice`
      : `the store lists ${KeyRules.shown(key)} after ${KeyRules.shown(last)}: not in ascending order`,
    "use a bucket that lists names in lexicographic order (on AWS a general purpose bucket, not a directory bucket)"
  )

/** Every object whose whole name begins with `prefix`, ascending by key, each once; anything else is a failure. */
export const objects = (
  remote: Any,
  prefix: string,
  info: (found: Found) => ObjectInfo
): Stream.Stream<ObjectInfo, ObjectStoreError> =>
  Stream.suspend(() => {
    let last: string | undefined
    const ascending = (infos: ReadonlyArray<ObjectInfo>) => {
      for (const { key } of infos) {
        if (last !== undefined && KeyRules.byUtf8(key, last) <= 0) return Effect.fail(unordered(remote, key, last))
        last = key
      }
      return Effect.succeed(infos)
    }
    const listed = Stream.map(pages(remote, prefix, false), (page) =>
      // Markers of consoles for "folders" are left out; no key of ours ends like that.
      page.objects.map((found) => info(found)).filter(({ key }) => key !== "" && !key.endsWith("/"))
    )
    const inOrder = remote.listsInOrder
      ? listed
      : Stream.fromEffect(
          Effect.map(Stream.runCollect(listed), (infos) =>
            infos.flat().toSorted((a, b) => KeyRules.byUtf8(a.key, b.key))
          )
        )
    return inOrder.pipe(Stream.mapEffect(ascending), Stream.flattenIterable)
  })

/** Whole names of what lies between `prefix` and the next slash, as the server gives them. */
export const folders = (remote: Any, prefix: string): Stream.Stream<string, ObjectStoreError> =>
  Stream.flattenIterable(Stream.map(pages(remote, prefix, true), (page) => page.folders))
