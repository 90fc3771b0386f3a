import { Effect, Random, Stream } from "effect"
import type { ObjectKey } from "../ObjectStore.ts"
import { ContentMismatch, type ObjectStoreError, StoreUnavailable } from "../ObjectStoreError.ts"
import * as Retry from "../Retry.ts"
import type { Body, Found, Remote } from "./Remote.ts"

/** Broken connections in a row, without a byte between them, after which reading gives up. */
const fruitlessTimes = 5

interface Opened {
  readonly body: Body
  readonly iterator: AsyncIterator<Uint8Array>
}

/**
 * The object's bytes in order. A broken or silent connection is taken up again where it broke, and only on the same
 * content; the stream ends after exactly as many bytes as the object has, verified where the store keeps a checksum, or
 * fails.
 */
export const read = <Seen extends Found>(
  remote: Remote<Seen>,
  operation: "get" | "read",
  key: ObjectKey,
  name: string
): Stream.Stream<Uint8Array, ObjectStoreError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      let size = -1
      let fingerprint: string | undefined
      let verifier: Body["verifier"]
      let at = 0
      let fruitless = 0
      let opened: Opened | undefined

      const mismatch = (detail: string) => remote.error(operation, new ContentMismatch({ key, detail }))
      const close = () => {
        opened?.body.stream.destroy()
        opened = undefined
      }
      yield* Effect.addFinalizer(() => Effect.sync(close))

      /** Opens the body at `at`; the first answer says how large the object is, later ones must agree. */
      const connect: Effect.Effect<Opened, ObjectStoreError> = Effect.gen(function* () {
        const body = yield* Retry.retrying(Retry.atOnce, () => remote.body(operation, name, at, fingerprint))
        body.stream.on("error", () => undefined)
        if (size === -1) {
          size = body.bytes
          fingerprint = body.fingerprint
          verifier = body.verifier
        } else if (body.bytes !== size - at || (body.fingerprint ?? fingerprint) !== fingerprint) {
          body.stream.destroy()
          return yield* mismatch(`the store offers ${body.bytes} bytes instead of the remaining ${size - at}`)
        }
        return { body, iterator: body.stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array> }
      })

      const next: Effect.Effect<readonly [Uint8Array, undefined] | undefined, ObjectStoreError> = Effect.gen(
        function* () {
          while (true) {
            const { body, iterator } = (opened ??= yield* connect)
            const outcome = yield* Effect.result(
              Effect.tryPromise({
                try: (signal) => {
                  signal.addEventListener("abort", () => body.stream.destroy(), { once: true })
                  return iterator.next()
                },
                catch: (error) => error
              }).pipe(Effect.timeout(remote.idleMillis))
            )
            if (outcome._tag === "Success" && outcome.success.done !== true) {
              const piece = outcome.success.value
              at += piece.byteLength
              if (at > size) return yield* mismatch(`the store sent more than ${size} bytes`)
              verifier?.update(piece)
              fruitless = 0
              return [piece, undefined]
            }
            if (outcome._tag === "Success" && at === size) {
              close()
              const refusal = verifier?.refusal()
              return refusal === undefined ? undefined : yield* mismatch(refusal)
            }
            close()
            if (++fruitless > fruitlessTimes) {
              const detail = `${key}: the connection broke after ${at} of ${size} bytes`
              return yield* remote.error(operation, new StoreUnavailable({ detail }))
            }
            yield* Effect.sleep(Retry.delayMillis(fruitless, yield* Random.next))
          }
        }
      )

      return Stream.unfold(undefined, () => next)
    })
  )
