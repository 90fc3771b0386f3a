import type { IncomingMessage } from "node:http"
import type { Readable } from "node:stream"
import { Clock, Effect, type Scope } from "effect"
import { rootOf } from "./cloud/Address.ts"
import * as Agents from "./cloud/Agents.ts"
import * as CloudObjectStore from "./cloud/CloudObjectStore.ts"
import { unless } from "./cloud/Failure.ts"
import type { Body, Found, Remote } from "./cloud/Remote.ts"
import * as Requests from "./cloud/Requests.ts"
import * as Address from "./gcs/Address.ts"
import * as Checksums from "./gcs/Checksums.ts"
import * as Failure from "./gcs/Failure.ts"
import * as Http from "./gcs/Http.ts"
import * as Identity from "./gcs/Identity.ts"
import * as Locks from "./gcs/Locks.ts"
import * as Resource from "./gcs/Resource.ts"
import * as ServiceAccount from "./gcs/ServiceAccount.ts"
import * as Storing from "./gcs/Storing.ts"
import * as Upload from "./gcs/Upload.ts"
import type { ObjectStoreShape } from "./ObjectStore.ts"
import { Misconfigured, type ObjectStoreError, type ObjectStoreReason, type Operation } from "./ObjectStoreError.ts"
import type { GcsTarget } from "./StorageTarget.ts"

/**
 * A bucket, or a prefix in it, of Google Cloud Storage, by its JSON API. With STORAGE_EMULATOR_HOST in the environment
 * an emulator is spoken to instead; a token is then only asked for where a key file or the environment says how.
 */
