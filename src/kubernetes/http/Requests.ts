import { Clock, Effect, type Scope, Semaphore } from "effect"
import { type Dispatcher, request } from "undici"
import type { Kind } from "../Kind.ts"
import { KubernetesError, type KubernetesReason, Unavailable } from "../KubernetesError.ts"
import type { Observation, Verb } from "../RequestObserver.ts"
import * as Address from "./Address.ts"
import type { Connection, Session } from "./Connection.ts"
import * as Failure from "./Failure.ts"
import type { Failed } from "./Failure.ts"
import * as Retry from "./Retry.ts"

/** One request. */
export interface Ask {
  readonly verb: Verb
  readonly kind: Kind
  /** The object or selection, for people: `kafka-backup/hourly`, `of all namespaces`. */
  readonly subject: string
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** Absolute and encoded, without query parameters. */
  readonly path: string
  readonly query?: Address.Query
  /** Sent as JSON. */
  readonly body?: unknown
  /** Content type of the body. Default `application/json`. */
  readonly contentType?: string
  /** Content type of the answer. Default `application/json`. */
  readonly accept?: string
}

export interface Requests {
  /**
   * The answer's JSON. Reads are repeated when that may help; writes only when the server reports that it did nothing.
   */
  readonly json: (ask: Ask) => Effect.Effect<unknown, KubernetesError>
  /** The body of a successful answer as a stream, until the scope is closed. One attempt. */
  readonly open: (ask: Ask) => Effect.Effect<Dispatcher.ResponseData["body"], Failed, Scope.Scope>
}

export interface Settings {
  readonly connection: Connection
  readonly observe: (observation: Observation) => Effect.Effect<void>
  readonly userAgent: string
  readonly requestMillis: number
}

/** Most requests in flight, watches aside; further requests wait. */
const requestsAtOnce = 64

/** The failure of this request. */
export const failure = (ask: Ask, reason: KubernetesReason, status?: number): Failed => ({
  error: new KubernetesError({ request: `${ask.verb} ${ask.kind.plural} ${ask.subject}`, reason }),
  status
})

const one = (value: string | ReadonlyArray<string> | undefined): string | undefined =>
  typeof value === "string" ? value : value?.[0]

export const make = ({ connection, observe, requestMillis, userAgent }: Settings): Requests => {
  const inFlight = Semaphore.makeUnsafe(requestsAtOnce)

  const inTime = <A, R>(ask: Ask, effect: Effect.Effect<A, Failed, R>): Effect.Effect<A, Failed, R> =>
    Effect.timeoutOrElse(effect, {
      duration: requestMillis,
      orElse: () =>
        Effect.fail(failure(ask, new Unavailable({ detail: `no answer within ${Math.round(requestMillis / 1000)} s` })))
    })

  const transport = (ask: Ask) => (cause: unknown) => failure(ask, Failure.ofTransport(cause))

  /** Sends the request once; the connection is released or aborted when the scope is closed. */
  const send = (ask: Ask, { dispatcher, headers, server }: Session) =>
    Effect.gen(function* () {
      const signal = yield* Effect.abortSignal
      const begunMillis = yield* Clock.currentTimeMillis
      return yield* Effect.tryPromise({
        try: () =>
          request(`${server}${ask.path}${Address.search(ask.query ?? {})}`, {
            dispatcher,
            method: ask.method,
            signal,
            headersTimeout: 0,
            bodyTimeout: 0,
            headers: {
              ...headers,
              accept: ask.accept ?? "application/json",
              "user-agent": userAgent,
              ...(ask.body === undefined ? {} : { "content-type": ask.contentType ?? "application/json" })
            },
            body: ask.body === undefined ? null : JSON.stringify(ask.body)
          }),
        catch: (cause) => cause
      }).pipe(
        Effect.onExit((exit) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            observe({
              verb: ask.verb,
              kind: ask.kind.plural,
              status: exit._tag === "Success" ? exit.value.statusCode : "error",
              millis: now - begunMillis
            })
          )
        )
      )
    })

  const textOf = (ask: Ask, response: Dispatcher.ResponseData) =>
    Effect.tryPromise({ try: () => response.body.text(), catch: transport(ask) })

  const refused = (ask: Ask, response: Dispatcher.ResponseData) =>
    Effect.flatMap(textOf(ask, response), (text) =>
      Effect.fail(
        failure(
          ask,
          Failure.ofAnswer(response.statusCode, text, one(response.headers["retry-after"])),
          response.statusCode
        )
      )
    )

  /** The answer's headers. When the credentials were refused, sends once more with newly read credentials. */
  const answer = (ask: Ask) =>
    Effect.gen(function* () {
      const session = yield* connection.session
      const again = Effect.flatMap(connection.renewed(session), (renewed) =>
        Effect.mapError(send(ask, renewed), transport(ask))
      )
      const sent = yield* Effect.result(send(ask, session))
      if (sent._tag === "Success") {
        if (sent.success.statusCode !== 401) return sent.success
        yield* textOf(ask, sent.success)
        return yield* again
      }
      const state = Failure.curable(sent.failure)
      if (state === "unsent" || (state === "uncertain" && ask.method === "GET")) return yield* again
      // The next request uses the new credentials.
      if (state === "uncertain") yield* connection.renewed(session)
      return yield* Effect.fail(transport(ask)(sent.failure))
    })

  const isGood = ({ statusCode }: Dispatcher.ResponseData) => statusCode >= 200 && statusCode < 300

  const open = (ask: Ask) =>
    Effect.gen(function* () {
      const response = yield* answer(ask)
      return isGood(response) ? response.body : yield* refused(ask, response)
    }).pipe((opened) => inTime(ask, opened))

  const once = (ask: Ask) =>
    Effect.gen(function* () {
      const response = yield* answer(ask)
      if (!isGood(response)) return yield* refused(ask, response)
      const text = yield* textOf(ask, response)
      return yield* Effect.try({
        try: (): unknown => JSON.parse(text),
        catch: () => failure(ask, new Unavailable({ detail: "the answer is not JSON" }), response.statusCode)
      })
    }).pipe(
      Effect.scoped,
      (whole) => inTime(ask, whole),
      (whole) => inFlight.withPermit(whole)
    )

  return {
    json: (ask) => Retry.retrying(ask.method === "GET", once(ask)).pipe(Effect.mapError(({ error }) => error)),
    open
  }
}
