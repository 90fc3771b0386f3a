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

/** The connection to the API server, kept up while tokens and certificates are replaced at their sources. */
export interface Connection {
  /** The session for the next request. */
  readonly session: Effect.Effect<Session>
  /** After the server refused `refused`: reads everything again, unless another request has done so meanwhile. */
  readonly renewed: (refused: Session) => Effect.Effect<Session>
}

/** Prepares the connection without sending a request. Connections are closed with the scope. */
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

    /** Connections of an earlier login finish their requests, watches too, and are closed. */
    const retire = (dispatcher: Dispatcher): void => {
      const forget = () => void open.delete(dispatcher)
      void dispatcher.close().then(forget, forget)
    }

    const logIn = Effect.gen(function* () {
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

    const first = yield* logIn
    const current = () => session ?? first

    /** A file that is being replaced must not stop the operator: the present credentials may still be accepted. */
    const orCurrent = (login: Effect.Effect<Session, Configuration.KubernetesConfigError>) =>
      Effect.gen(function* () {
        const outcome = yield* Effect.result(login)
        if (Result.isSuccess(outcome)) return outcome.success
        readAtMillis = yield* Clock.currentTimeMillis
        yield* Effect.logWarning("credentials cannot be read again; the present ones stay in use").pipe(
          Effect.annotateLogs({ error: outcome.failure.message })
        )
        return current()
      })

    const isFresh = Effect.map(Clock.currentTimeMillis, (now) => Math.abs(now - readAtMillis) < freshMillis)

    return {
      session: Effect.flatMap(isFresh, (fresh) =>
        fresh
          ? Effect.sync(current)
          : reading.withPermit(Effect.flatMap(isFresh, (fresh) => (fresh ? Effect.sync(current) : orCurrent(logIn))))
      ),
      renewed: (refused) =>
        reading.withPermit(
          Effect.suspend(() =>
            current() === refused
              ? orCurrent(
                  Effect.flatMap(Configuration.read(source), (read) => {
                    config = read
                    return logIn
                  })
                )
              : Effect.sync(current)
          )
        )
    }
  })