export const open = (
  target: GcsTarget,
  times: Requests.TimeOuts = Requests.timeOuts,
  env: Address.Environment = process.env
): Effect.Effect<ObjectStoreShape, ObjectStoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const location = Address.location(target)
    const root = rootOf(target)
    const fail = (reason: ObjectStoreReason) => Failure.of(reason, { operation: "open", location })
    const refused = Address.refusal(target, env)
    if (refused !== undefined) {
      return yield* fail(new Misconfigured({ detail: refused, advice: "correct the storage settings" }))
    }
    const account = Identity.account(target)
    if (account !== undefined && "_tag" in account) return yield* fail(account)

    const service = Address.service(env)
    const wanted = Storing.asked(target)
    const common = {
      location,
      ...wanted,
      bucket: target.bucket,
      service,
      secrets: [],
      ...(account === undefined || target.credentials === undefined
        ? {}
        : { account: { email: account.email, origin: target.credentials.origin } })
    }
    const agents = Agents.make()
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => Http.make(agents)),
      ({ close }) => Effect.sync(close)
    )
    const line = yield* Requests.make(times)
    const askForToken = <A>(request: (signal: AbortSignal) => Promise<A>) =>
      line(request, (error, now) => Failure.from(error, { ...common, operation: "open", isToken: true }, now))
    const tokens =
      account !== undefined
        ? yield* ServiceAccount.tokens(account, askForToken, agents)
        : Address.isAuthenticated(env)
          ? yield* Identity.applicationDefault(askForToken, env)
          : Identity.none

    interface Asked {
      readonly method: Http.Request["method"]
      readonly url: string
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: { readonly bytes: number; readonly stream: () => Readable }
    }

    /** One request with a token; one more with a new token where the store did not take the old one. */
    const send = <A>(
      at: Pick<Failure.ErrorContext, "operation" | "key" | "bytes" | "ifAbsent">,
      asked: Asked,
      use: (answer: IncomingMessage) => Promise<A>
    ): Effect.Effect<A, ObjectStoreError> => {
      const place = { ...common, ...at }
      let isStale = false
      const once = Effect.flatMap(
        Effect.mapError(tokens.get, ({ reason }) => Failure.of(reason, place)),
        (token) =>
          line(
            async (signal) => {
              isStale = false
              const { body, headers, method, url } = asked
              return use(
                await client.send({
                  method,
                  url,
                  headers: { ...headers, ...(token === "" ? {} : { authorization: `Bearer ${token}` }) },
                  signal,
                  ...(body === undefined ? {} : { body: { bytes: body.bytes, stream: body.stream() } })
                })
              )
            },
            (error, now) => {
              isStale = error instanceof Http.Refused && error.status === 401
              return Failure.from(error, { ...place, secrets: [token] }, now)
            },
            asked.body?.bytes ?? 0
          )
      )
      return Effect.catchIf(
        once,
        () => isStale,
        () => Effect.andThen(tokens.forget, once)
      )
    }

    const keyOf = (name: string) => name.slice(root.length)
    const bucketUrl = `${service}/storage/v1/b/${encodeURIComponent(target.bucket)}`
    const objectUrl = (name: string, query: Record<string, string>) =>
      `${bucketUrl}/o/${encodeURIComponent(name)}?${new URLSearchParams(query).toString()}`

    const page: Remote["page"] = (operation, prefix, { foldersOnly, limit, token }) => {
      const query = new URLSearchParams({
        prefix,
        maxResults: String(limit),
        fields: `items(${Resource.fields}),prefixes,nextPageToken`,
        ...(token === undefined ? {} : { pageToken: token }),
        ...(foldersOnly ? { delimiter: "/" } : {})
      })
      return Effect.zipWith(
        send({ operation }, { method: "GET", url: `${bucketUrl}/o?${query.toString()}` }, async (answer) =>
          Resource.decodeListing(await Http.textOf(answer))
        ),
        Clock.currentTimeMillis,
        ({ items = [], nextPageToken, prefixes = [] }, now) => ({
          objects: foldersOnly ? [] : items.map((item) => Resource.seen(item, now)),
          folders: prefixes,
          ...(nextPageToken ? { next: nextPageToken } : {})
        })
      )
    }

    /** A 404 does not say whether the object or the bucket is missing; one look at the bucket does. */
    const explained = <A>(operation: Operation, once: Effect.Effect<A, ObjectStoreError>) =>
      Effect.catchIf(
        once,
        (error) => error.reason._tag === "ObjectNotFound",
        (error) =>
          Effect.matchEffect(page("open", root, { limit: 1, foldersOnly: false }), {
            onSuccess: () => Effect.fail(error),
            onFailure: ({ reason }) =>
              Effect.fail(reason._tag === "TargetMissing" ? Failure.of(reason, { operation, location }) : error)
          })
      )

    /** How an object is stored. */
    const stored = (name: string) => {
      const asked = { method: "GET", url: objectUrl(name, { fields: Storing.fields }) } as const
      return Effect.map(send({ operation: "put", key: keyOf(name) }, asked, Http.textOf), Storing.decode)
    }

    const described = (operation: "head" | "delete", name: string) =>
      Effect.zipWith(
        send(
          { operation, key: keyOf(name) },
          { method: "GET", url: objectUrl(name, { fields: Resource.fields }) },
          async (answer) => Resource.decodeObject(await Http.textOf(answer))
        ),
        Clock.currentTimeMillis,
        Resource.seen
      )

    const locks = yield* Locks.make(
      (fields) => send({ operation: "delete" }, { method: "GET", url: `${bucketUrl}?fields=${fields}` }, Http.textOf),
      (name) => described("delete", name)
    )

    const remote: Remote<Resource.Seen> = {
      location,
      ...wanted,
      root,
      idleMillis: times.idle,
      listsInOrder: true,
      error: (operation, reason) => Failure.of(reason, { operation, location }),
      sizeRefusal: (size) =>
        size > Upload.largestBytes ? `more than an object can have (${Upload.largestBytes})` : undefined,
      put: (name, content, ifAbsent) =>
        Effect.gen(function* () {
          const more = Storing.resource(target, content.role, yield* Clock.currentTimeMillis)
          const { contentType, ...body } = Upload.body(name, content, more)
          const query = new URLSearchParams({
            uploadType: "multipart",
            ...Storing.query(target),
            fields: Resource.fields,
            ...(ifAbsent ? { ifGenerationMatch: "0" } : {})
          })
          const url = `${service}/upload/storage/v1/b/${encodeURIComponent(target.bucket)}/o?${query.toString()}`
          const asked = { method: "POST", url, headers: { "content-type": contentType }, body } as const
          const response = yield* send(
            { operation: "put", key: keyOf(name), bytes: content.size, ifAbsent },
            asked,
            async (answer) => Resource.decodeObject(await Http.textOf(answer))
          )
          if (content.role === "trial")
            yield* unless(Storing.disproved(target, yield* stored(name)), { operation: "put", location })
          return Resource.seen(response, yield* Clock.currentTimeMillis) satisfies Found as Found
        }),
      holds: (seen, content) => {
        if (seen.crc32c === undefined || seen.md5Hash === undefined) return undefined
        return seen.crc32c === Checksums.crc32cOf(content.pieces) && seen.md5Hash === Checksums.md5Of(content.pieces)
      },
      head: (name) => explained("head", described("head", name)),
      body: (operation, name, at, fingerprint) =>
        explained(
          operation,
          Effect.gen(function* () {
            const query = { alt: "media", ...(fingerprint === undefined ? {} : { ifGenerationMatch: fingerprint }) }
            const headers: Record<string, string> = at === 0 ? {} : { range: `bytes=${at}-` }
            const asked = { method: "GET", url: objectUrl(name, query), headers } as const
            const answer = yield* send({ operation, key: keyOf(name) }, asked, (answer) => Promise.resolve(answer))
            const bytes = Number(answer.headers["content-length"] ?? Number.NaN)
            const generation = answer.headers["x-goog-generation"]
            if (Number.isNaN(bytes) || typeof generation !== "string") {
              answer.destroy()
              const advice = "let no proxy in front of the store re-encode its answers"
              const detail = `${keyOf(name)}: the store does not report its length`
              return yield* Failure.of(new Misconfigured({ detail, advice }), { operation, location })
            }
            const body: Body = { stream: answer, bytes, fingerprint: generation }
            const stored = Resource.crc32cOf(answer.headers["x-goog-hash"])
            if (at > 0 || stored === undefined) return body
            const crc = Checksums.rolling()
            const refusal = () =>
              crc.encoded() === stored ? undefined : `its CRC-32C is ${crc.encoded()}, but the store reports ${stored}`
            return { ...body, verifier: { update: crc.update, refusal } }
          })
        ),
      page,
      remove: (name) =>
        explained(
          "delete",
          Effect.asVoid(
            send({ operation: "delete", key: keyOf(name) }, { method: "DELETE", url: objectUrl(name, {}) }, Http.textOf)
          )
        ),
      locks
    }
    return yield* CloudObjectStore.open(remote)
  })
