import { Effect, Random } from "effect"
import type { Kind } from "../Kind.ts"
import type { Delta, Selection } from "../KubernetesApi.ts"
import type { KubeObject } from "../Objects.ts"
import * as Address from "./Address.ts"
import * as Failure from "./Failure.ts"
import type { Failed } from "./Failure.ts"
import * as Lines from "./Lines.ts"
import * as Listing from "./Listing.ts"
import * as Received from "./Received.ts"
import type { Ask, Requests } from "./Requests.ts"

/** How one connection of a watch ended, unless it was refused. */
export type End =
  /** The server closed it, as it does every few minutes, or it broke or fell silent: continue from the last version. */
  | { readonly _tag: "Cut"; readonly why: string }
  /** Changes since the last version are not available any more, or cannot be read: list again. */
  | { readonly _tag: "Lost"; readonly why: string }

export interface Handler<A> {
  /** The server accepted the request. */
  readonly opened: Effect.Effect<void>
  readonly delta: (delta: Delta<A>) => Effect.Effect<void>
  /** Everything up to this version has been delivered. */
  readonly reached: (version: string) => void
}

/** `timeoutSeconds` of a watch; random, so that not all watches reconnect at once. */
const serverSeconds = { least: 290, most: 590 }

/**
 * One connection: delivers changes after `version` until it ends. Fails when the server refuses the request. A slow
 * handler slows the server down and loses nothing.
 */
export const run = <A extends KubeObject>(
  requests: Requests,
  {
    idleMillis,
    kind,
    selection
  }: { readonly kind: Kind<A>; readonly selection: Selection; readonly idleMillis: number },
  version: string,
  { delta, opened, reached }: Handler<A>
): Effect.Effect<End, Failed> =>
  Effect.gen(function* () {
    const ask: Ask = {
      verb: "watch",
      kind,
      subject: Listing.subject(selection),
      method: "GET",
      path: Address.collection(kind, selection.namespace),
      query: {
        ...Address.selected(selection),
        watch: "true",
        allowWatchBookmarks: "true",
        resourceVersion: version,
        timeoutSeconds: String(yield* Random.nextIntBetween(serverSeconds.least, serverSeconds.most))
      }
    }
    const body = yield* requests.open(ask)
    yield* opened
    const pieces = body[Symbol.asyncIterator]()
    const piece = Effect.tryPromise({
      try: (): Promise<IteratorResult<Uint8Array, unknown>> => pieces.next(),
      catch: (cause): End => ({ _tag: "Cut", why: Failure.ofTransport(cause).detail })
    }).pipe(
      Effect.timeoutOrElse({
        duration: idleMillis,
        orElse: () => Effect.fail<End>({ _tag: "Cut", why: "no data arrived for too long" })
      })
    )

    const deliver = (line: string) =>
      Effect.gen(function* () {
        const received = Received.event(kind, line)
        if (received === undefined) return yield* Effect.fail<End>({ _tag: "Lost", why: "an event cannot be read" })
        const { event } = received
        if (event._tag === "Error") {
          const { detail } = Failure.ofEvent(event.object)
          return yield* Effect.fail<End>({ _tag: "Lost", why: detail })
        }
        if (event._tag === "Changed") {
          yield* delta({ _tag: event.isGone ? "Delete" : "Upsert", object: event.object })
        }
        if (received.version !== undefined) reached(received.version)
      })

    const lines = Lines.make()
    const reading = Effect.gen(function* () {
      while (true) {
        const next = yield* piece
        if (next.done === true) return { _tag: "Cut", why: "the server has closed the connection" } as End
        for (const line of lines.take(next.value)) yield* deliver(line)
      }
    })
    return yield* Effect.catch(reading, (end) => Effect.succeed(end))
  }).pipe(
    Effect.scoped,
    // A version that the server refuses as too old is lost history.
    Effect.catchIf(
      ({ error }) => error.reason._tag === "Gone",
      ({ error }) => Effect.succeed<End>({ _tag: "Lost", why: error.reason.detail })
    )
  )
