import * as http from "node:http"
import * as https from "node:https"
import type { Readable } from "node:stream"
import type * as Agents from "../cloud/Agents.ts"
import * as Answer from "../cloud/Answer.ts"

/** Answers other than an object's content are not longer than this: a page of a listing has about half a megabyte. */
const largestText = 32 * 1024 * 1024

/** An answer that is not the wished one; its body is the message. */
export class Refused extends Error {
  override readonly name = "Refused"
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
  constructor(status: number, headers: http.IncomingHttpHeaders, body: string) {
    super(`HTTP ${status}`)
    this.status = status
    this.headers = headers
    this.body = body
  }
}

export interface Request {
  readonly method: "GET" | "POST" | "DELETE"
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Made once per request; destroyed whatever becomes of it. */
  readonly body?: { readonly bytes: number; readonly stream: Readable }
  readonly signal: AbortSignal
}

export interface Client {
  /** Resolves with the head of a 2xx answer, its body unread. */
  readonly send: (request: Request) => Promise<http.IncomingMessage>
  readonly close: () => void
}

/** The whole body as text; an answer of unreasonable length is an error. */
export const textOf = async (answer: http.IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  let bytes = 0
  for await (const chunk of answer) {
    chunks.push(chunk as Buffer)
    bytes += (chunk as Buffer).byteLength
    if (bytes > largestText) throw new Error(`the answer has more than ${largestText} bytes`)
  }
  if (!answer.complete) throw new Error("the answer is incomplete")
  return Buffer.concat(chunks).toString("utf8")
}

/** Keeps connections; follows no redirect; repeats nothing. */
export const make = (agents: Agents.Agents): Client => {
  return {
    send: ({ body, headers, method, signal, url }) =>
      new Promise<http.IncomingMessage>((resolve, reject) => {
        const request = (url.startsWith("https:") ? https : http).request(url, {
          method,
          headers: { ...headers, ...(body === undefined ? {} : { "content-length": String(body.bytes) }) },
          agent: agents.of(url),
          signal
        })
        const end = () => body?.stream.destroy()
        request.once("error", (error) => {
          end()
          reject(error)
        })
        request.once("response", (answer) => {
          const status = answer.statusCode ?? 0
          if (status >= 200 && status < 300) {
            // An object of somebody else may be a page; the service says which generation it is.
            const isPage = Answer.isPage(answer.headers["content-type"])
            if (!isPage || answer.headers["x-goog-generation"] !== undefined) return resolve(answer)
            answer.destroy()
            return reject(new Answer.NotUnderstood("a web page answers"))
          }
          textOf(answer).then(
            (text) => reject(new Refused(status, answer.headers, text)),
            () => reject(new Refused(status, answer.headers, ""))
          )
          // The server may have refused a body that is still being sent.
          answer.once("close", () => {
            end()
            if (body !== undefined) request.destroy()
          })
        })
        if (body === undefined) {
          request.end()
          return
        }
        body.stream.once("error", (error) => request.destroy(error))
        body.stream.pipe(request)
      }),
    close: agents.close
  }
}
