import { Clock, Effect, Result, type Scope, Semaphore } from "effect"
import type { Dispatcher } from "undici"
import * as Configuration from "./Configuration.ts"
import * as Login from "./Login.ts"

/** A login and its connections. */
export interface Session {
  readonly server: string
  readonly headers: Readonly<Record<string, string>>
  readonly dispatcher: Dispatcher
}

/** The way to the API server, kept up while tokens and certificates are replaced at their sources. */
export interface Connection {
  /** For the next request. */
  readonly session: Effect.Effect<Session>
  /** After `refused` was not accepted: everything is read anew, unless somebody did so in the meantime. */
  readonly renewed: (refused: Session) => Effect.Effect<Session>
}

/** Opens the way; nothing is asked of the server yet. Connections are closed with the scope. */
export const make = (
  source: Configuration.Source,
  freshMillis: number
): Effect.Effect<Connection, Configuration.KubernetesConfigError, Scope.Scope> =>
  Effect.gen(function* () {
    const reading = yield* Semaphore.make(1)
    const open = new Set<Dispatcher>()
    yield* Effect.addFinalizer(() => Effect.promise(() => Promise.allSettled([...open].map((one) => one.destroy()))))

    let config = yield* Configuration.read(source)
    let fingerprint = ""
    let session: Session | undefined
    let readAtMillis = 0

    /** Connections of an earlier login serve the requests that they have, watches too, and are gone. */
    const retire = (dispatcher: Dispatcher): void => {
      const forget = () => void open.delete(dispatcher)
      void dispatcher.close().then(forget, forget)
    }

    const look = Effect.gen(function* () {
      const login = yield* Login.of(config)
      readAtMillis = yield* Clock.currentTimeMillis
      const now = Login.fingerprint(login)
      const earlier = session?.dispatcher
      const isSame = earlier !== undefined && now === fingerprint
      const dispatcher = isSame ? earlier : Login.dispatcher(login)
      fingerprint = now
      open.add(dispatcher)
      session = { server: login.server, headers: login.headers, dispatcher }
      if (earlier !== undefined && !isSame) retire(earlier)
      return session
    })

    const first = yield* look
    const current = () => session ?? first

    /** A file in the middle of its replacement is no reason to stop: what we have may still be accepted. */
    const orCurrent = (looked: Effect.Effect<Session, Configuration.KubernetesConfigError>) =>
      Effect.gen(function* () {
        const outcome = yield* Effect.result(looked)
        if (Result.isSuccess(outcome)) return outcome.success
        readAtMillis = yield* Clock.currentTimeMillis
        yield* Effect.logWarning(`Going on with the credentials that we have: ${outcome.failure.message}`)
        return current()
      })

    const isFresh = Effect.map(Clock.currentTimeMillis, (now) => Math.abs(now - readAtMillis) < freshMillis)

    return {
      session: Effect.flatMap(isFresh, (fresh) =>
        fresh
          ? Effect.sync(current)
          : reading.withPermit(Effect.flatMap(isFresh, (fresh) => (fresh ? Effect.sync(current) : orCurrent(look))))
      ),
      renewed: (refused) =>
        reading.withPermit(
          Effect.suspend(() =>
            current() === refused
              ? orCurrent(
                  Effect.flatMap(Configuration.read(source), (read) => {
                    config = read
                    return look
                  })
                )
              : Effect.sync(current)
          )
        )
    }
  })
