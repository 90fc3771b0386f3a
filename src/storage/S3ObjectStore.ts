import type { Readable } from "node:stream"
import { Clock, Effect, Redacted, type Scope } from "effect"
import { rootOf } from "./cloud/Address.ts"
import * as CloudObjectStore from "./cloud/CloudObjectStore.ts"
import { lengthless, unless } from "./cloud/Failure.ts"
import type { Found, Remote } from "./cloud/Remote.ts"
import * as Requests from "./cloud/Requests.ts"
import type { ObjectStoreShape } from "./ObjectStore.ts"
import { isReason, Misconfigured, type ObjectStoreError, type ObjectStoreReason } from "./ObjectStoreError.ts"
import * as Address from "./s3/Address.ts"
import * as Authorities from "./s3/Authorities.ts"
import * as Connection from "./s3/Connection.ts"
import * as Failure from "./s3/Failure.ts"
import * as HandshakeFailure from "./s3/HandshakeFailure.ts"
import * as Listing from "./s3/Listing.ts"
import * as Locks from "./s3/Locks.ts"
import * as Storing from "./s3/Storing.ts"
import * as Upload from "./s3/Upload.ts"
import type { S3Target } from "./StorageTarget.ts"

/** An object as the answer to HEAD describes it. */
interface Seen extends Found {
  /** Of the whole content, lower-case hex; absent where the store keeps none, or one of parts. */
  readonly sha256?: string
}

/** The SDK has set its clock by the server's answer: the same request, signed anew, may be in time. */
const isSkewed = (error: unknown) => error instanceof Error && error.name === "RequestTimeTooSkewed"

