import { Clock, Effect, Semaphore } from "effect"
import type { KafkaReason } from "../KafkaError.ts"
import * as Token from "./Token.ts"

/** Tokens for one cluster: every new connection and every renewed session takes one. */
export interface Tokens {
  /** A token that is still valid. Connections that ask at the same time share one request. */
  readonly get: Effect.Effect<Token.Token, KafkaReason>
}

/** A refusal is not asked for again for this long: repeating it could lock the client's account. */
const refusedMillis = 10_000

/**
 * Keeps what `fetch` gives until half of its life is over. If another one cannot be had then, the old one is used as
 * long as it is valid, so that a short failure of the server that issues tokens harms nobody.
 */
export const make = (fetch: Effect.Effect<Token.Token, KafkaReason>): Tokens => {
  const asking = Semaphore.makeUnsafe(1)
  let held: Token.Token | undefined
  let refusal: { readonly reason: KafkaReason; readonly millis: number } | undefined

  const fetched = Effect.tap(fetch, (token) =>
    Effect.sync(() => {
      held = token
      refusal = undefined
    })
  ).pipe(
    Effect.catch((reason) =>
      Effect.gen(function* () {
        const millis = yield* Clock.currentTimeMillis
        if (reason._tag === "KafkaAuthenticationFailed") refusal = { reason, millis }
        if (held === undefined || !Token.isValid(held, millis)) return yield* Effect.fail(reason)
        yield* Effect.logWarning("no new token: the present one is used until it ends").pipe(
          Effect.annotateLogs({ error: reason.message })
        )
        return held
      })
    )
  )

  return {
    get: asking.withPermit(
      Effect.gen(function* () {
        const millis = yield* Clock.currentTimeMillis
        if (held !== undefined && Token.isFresh(held, millis)) return held
        if (refusal === undefined || millis - refusal.millis >= refusedMillis) return yield* fetched
        if (held !== undefined && Token.isValid(held, millis)) return held
        return yield* Effect.fail(refusal.reason)
      })
    )
  }
}
