import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Clock, Effect, Layer, type Scope } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import * as ListenFailure from "./ListenFailure.ts"
import type { ListenAddress } from "./SharedFlags.ts"
import type { UsageError } from "./UsageError.ts"

/** What is served of one run. Instants are milliseconds since 1970. */
export interface Served {
  /** As JSON writes it: fields without a value are absent. */
  readonly progress: (nowMillis: number) => object
  /** In Prometheus' text format, version 0.0.4. */
  readonly metrics: (nowMillis: number) => Effect.Effect<string>
}

const pages = ({ metrics, progress }: Served) =>
  HttpRouter.use((router) =>
    Effect.all([
      router.add("GET", "/healthz", HttpServerResponse.text("ok\n")),
      router.add(
        "GET",
        "/progress",
        Effect.map(Clock.currentTimeMillis, (nowMillis) => HttpServerResponse.jsonUnsafe(progress(nowMillis)))
      ),
      router.add(
        "GET",
        "/metrics",
        Effect.gen(function* () {
          const body = yield* metrics(yield* Clock.currentTimeMillis)
          return HttpServerResponse.text(body, { contentType: "text/plain; version=0.0.4; charset=utf-8" })
        })
      )
    ])
  )

/**
 * Serves `/metrics` (Prometheus), `/progress` (JSON) and `/healthz` of one run for as long as the scope lasts. Fails
 * when the address is not available.
 */
export const open = (address: ListenAddress, served: Served): Effect.Effect<void, UsageError, Scope.Scope> =>
  Effect.gen(function* () {
    const { host, port } = address
    const listening = Layer.effectDiscard(
      Effect.gen(function* () {
        const bound = (yield* HttpServer.HttpServer).address
        yield* Effect.logInfo("serving /metrics and /progress").pipe(
          Effect.annotateLogs({ address: HttpServer.formatAddress(bound) })
        )
      })
    )
    const server = NodeHttpServer.layer(createServer, {
      port,
      ...(host === undefined ? {} : { host }),
      // A scrape must not delay the end of the run.
      gracefulShutdownTimeout: "1 second"
    })
    const http = HttpRouter.serve(pages(served), { disableLogger: true, disableListenLog: true })
    yield* Layer.build(Layer.mergeAll(http, listening).pipe(Layer.provide(server)))
  }).pipe(Effect.catchTag("ServeError", ({ cause }) => Effect.fail(ListenFailure.of(address, cause, "127.0.0.1:9090"))))
