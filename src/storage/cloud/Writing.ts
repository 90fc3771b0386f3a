import { createHash } from "node:crypto"
import { Readable } from "node:stream"
import { Effect, Stream } from "effect"
import type { ObjectKey, PutOptions } from "../ObjectStore.ts"
import { ContentMismatch, isLocked, isReason, Misconfigured, type ObjectStoreError } from "../ObjectStoreError.ts"
import * as Pieces from "../Pieces.ts"
import * as Retry from "../Retry.ts"
import * as Reading from "./Reading.ts"
import type { Content, Found, Remote } from "./Remote.ts"

/** Bytes handed to the socket at a time: TLS holds an encrypted copy of as much. */
const sliceBytes = 256 * 1024

/**
 * A new body for every request, for a stream that failed cannot be sent again. The pieces themselves are not copied.
 */
export const stream = (pieces: Pieces.Pieces): Readable =>
  Readable.from(Pieces.slices(pieces, sliceBytes), { objectMode: false, highWaterMark: sliceBytes })

/** An object as the server describes it, and the SHA-256 of its content where somebody has made one. */
export interface Written {
  readonly found: Found
  readonly sha256?: string
}

/**
 * The object that answered "exists" to a repeated create, if it holds what we wrote: then the earlier request was done
 * and only its answer was lost. Undefined when it is somebody else's.
 */
const ours = <Seen extends Found>(remote: Remote<Seen>, key: ObjectKey, name: string, content: Content) =>
  Effect.gen(function* () {
    const seen = yield* Retry.retrying(Retry.atOnce, () => remote.head(name))
    if (seen.size !== content.size) return undefined
    const isOurs = remote.holds(seen, content)
    if (isOurs !== undefined) return isOurs ? seen : undefined
    const hash = createHash("sha256")
    yield* Reading.read(remote, "read", key, name).pipe(
      Stream.runForEach((piece) => Effect.sync(() => hash.update(piece)))
    )
    return hash.digest("hex") === (content.sha256 ?? Pieces.sha256(content.pieces)) ? seen : undefined
  }).pipe(
    // It was there and is deleted: then it was another writer's, for nobody deletes what is being created.
    Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(undefined))
  )

/** An object is there already, and the store does not let it be replaced. */
const mayBeOurs = (error: ObjectStoreError) => isReason("ObjectExists")(error) || isLocked(error)

/**
 * Writes one object. What arrives is compared by the server with the checksum that `Remote.put` sends along; an
 * announced SHA-256 that the server does not check is compared before anything is sent.
 */
export const put = <Seen extends Found>(
  remote: Remote<Seen>,
  key: ObjectKey,
  name: string,
  pieces: Pieces.Pieces,
  options: PutOptions
): Effect.Effect<Written, ObjectStoreError> =>
  Effect.gen(function* () {
    const size = Pieces.byteLength(pieces)
    const refused = remote.sizeRefusal(size)
    if (refused !== undefined) {
      const detail = `${key} has ${size} bytes: ${refused}`
      return yield* remote.error("put", new Misconfigured({ detail, advice: "choose smaller segments" }))
    }
    const isChecked = remote.checksSha256 === true
    const announced = options.sha256
    if (announced !== undefined && !isChecked && Pieces.sha256(pieces) !== announced) {
      const detail = "the content does not match its announced SHA-256"
      return yield* remote.error("put", new ContentMismatch({ key, detail }))
    }
    const sha256 = announced ?? (isChecked ? Pieces.sha256(pieces) : undefined)
    const content: Content = {
      pieces,
      size,
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(options.role === undefined ? {} : { role: options.role })
    }
    const once = remote.put(name, content, options.ifAbsent === true)
    const attempt = (earlier: number) =>
      earlier === 0
        ? once
        : Effect.catchIf(once, mayBeOurs, (error) =>
            Effect.flatMap(ours(remote, key, name, content), (found) =>
              found === undefined ? Effect.fail(error) : Effect.succeed<Found>(found)
            )
          )
    const found = yield* Retry.retrying(
      Retry.atOnce,
      attempt,
      // Bytes altered on the way may arrive whole the second time; bytes that never had that SHA-256 will not.
      (error, earlier) => error.isRetryable || (isReason("ContentMismatch")(error) && earlier === 0)
    )
    return { found, ...(sha256 === undefined ? {} : { sha256 }) }
  })
