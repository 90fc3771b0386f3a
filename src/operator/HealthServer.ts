import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer } from "effect"
import { type HttpServerError, HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import { OperatorMetrics } from "../telemetry/OperatorMetrics.ts"
import { Health, type ProbeAnswer } from "./Health.ts"
import * as Ui from "./ui/Ui.ts"
import type { Watched } from "./Watched.ts"

/** Where the operator serves probes and scrapes. */
export interface Address {
  /** Absent: every interface. */
  readonly host: string | undefined
  /** 0: any that is free. */
  readonly port: number
}

/** The page under `/ui`. `namespace` is the operator's own, where that is known. */
export interface Page {
  readonly namespace: string | undefined
}

const answered = ({ isWell, text }: ProbeAnswer) =>
  HttpServerResponse.text(`${text}\n`, { status: isWell ? 200 : 503, headers: { "cache-control": "no-store" } })

const pages = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const health = yield* Health
    const metrics = yield* OperatorMetrics
    yield* router.add("GET", "/healthz", Effect.map(health.live, answered))
    yield* router.add("GET", "/readyz", Effect.map(health.ready, answered))
    yield* router.add(
      "GET",
      "/metrics",
      Effect.map(metrics.text, (text) =>
        HttpServerResponse.text(text, { contentType: "text/plain; version=0.0.4; charset=utf-8" })
      )
    )
  })
)

const announced = (page: Page | undefined) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const served = page === undefined ? "/metrics, /healthz and /readyz" : "/metrics, /healthz, /readyz and /ui"
      yield* Effect.logInfo(`serving ${served}`).pipe(
        Effect.annotateLogs({ address: HttpServer.formatAddress(address) })
      )
    })
  )

/**
 * Serves `/metrics` (Prometheus), `/healthz` (alive) and `/readyz` (ready, or standing by) for as long as the scope
 * lasts; the probes answer 200 or 503, with a line that says why. With `page` also `/ui`. Fails with `ServeError` when
 * the address cannot be used. Provides the server itself too, for its address.
 */
export const layer = (
  { host, port }: Address,
  page?: Page
): Layer.Layer<HttpServer.HttpServer, HttpServerError.ServeError, Health | OperatorMetrics | Watched> => {
  const server = NodeHttpServer.layer(createServer, {
    port,
    ...(host === undefined ? {} : { host }),
    // A scrape must not contain up a pod that is asked to stop.
    gracefulShutdownTimeout: "1 second"
  })
  const all = page === undefined ? pages : Layer.mergeAll(pages, Ui.routes(page.namespace))
  return HttpRouter.serve(all, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.merge(announced(page)),
    Layer.provideMerge(server)
  )
}
