import type { Readable } from "node:stream"
import { Effect, Random, Stream } from "effect"
import type { ObjectKey } from "../ObjectStore.ts"
import { ContentMismatch, Misconfigured, type ObjectStoreError, StoreUnavailable } from "../ObjectStoreError.ts"
import type { Connection } from "./Connection.ts"
import * as Failure from "./Failure.ts"
import * as Retry from "../Retry.ts"

/** Broken connections in a row, without a byte between them, after which reading gives up. */
const fruitlessTimes = 5

interface Opened {
  readonly body: Readable
  readonly iterator: AsyncIterator<Uint8Array>
}

/**
 * The object's bytes in order. A broken connection is taken up again where it broke, and only on the same content
 * (If-Match); the stream ends after exactly as many bytes as the object has, or fails.
 */
export const read = (
  connection: Connection,
  operation: "get" | "read",
  key: ObjectKey
): Stream.Stream<Uint8Array, ObjectStoreError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const place = connection.place(operation, key)
      let size = -1
      let etag: string | undefined
      let at = 0
      let fruitless = 0
      let opened: Opened | undefined

      const close = () => {
        opened?.body.destroy()
        opened = undefined
      }
      yield* Effect.addFinalizer(() => Effect.sync(close))

      /** Opens the body at `at`; the first answer says how large the object is, later ones must agree. */
      const connect: Effect.Effect<Opened, ObjectStoreError> = Effect.gen(function* () {
        const input = {
          Bucket: connection.bucket,
          Key: connection.full(key),
          ...(size === -1 ? {} : { Range: `bytes=${at}-` }),
          ...(size === -1 || etag === undefined ? {} : { IfMatch: etag })
        }
        const answer = yield* Retry.retrying(Retry.atOnce, () =>
          connection.send(place, (client, options) => client.send(new connection.sdk.GetObjectCommand(input), options))
        )
        const body = answer.Body as Readable | undefined
        if (body === undefined || answer.ContentLength === undefined) {
          body?.destroy()
          const detail = `${key}: the store does not say how long it is`
          const advice = "let no proxy between us and the store re-encode its answers"
          return yield* Failure.of(new Misconfigured({ detail, advice }), place)
        }
        if (size === -1) {
          size = answer.ContentLength
          etag = answer.ETag
        } else if (answer.ContentLength !== size - at) {
          body.destroy()
          const detail = `the store answers ${answer.ContentLength} bytes for the rest of ${size - at}`
          return yield* Failure.of(new ContentMismatch({ key, detail }), place)
        }
        return { body, iterator: body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array> }
      })

      const next: Effect.Effect<readonly [Uint8Array, undefined] | undefined, ObjectStoreError> = Effect.gen(
        function* () {
          while (true) {
            const { body, iterator } = (opened ??= yield* connect)
            const outcome = yield* Effect.result(
              Effect.tryPromise({
                try: (signal) => {
                  signal.addEventListener("abort", () => body.destroy(), { once: true })
                  return iterator.next()
                },
                catch: (error) => error
              })
            )
            if (outcome._tag === "Success" && outcome.success.done !== true) {
              const piece = outcome.success.value
              at += piece.byteLength
              if (at > size)
                return yield* Failure.of(new ContentMismatch({ key, detail: `more than ${size} bytes came` }), place)
              fruitless = 0
              return [piece, undefined]
            }
            if (outcome._tag === "Success" && at === size) {
              close()
              return undefined
            }
            close()
            if (++fruitless > fruitlessTimes) {
              const detail = `${key}: the connection breaks after ${at} of ${size} bytes`
              return yield* Failure.of(new StoreUnavailable({ detail }), place)
            }
            yield* Effect.sleep(Retry.delayMillis(fruitless, yield* Random.next))
          }
        }
      )

      return Stream.unfold(undefined, () => next)
    })
  )
