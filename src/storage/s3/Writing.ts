import { createHash } from "node:crypto"
import { Readable } from "node:stream"
import { Effect, Stream } from "effect"
import type { ObjectInfo, ObjectKey, PutOptions } from "../ObjectStore.ts"
import { Misconfigured, type ObjectStoreError } from "../ObjectStoreError.ts"
import * as Pieces from "../Pieces.ts"
import type { Connection } from "./Connection.ts"
import * as Failure from "./Failure.ts"
import * as Reading from "./Reading.ts"
import * as Retry from "../Retry.ts"

/** Largest object of one PUT request, in bytes. Source: Amazon S3 user guide, uploading objects: 5 GB. */
const largestBytes = 5 * 1000 ** 3

/** Bytes handed to the socket at a time: TLS holds an encrypted copy of as much. */
const sliceSize = 256 * 1024

const fingerprint = (etag: string | undefined) =>
  etag === undefined ? {} : { fingerprint: etag.replace(/^"|"$/gu, "") }

/** What an answer of S3 says of an object. */
export const info = (
  key: ObjectKey,
  size: number,
  answer: { readonly ETag?: string | undefined; readonly LastModified?: Date | undefined }
): ObjectInfo => ({
  key,
  size,
  ...fingerprint(answer.ETag),
  ...(answer.LastModified === undefined ? {} : { modifiedMillis: answer.LastModified.getTime() })
})

/** A new body for every request: a stream that failed cannot be sent again. The pieces themselves are not copied. */
const body = (pieces: Pieces.Pieces, size: number): Readable | Buffer =>
  size === 0
    ? Buffer.alloc(0)
    : Readable.from(Pieces.slices(pieces, sliceSize), { objectMode: false, highWaterMark: sliceSize })

/** It was there and is deleted: then it was another writer's, for nobody deletes what is being created. */
const isGone = (error: ObjectStoreError) => error.reason._tag === "ObjectNotFound"

/**
 * The object that answered "exists" to a repeated create, if it holds what we wrote: then the earlier request was done
 * and only its answer was lost. Undefined when it is somebody else's.
 */
const ours = (connection: Connection, key: ObjectKey, size: number, sha256: string) =>
  Effect.gen(function* () {
    const place = connection.place("head", key)
    const input = { Bucket: connection.bucket, Key: connection.full(key), ChecksumMode: "ENABLED" as const }
    const head = yield* Retry.retrying(Retry.atOnce, () =>
      connection.send(place, (client, options) => client.send(new connection.sdk.HeadObjectCommand(input), options))
    )
    if (head.ContentLength !== size) return undefined
    const found = info(key, size, head)
    if (head.ChecksumSHA256 !== undefined && head.ChecksumType !== "COMPOSITE") {
      return Buffer.from(head.ChecksumSHA256, "base64").toString("hex") === sha256 ? found : undefined
    }
    const hash = createHash("sha256")
    yield* Reading.read(connection, "read", key).pipe(
      Stream.runForEach((piece) => Effect.sync(() => hash.update(piece)))
    )
    return hash.digest("hex") === sha256 ? found : undefined
  })

/**
 * One PUT, repeated while that may help. The server checks what arrived against the SHA-256 that stands in the signed
 * headers, so an object that was cut or altered on the way is refused by it.
 */
export const put = (
  connection: Connection,
  key: ObjectKey,
  pieces: Pieces.Pieces,
  options: PutOptions
): Effect.Effect<ObjectInfo, ObjectStoreError> =>
  Effect.gen(function* () {
    const place = connection.place("put", key)
    const size = Pieces.byteLength(pieces)
    if (size > largestBytes) {
      const detail = `${key} has ${size} bytes, more than one request can carry (${largestBytes})`
      return yield* Failure.of(new Misconfigured({ detail, advice: "choose smaller segments" }), place)
    }
    const sha256 = options.sha256 ?? Pieces.sha256(pieces)
    const once = connection.send(
      place,
      (client, sending) => {
        const content = body(pieces, size)
        const command = new connection.sdk.PutObjectCommand({
          Bucket: connection.bucket,
          Key: connection.full(key),
          Body: content,
          ContentLength: size,
          ContentType: "application/octet-stream",
          ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64"),
          ...(options.ifAbsent === true ? { IfNoneMatch: "*" } : {})
        })
        // Signs the content too, where the SDK would leave a streamed body unsigned or refuse it over plain HTTP.
        command.middlewareStack.add(
          (next) => (args) => {
            const { headers } = args.request as { headers: Record<string, string> }
            headers["x-amz-content-sha256"] = sha256
            return next(args)
          },
          { step: "build", name: "signedContent" }
        )
        return client.send(command, sending).finally(() => {
          if (content instanceof Readable) content.destroy()
        })
      },
      size
    )
    const attempt = (earlier: number) =>
      once.pipe(
        Effect.map((answer) => ({ ...info(key, size, answer), sha256 })),
        Effect.catchIf(
          (error) => error.reason._tag === "ObjectExists" && earlier > 0,
          (error) =>
            Effect.flatMap(
              ours(connection, key, size, sha256).pipe(Effect.catchIf(isGone, () => Effect.succeed(undefined))),
              (found) => (found ? Effect.succeed(found) : Effect.fail(error))
            )
        )
      )
    return yield* Retry.retrying(
      Retry.atOnce,
      attempt,
      // Bytes altered on the way may arrive whole the second time; bytes that never had that SHA-256 will not.
      (error, earlier) => error.isRetryable || (error.reason._tag === "ContentMismatch" && earlier === 0)
    )
  })
