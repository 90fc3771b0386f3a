import { Effect, Redacted, Schema, type Scope } from "effect"
import { rootOf } from "../../../src/storage/cloud/Address.ts"
import * as Answer from "../../../src/storage/cloud/Answer.ts"
import * as CloudObjectStore from "../../../src/storage/cloud/CloudObjectStore.ts"
import { lengthless, of } from "../../../src/storage/cloud/Failure.ts"
import type { Found, Remote } from "../../../src/storage/cloud/Remote.ts"
import * as Requests from "../../../src/storage/cloud/Requests.ts"
import * as Writing from "../../../src/storage/cloud/Writing.ts"
import type { ObjectStoreShape } from "../../../src/storage/ObjectStore.ts"
import { Misconfigured, type ObjectStoreError } from "../../../src/storage/ObjectStoreError.ts"
import * as Pieces from "../../../src/storage/Pieces.ts"
import * as Address from "./Address.ts"
import * as Failure from "./Failure.ts"

const decodePage = Schema.decodeUnknownOption(
  Schema.fromJsonString(
    Schema.Struct({
      objects: Schema.Array(
        Schema.Struct({ name: Schema.String, size: Schema.Number, etag: Schema.String, modified: Schema.String })
      ),
      folders: Schema.Array(Schema.String),
      next: Schema.optionalKey(Schema.String)
    })
  )
)

const header = (value: string | ReadonlyArray<string> | undefined): string | undefined =>
  typeof value === "string" ? value : value?.[0]

const found = (name: string, size: number, etag: string | undefined, modified: string | undefined): Found => {
  const millis = Date.parse(modified ?? "")
  return {
    name,
    size,
    ...(etag === undefined ? {} : { fingerprint: etag }),
    ...(Number.isNaN(millis) ? {} : { modifiedMillis: millis })
  }
}

/**
 * A collection of the server in `fakeWebDav.ts`, written by docs/guides/add-a-storage-backend.md to see that it is
 * true.
 */
