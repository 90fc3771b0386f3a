import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import {
  createServer as createPlainServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse
} from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo, Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { TLSSocket } from "node:tls"
import { Effect } from "effect"

/** One request, whole. */
export interface Arrived {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Common name of the client's certificate, where it showed one. Its issuer is not checked. */
  readonly user: string | undefined
}

export type Answer = (response: ServerResponse) => void

/** Anything as JSON. */
export const json =
  (body: unknown, status = 200): Answer =>
  (response) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))

/** How an API server refuses. */
export const refusal =
  (
    code: number,
    reason: string,
    details: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {}
  ): Answer =>
  (response) =>
    void response
      .writeHead(code, { "content-type": "application/json", ...headers })
      .end(JSON.stringify(statusOf(code, reason, details)))

export const statusOf = (code: number, reason: string, details: Readonly<Record<string, unknown>> = {}) => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message: `the server says ${reason}`,
  reason,
  details,
  code
})

/** An object of no importance. */
export const lease = (name: string, resourceVersion: string) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name, namespace: "ns", resourceVersion, uid: `uid-${name}` },
  spec: {}
})

/** A list as API servers send it: its items do not say what they are. */
export const listOf = (resourceVersion: string, names: ReadonlyArray<string>, next?: string) => ({
  kind: "LeaseList",
  apiVersion: "coordination.k8s.io/v1",
  metadata: { resourceVersion, ...(next === undefined ? {} : { continue: next }) },
  items: names.map((name) => {
    const { metadata, spec } = lease(name, resourceVersion)
    return { metadata, spec }
  })
})

export const eventLine = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`

/** The answer to a watch; `then` gets the connection after these lines have been sent. */
export const watchOf =
  (lines: ReadonlyArray<string>, then: (response: ServerResponse) => void = () => {}): Answer =>
  (response) => {
    response.writeHead(200, { "content-type": "application/json", "transfer-encoding": "chunked" })
    response.flushHeaders()
    if (lines.length === 0) return then(response)
    response.write(lines.join(""), () => setTimeout(() => then(response), 20))
  }

/** The connection is torn down, as by a node that dies. */
export const reset = (response: ServerResponse): void => void response.socket?.resetAndDestroy()

export const end = (response: ServerResponse): void => void response.end()

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

const userOf = ({ socket }: IncomingMessage): string | undefined => {
  const name = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined
  return typeof name === "string" ? name : undefined
}

/**
 * An API server on loopback of which `route` decides every answer. Its kubeconfig can be changed while it runs, and its
 * certificate too.
 */
export const fakeApiServer = (route: (request: Arrived) => Answer, certificate?: Certificate) =>
  Effect.gen(function* () {
    const arrived: Array<Arrived> = []
    const state = { connections: 0, aborted: 0 }
    const sockets = new Set<Socket>()
    const serve = async (request: IncomingMessage, response: ServerResponse) => {
      const url = new URL(request.url ?? "/", "http://api")
      const chunks: Array<Buffer> = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      response.on("close", () => {
        if (!response.writableEnded) state.aborted++
      })
      const one: Arrived = {
        method: request.method ?? "",
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
        user: userOf(request)
      }
      arrived.push(one)
      route(one)(response)
    }
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      void serve(request, response).catch(() => response.destroy())
    const tls =
      certificate === undefined
        ? undefined
        : createTlsServer({ ...certificate, requestCert: true, rejectUnauthorized: false }, listener)
    const server = tls ?? createPlainServer(listener)
    server.on("connection", (socket: Socket) => {
      sockets.add(socket)
      socket.on("close", () => sockets.delete(socket))
    })
    server.on(tls === undefined ? "connection" : "secureConnection", () => void state.connections++)
    const folder = mkdtempSync(join(tmpdir(), "api-"))
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          server.close()
          rmSync(folder, { recursive: true })
        })
    )
    const { port } = server.address() as AddressInfo
    const address = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`
    const kubeconfig = join(folder, "kubeconfig")
    /** Writes the kubeconfig: who the client is from now on, and whom it trusts. */
    const login = (user: Readonly<Record<string, unknown>>, cluster: Readonly<Record<string, unknown>> = {}) =>
      writeFileSync(
        kubeconfig,
        JSON.stringify({
          apiVersion: "v1",
          kind: "Config",
          clusters: [
            {
              name: "fake",
              cluster: {
                server: address,
                ...(tls === undefined ? { "insecure-skip-tls-verify": true } : {}),
                ...cluster
              }
            }
          ],
          users: [{ name: "tester", user }],
          contexts: [{ name: "fake", context: { cluster: "fake", user: "tester" } }],
          "current-context": "fake"
        })
      )
    login({ token: "first" })
    return {
      port,
      arrived,
      state,
      folder,
      kubeconfig,
      login,
      /**
       * Shows another certificate from now on, also to clients that are connected: their connections are cut, and when
       * this ends they have seen it.
       */
      certify: (certificate: Certificate) =>
        Effect.andThen(
          Effect.sync(() => {
            tls?.setSecureContext({ ...certificate })
            for (const socket of sockets) socket.destroy()
          }),
          Effect.sleep(100)
        )
    }
  })
