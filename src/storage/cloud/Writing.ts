import { createHash } from "node:crypto"
import { Readable } from "node:stream"
import { Effect, Stream } from "effect"
import type { ObjectKey, PutOptions } from "../ObjectStore.ts"
import { ContentMismatch, Misconfigured, type ObjectStoreError } from "../ObjectStoreError.ts"
import * as Pieces from "../Pieces.ts"
import * as Retry from "../Retry.ts"
import * as Reading from "./Reading.ts"
import type { Content, Found, Remote } from "./Remote.ts"

/** Bytes handed to the socket at a time: TLS holds an encrypted copy of as much. */
const sliceBytes = 256 * 1024

/** A new body for every request, for a stream that failed cannot be sent again. The pieces themselves are not copied. */
export const stream = (pieces: Pieces.Pieces): Readable =>
  Readable.from(Pieces.slices(pieces, sliceBytes), { objectMode: false, highWaterMark: sliceBytes })

/** It was there and is deleted: then it was another writer's, for nobody deletes what is being created. */
const isGone = (error: ObjectStoreError) => error.reason._tag === "ObjectNotFound"

/**
 * The object that answered "exists" to a repeated create, if it holds what we wrote: then the earlier request was done
 * and only its answer was lost. Undefined when it is somebody else's.
 */
const ours = <Seen extends Found>(remote: Remote<Seen>, key: ObjectKey, name: string, content: Content) =>
  Effect.gen(function* () {
    const seen = yield* Retry.retrying(Retry.atOnce, () => remote.head(name))
    if (seen.size !== content.size) return undefined
    const told = remote.holds(seen, content)
    if (told !== undefined) return told ? seen : undefined
    const hash = createHash("sha256")
    yield* Reading.read(remote, "read", key, name).pipe(
      Stream.runForEach((piece) => Effect.sync(() => hash.update(piece)))
    )
    return hash.digest("hex") === (content.sha256 ?? Pieces.sha256(content.pieces)) ? seen : undefined
  })

/**
 * Writes one object. An announced SHA-256, which these servers cannot check, is compared before anything is sent; what
 * arrives is compared by the server with the checksum that `Remote.put` sends along.
 */
export const put = <Seen extends Found>(
  remote: Remote<Seen>,
  key: ObjectKey,
  name: string,
  pieces: Pieces.Pieces,
  options: PutOptions
): Effect.Effect<Found, ObjectStoreError> =>
  Effect.gen(function* () {
    const { sha256 } = options
    const content: Content = {
      pieces,
      size: Pieces.byteLength(pieces),
      ...(sha256 === undefined ? {} : { sha256 })
    }
    const refused = remote.sizeRefusal(content.size)
    if (refused !== undefined) {
      const detail = `${key} has ${content.size} bytes: ${refused}`
      return yield* remote.error("put", new Misconfigured({ detail, advice: "choose smaller segments" }))
    }
    if (sha256 !== undefined && Pieces.sha256(pieces) !== sha256) {
      const detail = "the content does not have the SHA-256 that was announced for it"
      return yield* remote.error("put", new ContentMismatch({ key, detail }))
    }
    const once = remote.put(name, content, options.ifAbsent === true)
    const attempt = (earlier: number) =>
      once.pipe(
        Effect.catchIf(
          (error) => error.reason._tag === "ObjectExists" && earlier > 0,
          (error) =>
            Effect.flatMap(
              ours(remote, key, name, content).pipe(Effect.catchIf(isGone, () => Effect.succeed(undefined))),
              (found) => (found ? Effect.succeed<Found>(found) : Effect.fail(error))
            )
        )
      )
    return yield* Retry.retrying(
      Retry.atOnce,
      attempt,
      // Bytes altered on the way may arrive whole the second time.
      (error, earlier) => error.isRetryable || (error.reason._tag === "ContentMismatch" && earlier === 0)
    )
  })