export const open = (
  target: Address.WebDavTarget,
  times: Requests.TimeOuts = Requests.timeOuts
): Effect.Effect<ObjectStoreShape, ObjectStoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const { collection, credentials, endpoint } = target
    const location = Address.location(target)
    const root = rootOf(target)
    const refused = Address.refusal(target)
    if (refused !== undefined) {
      const reason = new Misconfigured({ detail: refused, advice: "correct the storage settings" })
      return yield* of(reason, { operation: "open", location })
    }
    const { Agent, request } = yield* Effect.promise(() => import("undici"))
    const dispatcher = yield* Effect.acquireRelease(
      Effect.sync(() => new Agent()),
      (agent) => Effect.promise(() => agent.destroy())
    )
    const token = Redacted.value(credentials.token)
    const common = { location, collection, endpoint, origin: credentials.origin, secrets: [token] }
    const keyOf = (name: string) => name.slice(root.length)
    const url = (name: string) => `${endpoint}/${[collection, ...name.split("/")].map(encodeURIComponent).join("/")}`
    const line = yield* Requests.make(times)
    type Asked = Parameters<typeof request>[1] & { readonly url: string; readonly bytes?: number }
    const send = <A>(
      context: Pick<Failure.ErrorContext, "operation" | "key" | "bytes">,
      { bytes = 0, url, ...options }: Asked,
      use: (answer: Awaited<ReturnType<typeof request>>) => Promise<A>
    ) =>
      line(
        async (signal) => {
          const headers = { ...options.headers, authorization: `Bearer ${token}` }
          const answer = await request(url, { ...options, headers, dispatcher, signal })
          if (answer.statusCode >= 200 && answer.statusCode < 300) {
            if (!Answer.isPage(answer.headers["content-type"])) return use(answer)
            await answer.body.dump()
            throw new Answer.NotUnderstood("a web page answers")
          }
          throw new Failure.Refused(answer.statusCode, answer.headers["retry-after"], await answer.body.text())
        },
        (error, now) => Failure.from(error, { ...common, ...context }, now),
        bytes
      )

    /** The answer to HEAD has no body that says why: a GET of one byte that was refused does. */
    const explained = (name: string, error: ObjectStoreError): Effect.Effect<never, ObjectStoreError> =>
      send(
        { operation: "head", key: keyOf(name) },
        { method: "GET", url: url(name), headers: { range: "bytes=0-0" } },
        async ({ body }) => void body.destroy()
      ).pipe(
        Effect.matchEffect({
          onSuccess: () => Effect.fail(error),
          onFailure: (told) => Effect.fail(told.isRetryable ? error : told)
        })
      )

    const remote: Remote = {
      location,
      root,
      idleMillis: times.idle,
      listsInOrder: true,
      checksSha256: true,
      error: (operation, reason) => of(reason, { operation, location }),
      sizeRefusal: () => undefined,
      put: (name, content, ifAbsent) =>
        Effect.suspend(() => {
          const body = content.size === 0 ? Buffer.alloc(0) : Writing.stream(content.pieces)
          const sha256 = content.sha256 ?? Pieces.sha256(content.pieces)
          const headers = {
            "content-length": String(content.size),
            digest: `sha-256=${Buffer.from(sha256, "hex").toString("base64")}`,
            ...(ifAbsent ? { "if-none-match": "*" } : {})
          }
          const asked = { method: "PUT", url: url(name), headers, body, bytes: content.size } as const
          return send({ operation: "put", key: keyOf(name), bytes: content.size }, asked, async ({ body, headers }) => {
            await body.dump()
            return found(name, content.size, header(headers["etag"]), header(headers["last-modified"]))
          })
        }),
      holds: () => undefined,
      head: (name) =>
        send({ operation: "head", key: keyOf(name) }, { method: "HEAD", url: url(name) }, async ({ body, headers }) => {
          await body.dump()
          const size = Number(headers["content-length"])
          return found(name, size, header(headers["etag"]), header(headers["last-modified"]))
        }).pipe(
          Effect.catchIf(
            (error) => !error.isRetryable,
            (error) => explained(name, error)
          )
        ),
      body: (operation, name, at, fingerprint) =>
        Effect.gen(function* () {
          const headers = {
            ...(at === 0 ? {} : { range: `bytes=${at}-` }),
            ...(fingerprint === undefined ? {} : { "if-match": fingerprint })
          }
          const asked = { method: "GET", url: url(name), headers } as const
          const answer = yield* send({ operation, key: keyOf(name) }, asked, (answer) => Promise.resolve(answer))
          const bytes = Number(answer.headers["content-length"] ?? Number.NaN)
          const etag = header(answer.headers["etag"])
          if (Number.isNaN(bytes)) {
            answer.body.destroy()
            return yield* of(lengthless(keyOf(name)), { operation, location })
          }
          return { stream: answer.body, bytes, ...(etag === undefined ? {} : { fingerprint: etag }) }
        }),
      page: (operation, prefix, { foldersOnly, limit, token }) => {
        const query = new URLSearchParams({ list: "", prefix, limit: String(limit) })
        if (token !== undefined) query.set("after", token)
        if (foldersOnly) query.set("folders", "")
        const asked = { method: "GET", url: `${url("")}?${query.toString()}` } as const
        return send({ operation }, asked, async ({ body }) => {
          const page = decodePage(await body.text())
          if (page._tag === "None") throw new Answer.NotUnderstood("the answer is no listing")
          const { folders, next, objects } = page.value
          return {
            objects: objects.map(({ etag, modified, name, size }) => found(name, size, etag, modified)),
            folders,
            ...(next === undefined ? {} : { next })
          }
        })
      },
      remove: (name) =>
        send({ operation: "delete", key: keyOf(name) }, { method: "DELETE", url: url(name) }, ({ body }) => body.dump())
    }
    return yield* CloudObjectStore.open(remote)
  })
