import { createServer, type IncomingMessage, request as httpRequest, type Server, type ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import * as StoreRequest from "./StoreRequest.ts"

/*
 * A reverse proxy before an object store that misbehaves on purpose. It forwards requests as they are, the Host header
 * included, so that signatures stay valid: the store sees the address that the client signed for.
 */

/** What goes wrong with a request that is met. */
export type Fault =
  /** The store never hears of it; this is the answer. */
  | {
      readonly _tag: "Answer"
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  /** The store does the work, and the connection breaks before its answer. */
  | { readonly _tag: "LoseAnswer" }
  /** The connection breaks after so many bytes of the request's body; what arrived by then is forwarded. */
  | { readonly _tag: "CutUpload"; readonly afterBytes: number }
  /** The answer's body breaks off after so many bytes. */
  | { readonly _tag: "CutDownload"; readonly afterBytes: number }
  /** One bit of the object's content is wrong when it arrives; `atByte` counts from its start, modulo its length. */
  | { readonly _tag: "FlipUpload"; readonly atByte: number }
  /** One bit of the answer's body is wrong. */
  | { readonly _tag: "FlipDownload"; readonly atByte: number }
  /** The answer comes this much later, the headers included. */
  | { readonly _tag: "Stall"; readonly millis: number }
  /** The connection is closed at once. */
  | { readonly _tag: "Refuse" }

/** Which requests are met: those that match, counted from the moment the fault is scripted. */
export interface Occasion {
  /** Default: any. */
  readonly act?: StoreRequest.Act
  /** Bucket and key, as `/bucket/key`. Default: any. */
  readonly object?: RegExp
  /** The first one that is met, counted from 1. Default 1. */
  readonly nth?: number
  /** How many in a row are met. Default 1. */
  readonly times?: number
}

/** One request that came by. */
export interface Passed extends StoreRequest.StoreRequest {
  /** Status that the client saw; 0 when the connection broke. */
  readonly status: number
  readonly fault: Fault["_tag"] | undefined
}

/** S3's way to say that it is too much. */
export const slowDown: Fault = {
  _tag: "Answer",
  status: 503,
  headers: { "content-type": "application/xml" },
  body: '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'
}

export const tooMany = (retryAfterSeconds: number): Fault => ({
  _tag: "Answer",
  status: 429,
  headers: { "retry-after": String(retryAfterSeconds) }
})

export const internalError: Fault = { _tag: "Answer", status: 500 }

interface Scripted {
  readonly fault: Fault
  readonly occasion: Occasion
  seen: number
}

const bytesOf = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const flipped = (bytes: Buffer, atByte: number, from = 0): Buffer => {
  if (bytes.length <= from) return bytes
  const changed = Buffer.from(bytes)
  changed[from + (atByte % (changed.length - from))]! ^= 0x10
  return changed
}

export class FaultProxy {
  readonly #server: Server
  readonly #target: URL
  readonly #sockets = new Set<Socket>()
  #scripted: Array<Scripted> = []
  #passed: Array<Passed> = []
  #isDown = false
  readonly #sessions: StoreRequest.Sessions = new Map()

  private constructor(target: URL) {
    this.#target = target
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy())
    })
    // A client that goes away in the middle is what several faults are about.
    this.#server.on("clientError", (_, socket) => socket.destroy())
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket)
      socket.on("close", () => this.#sockets.delete(socket))
      if (this.#isDown) socket.destroy()
    })
  }

  /** A proxy on loopback before the store at `target`, such as `http://127.0.0.1:9000`. */
  static async before(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(new URL(target))
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve))
    return proxy
  }

  /** Where clients find the proxy. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Every request so far, in order of their ends. */
  get passed(): ReadonlyArray<Passed> {
    return this.#passed
  }

  /** How many requests met a fault. */
  get struck(): number {
    return this.#passed.filter(({ fault }) => fault !== undefined).length
  }

  disturb(fault: Fault, occasion: Occasion = {}): void {
    this.#scripted.push({ fault, occasion, seen: 0 })
  }

  /** Takes back every fault and forgets what has passed. */
  calm(): void {
    this.#scripted = []
    this.#passed = []
    this.#isDown = false
  }

  /** From now on no connection stands: the store is gone, until `calm` or `up`. */
  down(): void {
    this.#isDown = true
    for (const socket of this.#sockets) socket.destroy()
  }

  up(): void {
    this.#isDown = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #met({ act, object }: StoreRequest.StoreRequest): Fault | undefined {
    let found: Fault | undefined
    for (const scripted of this.#scripted) {
      const { occasion } = scripted
      if (occasion.act !== undefined && occasion.act !== act) continue
      if (occasion.object !== undefined && !occasion.object.test(object)) continue
      scripted.seen++
      const first = occasion.nth ?? 1
      if (scripted.seen >= first && scripted.seen < first + (occasion.times ?? 1)) found ??= scripted.fault
    }
    return found
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? "GET"
    const asked = await StoreRequest.of(request, this.#sessions)
    const fault = this.#met(asked)
    const note = (status: number) => this.#passed.push({ ...asked, status, fault: fault?._tag })
    try {
      if (fault?._tag === "Refuse") {
        note(0)
        return void response.destroy()
      }
      if (fault?._tag === "CutUpload") {
        await this.#cutUpload(request, fault.afterBytes)
        note(0)
        return void response.destroy()
      }
      const body = await bytesOf(request)
      if (fault?._tag === "Answer") {
        response.writeHead(fault.status, { "content-length": Buffer.byteLength(fault.body ?? ""), ...fault.headers })
        response.end(method === "HEAD" ? undefined : fault.body)
        return void note(fault.status)
      }
      const sent = fault?._tag === "FlipUpload" ? flipped(body, fault.atByte, asked.contentFrom) : body
      const answer = await this.#forward(request, sent)
      const content = await bytesOf(answer)
      StoreRequest.remember(this.#sessions, asked, answer.headers.location)
      if (fault?._tag === "LoseAnswer") {
        note(0)
        return void response.destroy()
      }
      if (fault?._tag === "Stall") await new Promise((resolve) => setTimeout(resolve, fault.millis))
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      if (fault?._tag === "CutDownload") {
        note(0)
        response.flushHeaders()
        return void response.write(content.subarray(0, fault.afterBytes), () => response.destroy())
      }
      response.end(
        method === "HEAD" ? undefined : fault?._tag === "FlipDownload" ? flipped(content, fault.atByte) : content
      )
      note(answer.statusCode ?? 502)
    } catch {
      note(0)
      response.destroy()
    }
  }

  #forward(request: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const forwarded = httpRequest(
        {
          host: this.#target.hostname,
          port: this.#target.port,
          method: request.method,
          path: request.url,
          headers: { ...request.headers, "content-length": String(body.length), connection: "close" },
          // Whole messages only: what is cut is cut on purpose.
          agent: false
        },
        resolve
      )
      forwarded.on("error", reject)
      forwarded.end(body)
    })
  }

  /** Lets the store see the beginning of the body and then a broken connection. */
  async #cutUpload(request: IncomingMessage, afterBytes: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const forwarded = httpRequest({
        host: this.#target.hostname,
        port: this.#target.port,
        method: request.method,
        path: request.url,
        headers: { ...request.headers, connection: "close" },
        agent: false
      })
      forwarded.on("error", () => resolve())
      forwarded.on("response", (answer) => {
        answer.resume()
        resolve()
      })
      let seen = 0
      request.on("data", (chunk: Buffer) => {
        const room = afterBytes - seen
        seen += chunk.length
        if (room > 0) forwarded.write(chunk.subarray(0, room))
        if (seen < afterBytes) return
        request.pause()
        setTimeout(() => {
          forwarded.destroy()
          request.socket.destroy()
          resolve()
        }, 50)
      })
      request.on("end", () => {
        forwarded.destroy()
        resolve()
      })
    })
  }
}
