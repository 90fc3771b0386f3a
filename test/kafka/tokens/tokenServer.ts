import { Effect } from "effect"
import http from "node:http"
import https from "node:https"
import type { AddressInfo } from "node:net"

/** A request as a server got it. */
export interface Received {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: http.IncomingHttpHeaders
  readonly form: URLSearchParams
}

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Never answers. */
  readonly hangs?: boolean
  /** Ends the connection instead of answering. */
  readonly hangsUp?: boolean
}

/** An HTTP server on loopback that answers as `reply` says, and remembers what it was asked. */
export const httpServer = (
  reply: (request: Received, count: number) => Reply,
  tls?: { readonly key: string; readonly cert: string }
) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const received: Array<Received> = []
      const listener: http.RequestListener = (request, response) => {
        const pieces: Array<Buffer> = []
        request.on("data", (piece: Buffer) => pieces.push(piece))
        request.on("end", () => {
          const form = new URLSearchParams(Buffer.concat(pieces).toString())
          const seen = { method: request.method, path: request.url, headers: request.headers, form }
          received.push(seen)
          const { body, hangs, hangsUp, headers, status = 200 } = reply(seen, received.length)
          if (hangsUp === true) return void request.socket.destroy()
          if (hangs === true) return
          response.writeHead(status, { "content-type": "application/json", ...headers })
          response.end(typeof body === "string" ? body : JSON.stringify(body ?? {}))
        })
      }
      const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener)
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const { port } = server.address() as AddressInfo
      return { url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`, received, server }
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
