import { Effect, Option, type Scope, Stream } from "effect"
import * as KeyRules from "./KeyRules.ts"
import type { ObjectInfo, ObjectKey, ObjectStoreShape } from "./ObjectStore.ts"
import { Misconfigured, type ObjectStoreError, StoreUnavailable } from "./ObjectStoreError.ts"
import * as Pieces from "./Pieces.ts"
import * as Connection from "./s3/Connection.ts"
import * as Failure from "./s3/Failure.ts"
import * as Reading from "./s3/Reading.ts"
import * as Retry from "./Retry.ts"
import * as Writing from "./s3/Writing.ts"
import type { S3Target } from "./StorageTarget.ts"

/** Where a paged listing stands. */
interface Page {
  readonly token: string | undefined
  readonly last: string
}

/** A key as it stands in a listing with url encoding; as it is where a store claims that encoding and does not use it. */
const urlDecoded = (key: string): string => {
  try {
    return decodeURIComponent(key.replaceAll("+", " "))
  } catch {
    return key
  }
}

/**
 * A bucket, or a prefix in it, of AWS S3 or a compatible store that has conditional writes (If-None-Match). A request is
 * repeated once and at once; patience beyond that is the business of `GuardedObjectStore`.
 */
export const open = (
  target: S3Target,
  times: Connection.TimeOuts = Connection.timeOuts
): Effect.Effect<ObjectStoreShape, ObjectStoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const connection = yield* Connection.make(target, times)
    const { sdk, bucket, location, full, relative, place, send } = connection

    /** Refuses keys that could mean another object, before any request. */
    const checked = (operation: Failure.Operation, key: string): Effect.Effect<void, ObjectStoreError> => {
      const refused =
        operation === "list" ? KeyRules.prefixRefusal(key) : (KeyRules.refusal(key) ?? KeyRules.refusal(full(key)))
      if (refused === undefined) return Effect.void
      const detail = `${KeyRules.shown(key)} is not usable as a key: ${refused}`
      return Effect.fail(Failure.of(new Misconfigured({ detail, advice: "use another name" }), place(operation)))
    }

    const listPage = (
      operation: "open" | "list",
      prefix: string,
      token: string | undefined,
      more: { MaxKeys?: number; Delimiter?: string },
      policy = Retry.atOnce
    ) => {
      const input = {
        Bucket: bucket,
        Prefix: full(prefix),
        // Keys of others may hold characters that XML cannot.
        EncodingType: "url" as const,
        ...(token === undefined ? {} : { ContinuationToken: token }),
        ...more
      }
      return Retry.retrying(policy, () =>
        send(place(operation), (client, options) => client.send(new sdk.ListObjectsV2Command(input), options))
      ).pipe(
        Effect.map((answer) => ({
          answer,
          decoded: (key: string) => (answer.EncodingType === "url" ? urlDecoded(key) : key)
        }))
      )
    }

    const following = (
      answer: { readonly IsTruncated?: boolean | undefined; readonly NextContinuationToken?: string | undefined },
      last: string
    ) => {
      if (answer.IsTruncated !== true) return Effect.succeed(Option.none<Page>())
      const token = answer.NextContinuationToken
      if (token !== undefined && token !== "") return Effect.succeed(Option.some<Page>({ token, last }))
      return Effect.fail(
        Failure.of(
          new StoreUnavailable({ detail: "the listing breaks off: more was announced, but no way to it" }),
          place("list")
        )
      )
    }

    const start: Page = { token: undefined, last: "" }

    const list = (prefix: string) =>
      Stream.paginate(start, (page) =>
        Effect.gen(function* () {
          const { answer, decoded } = yield* listPage("list", prefix, page.token, {})
          const infos: Array<ObjectInfo> = []
          let last = page.last
          for (const object of answer.Contents ?? []) {
            const key = relative(decoded(object.Key ?? ""))
            // Markers of consoles for "folders"; no object of ours is named like that.
            if (key === "" || key.endsWith("/")) continue
            if (last !== "" && KeyRules.byUtf8(key, last) <= 0) {
              const detail = `the store lists ${KeyRules.shown(key)} after ${KeyRules.shown(last)}: not in ascending order`
              return yield* Failure.of(
                new Misconfigured({ detail, advice: "use a general purpose bucket" }),
                place("list")
              )
            }
            last = key
            infos.push(Writing.info(key as ObjectKey, object.Size ?? 0, object))
          }
          return [infos, yield* following(answer, last)] as const
        })
      )

    const folders = Stream.paginate(start, (page) =>
      Effect.gen(function* () {
        const { answer, decoded } = yield* listPage("list", "", page.token, { Delimiter: "/" })
        const names = (answer.CommonPrefixes ?? []).map(({ Prefix }) => relative(decoded(Prefix ?? "")).slice(0, -1))
        return [names.filter((name) => name !== ""), yield* following(answer, "")] as const
      })
    )

    const headOnce = (key: ObjectKey) =>
      send(place("head", key), (client, options) =>
        client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: full(key) }), options)
      )

    /**
     * The answer to HEAD has no body, so a 404 may mean the key or the bucket, and a 403 anything. A GET that never
     * transfers content (304 when the object is there) says which.
     */
    const explained = (key: ObjectKey, error: ObjectStoreError): Effect.Effect<never, ObjectStoreError> =>
      send(place("head", key), (client, options) =>
        client
          .send(new sdk.GetObjectCommand({ Bucket: bucket, Key: full(key), IfNoneMatch: "*" }), options)
          .then((answer) => {
            // A store that ignores the condition: we only wanted to know why HEAD failed.
            ;(answer.Body as { destroy?: () => void } | undefined)?.destroy?.()
          })
      ).pipe(
        Effect.matchEffect({
          onSuccess: () => Effect.fail(error),
          onFailure: (told) => Effect.fail(told.reason._tag === "StoreUnavailable" ? error : told)
        })
      )

    // Wrong bucket, region, host, clock or keys show here, before any work is done.
    yield* listPage("open", "", undefined, { MaxKeys: 1 }, Retry.opening)

    return {
      location,
      put: (key, pieces, options = {}) =>
        Effect.andThen(checked("put", key), Writing.put(connection, key, pieces, options)),
      get: (key) =>
        Effect.andThen(checked("get", key), Stream.runCollect(Reading.read(connection, "get", key))).pipe(
          Effect.map((pieces) => Pieces.joined(pieces))
        ),
      read: (key) => Stream.unwrap(Effect.as(checked("read", key), Reading.read(connection, "read", key))),
      head: (key) =>
        Effect.andThen(
          checked("head", key),
          Retry.retrying(Retry.atOnce, () => headOnce(key)).pipe(
            Effect.map((answer) => Writing.info(key, answer.ContentLength ?? 0, answer)),
            Effect.catchIf(
              (error) => !error.isRetryable,
              (error) => explained(key, error)
            )
          )
        ),
      list: (prefix) => Stream.unwrap(Effect.as(checked("list", prefix), list(prefix))),
      // S3 orders these with their slash (`a-b/` before `a/`), we without it.
      folders: Stream.fromIterableEffect(
        Effect.map(Stream.runCollect(folders), (names) => [...new Set(names)].sort(KeyRules.byUtf8))
      ),
      delete: (key) =>
        Effect.andThen(
          checked("delete", key),
          Retry.retrying(Retry.atOnce, () =>
            send(place("delete", key), (client, options) =>
              client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: full(key) }), options)
            )
          ).pipe(
            Effect.asVoid,
            Effect.catchIf(
              (error) => error.reason._tag === "ObjectNotFound",
              () => Effect.void
            )
          )
        )
    } satisfies ObjectStoreShape
  })