/** A bucket, or a prefix in it, of AWS S3 or a compatible store that has conditional writes (If-None-Match). */
export const open = (
  target: S3Target,
  times: Connection.TimeOuts = Connection.timeOuts
): Effect.Effect<ObjectStoreShape, ObjectStoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const { authorities, bucket, credentials, endpoint, region } = target
    const location = Address.location(target)
    const root = rootOf(target)
    const keyOf = (name: string) => name.slice(root.length)
    const fail = (reason: ObjectStoreReason) => Failure.of(reason, { operation: "open", location })
    const refused = Address.refusal(target)
    if (refused !== undefined) {
      return yield* fail(new Misconfigured({ detail: refused, advice: "correct the storage settings" }))
    }
    const trust = authorities === undefined ? undefined : Authorities.trust(authorities)
    if (authorities !== undefined && typeof trust === "string") {
      return yield* fail(HandshakeFailure.unusableAuthorities(trust, authorities.origin))
    }
    const trusted = typeof trust === "object" ? trust : undefined

    const storing = Storing.text(target)
    const common = {
      location,
      bucket,
      region,
      secrets:
        credentials === undefined
          ? []
          : [Redacted.value(credentials.secretAccessKey), Redacted.value(credentials.accessKeyId)],
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(target.assumeRole === undefined ? {} : { assumeRole: target.assumeRole }),
      ...(target.encryption === undefined ? {} : { encryption: target.encryption }),
      ...(storing === undefined ? {} : { storing }),
      ...(credentials === undefined ? {} : { origin: credentials.origin }),
      ...(authorities === undefined
        ? {}
        : { trust: { ...authorities.origin, authorities: trusted?.authorities ?? [] } })
    }
    const connection = yield* Connection.make(target, trusted, times)
    const { client, sdk } = connection
    const line = yield* Requests.make(times)
    const send = <A>(
      context: Pick<Failure.ErrorContext, "operation" | "key" | "bytes" | "ifAbsent">,
      request: (signal: AbortSignal) => Promise<A>,
      bytes = 0
    ) =>
      line(
        (signal) =>
          request(signal).catch((error: unknown) => {
            if (isSkewed(error)) return request(signal)
            throw error
          }),
        (error, now) => Failure.from(error, { ...common, ...context }, now),
        bytes
      )
    const at = (name: string) => ({ Bucket: bucket, Key: name })

    /**
     * The answer to HEAD has no body, so a 404 may mean the key or the bucket, and a 403 anything. A GET that never
     * transfers content (304 when the object is there) says which.
     */
    const explained = (name: string, error: ObjectStoreError): Effect.Effect<never, ObjectStoreError> =>
      send({ operation: "head", key: keyOf(name) }, async (abortSignal) => {
        const answer = await client.send(new sdk.GetObjectCommand({ ...at(name), IfNoneMatch: "*" }), { abortSignal })
        // A store that ignores the condition: we only wanted to know why HEAD failed.
        ;(answer.Body as Readable | undefined)?.destroy()
      }).pipe(
        Effect.matchEffect({
          onSuccess: () => Effect.fail(error),
          // 304 counts as a changed object: it is there, and HEAD did not say so.
          onFailure: (refusal) =>
            Effect.fail(refusal.isRetryable || isReason("ContentMismatch")(refusal) ? error : refusal)
        })
      )

    const headOf = (operation: "put" | "head" | "delete", name: string) =>
      send({ operation, key: keyOf(name) }, (abortSignal) =>
        client.send(new sdk.HeadObjectCommand({ ...at(name), ChecksumMode: "ENABLED" }), { abortSignal })
      )

    const locks = yield* Locks.make(
      connection,
      bucket,
      target.lock !== undefined,
      (name) => headOf("delete", name),
      (request) => send({ operation: "delete" }, request),
      (reason) => Failure.of(reason, { operation: "delete", location })
    )

    const remote: Remote<Seen> = {
      location,
      storing,
      root,
      idleMillis: times.idle,
      listsInOrder: true,
      checksSha256: true,
      error: (operation, reason) => Failure.of(reason, { operation, location }),
      sizeRefusal: (size) =>
        size > Upload.largestBytes ? `more than one request can carry (${Upload.largestBytes})` : undefined,
      put: (name, content, ifAbsent) =>
        Effect.gen(function* () {
          const more = Storing.input(target, content.role, yield* Clock.currentTimeMillis)
          const response = yield* send(
            { operation: "put", key: keyOf(name), bytes: content.size, ifAbsent },
            (signal) => Upload.upload(connection, { ...at(name), ...more }, content, ifAbsent, signal),
            content.size
          )
          if (content.role === "trial")
            yield* unless(Storing.disproved(target, yield* headOf("put", name)), { operation: "put", location })
          return Listing.found(name, content.size, locks.heard(response))
        }),
      rehearse: (name, content) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          send(
            { operation: "put", key: keyOf(name), bytes: content.size },
            // Only the last byte shows that this is not its SHA-256.
            (signal) =>
              Upload.upload(
                connection,
                { ...at(name), ...Storing.input(target, undefined, now) },
                { ...content, sha256: "0".repeat(64) },
                false,
                signal
              ),
            content.size
          )
        ).pipe(
          // A server that checks nothing has stored it.
          Effect.andThen(remote.remove(name)),
          Effect.catchIf(isReason("ContentMismatch"), () => Effect.void)
        ),
      holds: (seen, content) => (seen.sha256 === undefined ? undefined : seen.sha256 === Upload.sha256Of(content)),
      // With its checksum, by which `holds` knows what we wrote.
      head: (name) =>
        Effect.zip(headOf("head", name), Clock.currentTimeMillis).pipe(
          Effect.map(([response, now]) => ({
            ...Listing.found(name, response.ContentLength ?? 0, locks.heard(response)),
            ...Locks.found(response, now),
            ...(response.ChecksumSHA256 === undefined || response.ChecksumType === "COMPOSITE"
              ? {}
              : { sha256: Buffer.from(response.ChecksumSHA256, "base64").toString("hex") })
          })),
          Effect.catchIf(
            (error) => !error.isRetryable,
            (error) => explained(name, error)
          )
        ),
      body: (operation, name, from, fingerprint) =>
        Effect.gen(function* () {
          const input = {
            ...at(name),
            ...(from === 0 ? {} : { Range: `bytes=${from}-` }),
            ...(fingerprint === undefined ? {} : { IfMatch: `"${fingerprint}"` })
          }
          const response = yield* send({ operation, key: keyOf(name) }, (abortSignal) =>
            client.send(new sdk.GetObjectCommand(input), { abortSignal })
          )
          const stream = response.Body as Readable | undefined
          if (stream === undefined || response.ContentLength === undefined) {
            stream?.destroy()
            return yield* Failure.of(lengthless(keyOf(name)), { operation, location })
          }
          return {
            stream,
            bytes: response.ContentLength,
            ...(response.ETag === undefined ? {} : { fingerprint: Listing.unquoted(response.ETag) })
          }
        }),
      page: (operation, prefix, { foldersOnly, limit, token }) =>
        send({ operation }, async (abortSignal) => {
          const input = {
            Bucket: bucket,
            Prefix: prefix,
            MaxKeys: limit,
            // Keys of others may hold characters that XML cannot.
            EncodingType: "url" as const,
            ...(token === undefined ? {} : { ContinuationToken: token }),
            ...(foldersOnly ? { Delimiter: "/" } : {})
          }
          return Listing.page(await client.send(new sdk.ListObjectsV2Command(input), { abortSignal }))
        }),
      remove: (name) =>
        Effect.asVoid(
          send({ operation: "delete", key: keyOf(name) }, async (abortSignal) =>
            locks.heard(await client.send(new sdk.DeleteObjectCommand(at(name)), { abortSignal }))
          )
        ),
      locks
    }
    return yield* CloudObjectStore.open(remote)
  })
