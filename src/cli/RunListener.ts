import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Clock, Effect, Layer, type Scope } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import * as RunMetrics from "../worker/RunMetrics.ts"
import * as RunProgress from "../worker/RunProgress.ts"
import type { ListenAddress } from "./SharedFlags.ts"
import { UsageError } from "./UsageError.ts"

const pages = (progress: RunProgress.RunProgress) =>
  HttpRouter.use((router) =>
    Effect.all([
      router.add("GET", "/healthz", HttpServerResponse.text("ok\n")),
      router.add(
        "GET",
        "/progress",
        Effect.map(Clock.currentTimeMillis, (nowMillis) =>
          HttpServerResponse.jsonUnsafe(RunProgress.report(progress, nowMillis))
        )
      ),
      router.add(
        "GET",
        "/metrics",
        Effect.gen(function* () {
          const body = yield* RunMetrics.text(progress, yield* Clock.currentTimeMillis)
          return HttpServerResponse.text(body, { contentType: "text/plain; version=0.0.4; charset=utf-8" })
        })
      )
    ])
  )

/**
 * Serves `/metrics` (Prometheus), `/progress` (JSON) and `/healthz` of one run for as long as the scope lasts. Fails
 * when the address is not available.
 */
export const open = (
  { host, port }: ListenAddress,
  progress: RunProgress.RunProgress
): Effect.Effect<void, UsageError, Scope.Scope> =>
  Effect.gen(function* () {
    const listening = Layer.effectDiscard(
      Effect.gen(function* () {
        const { address } = yield* HttpServer.HttpServer
        yield* Effect.logInfo("serving /metrics and /progress").pipe(
          Effect.annotateLogs({ address: HttpServer.formatAddress(address) })
        )
      })
    )
    const server = NodeHttpServer.layer(createServer, {
      port,
      ...(host === undefined ? {} : { host }),
      // A scrape must not delay the end of the run.
      gracefulShutdownTimeout: "1 second"
    })
    const served = HttpRouter.serve(pages(progress), { disableLogger: true, disableListenLog: true })
    yield* Layer.build(Layer.mergeAll(served, listening).pipe(Layer.provide(server)))
  }).pipe(
    Effect.catchTag("ServeError", ({ cause }) =>
      Effect.fail(
        new UsageError({
          detail: `--listen: cannot listen on ${host ?? ""}:${port} (${cause instanceof Error ? cause.message : String(cause)})`,
          advice: "give an address of this machine and a free port, such as --listen 127.0.0.1:9090"
        })
      )
    )
  )
