import { readFileSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { Agent, createServer, request as httpsRequest, type Server } from "node:https"
import type { AddressInfo, Socket } from "node:net"
import { dirname, join } from "node:path"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"

/** One request to the API server, counted from 1 since `begin`. */
export interface Asked {
  readonly nth: number
  readonly method: string
  /** With parameters. */
  readonly path: string
}

/** What goes wrong with a request. */
export type Fault =
  /** The server never hears of it: `work` is done, and the connection breaks. */
  | { readonly _tag: "Before"; readonly work: () => Promise<void> }
  /** The server has done it: `work` is done, and the connection breaks before the answer. */
  | { readonly _tag: "After"; readonly work: () => Promise<void> }
  /** The server never hears of it; this is the answer, as a Status. */
  | { readonly _tag: "Answer"; readonly status: number; readonly reason: string; readonly retryAfter?: number }

/** A request that came by, and the fault that it met. */
export interface Passed extends Asked {
  readonly fault: Fault["_tag"] | undefined
}

const bytesOf = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/**
 * A proxy that ends TLS before an API server of ours, with that server's own certificate, and so sees each request. Who
 * asks is passed on: credentials are the client's.
 */
export class ApiProxy {
  readonly #target: URL
  readonly #agent: Agent
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #decide: (asked: Asked) => Fault | undefined = () => undefined
  #passed: Array<Passed> = []
  #count = 0

  private constructor({ caPem = "", server }: ApiServer) {
    const folder = dirname(caPem)
    this.#target = new URL(server)
    this.#agent = new Agent({ ca: readFileSync(caPem), keepAlive: true })
    this.#server = createServer(
      { cert: readFileSync(join(folder, "apiserver.crt")), key: readFileSync(join(folder, "apiserver.key")) },
      (request, response) => {
        this.#serve(request, response).catch(() => response.destroy())
      }
    )
    this.#server.on("clientError", (_, socket) => socket.destroy())
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on("close", () => this.#sockets.delete(socket))
    })
  }

  static async before(apiserver: ApiServer): Promise<ApiProxy> {
    const proxy = new ApiProxy(apiserver)
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve))
    return proxy
  }

  get address(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Requests since `begin`, in the order in which they came. */
  get passed(): ReadonlyArray<Passed> {
    return this.#passed
  }

  /** Counts anew, and lets `decide` say what happens to each request. */
  begin(decide: (asked: Asked) => Fault | undefined = () => undefined): void {
    this.#passed = []
    this.#count = 0
    this.#decide = decide
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#agent.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = { nth: ++this.#count, method: request.method ?? "GET", path: request.url ?? "/" }
    const fault = this.#decide(asked)
    this.#passed.push({ ...asked, fault: fault?._tag })
    const body = await bytesOf(request)
    if (fault?._tag === "Before") {
      await fault.work()
      return void response.destroy()
    }
    if (fault?._tag === "Answer") {
      const { reason, retryAfter, status } = fault
      const answer = { apiVersion: "v1", kind: "Status", status: "Failure", code: status, reason, message: "a test" }
      response.writeHead(status, {
        "content-type": "application/json",
        ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) })
      })
      return void response.end(JSON.stringify(answer))
    }
    const answer = await this.#forward(request, response, body)
    if (fault?._tag === "After") {
      await fault.work()
      answer.destroy()
      return void response.destroy()
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    response.flushHeaders()
    answer.on("error", () => response.destroy())
    answer.pipe(response)
  }

  #forward(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.#target
      const { method, url } = request
      const options = { hostname, port, method, path: url, headers: request.headers, agent: this.#agent }
      const forwarded = httpsRequest(options, resolve)
      forwarded.on("error", reject)
      // A watch that nobody hears any more.
      response.on("close", () => forwarded.destroy())
      forwarded.end(body)
    })
  }
}
