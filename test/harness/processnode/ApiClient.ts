import { readFileSync } from "node:fs"
import type { IncomingMessage } from "node:http"
import { Agent, request } from "node:https"
import type { ApiServer } from "../../../scripts/services/ControlPlane.ts"

/** Anything of the API, as JSON. */
export interface Json {
  readonly [key: string]: any
}

/** The API server refused; `reason` is its word, such as `NotFound`. */
export class ApiRefusal extends Error {
  override readonly name = "ApiRefusal"
  readonly status: number
  readonly reason: string

  constructor(asked: string, status: number, body: Json) {
    super(`${asked}: ${status} ${body["message"] ?? ""}`)
    this.status = status
    this.reason = body["reason"] ?? ""
  }
}

/** One line of a watch. */
export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR"
  readonly object: Json
}

export type Patch = "merge-patch" | "strategic-merge-patch"

const answerMillis = 30_000

/** As a kubelet does: what did not come through on a machine that is busy is asked again, for about ten seconds. */
const attempts = 6

const isPassing = (error: unknown): boolean =>
  error instanceof ApiRefusal ? error.status === 429 || error.status >= 500 : true

/** The server ended an idle connection at the moment at which it was used again: most likely nothing was asked. */
class StaleConnection extends Error {
  override readonly name = "StaleConnection"
}

/**
 * Looks again and again until there is something; the test's own timeout is the limit, `within` a better message before
 * it.
 */
export const until = async <A>(
  what: string,
  look: () => Promise<A | undefined>,
  withinMillis = 60_000,
  everyMillis = 100
): Promise<A> => {
  const deadline = performance.now() + withinMillis
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`not within ${withinMillis / 1000} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, everyMillis))
  }
}

/** The API server as its administrator, in JSON. Paths are as in `/api/v1/namespaces/x/pods`. */
export class ApiClient {
  readonly #server: string
  readonly #token: string
  readonly #agent: Agent

  /** Throws for a kubeconfig that logs in by anything but a token and the file of an authority. */
  constructor({ caPem, kubeconfig, server, token }: ApiServer) {
    if (caPem === undefined || token === undefined)
      throw new Error(`${kubeconfig} names no token and file of an authority: nothing else is understood here`)
    this.#server = server
    this.#token = token
    this.#agent = new Agent({ ca: readFileSync(caPem), keepAlive: true })
  }

  get(path: string): Promise<Json> {
    return this.#json("GET", path)
  }

  /** Undefined when there is no such object. */
  find(path: string): Promise<Json | undefined> {
    return this.get(path).catch((error: unknown) => {
      if (error instanceof ApiRefusal && error.status === 404) return undefined
      throw error
    })
  }

  async list(path: string): Promise<ReadonlyArray<Json>> {
    return (await this.get(path))["items"]
  }

  create(path: string, object: Json): Promise<Json> {
    return this.#json("POST", path, object)
  }

  update(path: string, object: Json): Promise<Json> {
    return this.#json("PUT", path, object)
  }

  patch(path: string, patch: Json, kind: Patch = "merge-patch"): Promise<Json> {
    return this.#json("PATCH", path, patch, `application/${kind}+json`)
  }

  /** Does not mind when it is gone already. */
  async delete(path: string, options: Json = {}): Promise<void> {
    await this.#json("DELETE", path, options).catch((error: unknown) => {
      if (!(error instanceof ApiRefusal && error.status === 404)) throw error
    })
  }

  /** Reports changes until the server ends the watch, which resolves, or `signal` does; `path` holds the query. */
  async watch(path: string, signal: AbortSignal, report: (event: WatchEvent) => void): Promise<void> {
    const response = await this.#ask("GET", path, undefined, "application/json", signal)
    if (response.statusCode !== 200) throw await this.#refusal(`GET ${path}`, response)
    try {
      let text = ""
      response.setEncoding("utf8")
      for await (const chunk of response) {
        const lines = `${text}${chunk}`.split("\n")
        text = lines.pop() ?? ""
        for (const line of lines) report(JSON.parse(line) as WatchEvent)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** Closes what connections are idle. */
  close(): void {
    this.#agent.destroy()
  }

  /** A create is not repeated if it may have been carried out without an answer. */
  async #json(method: string, path: string, body?: Json, contentType = "application/json"): Promise<Json> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(method, path, body, contentType)
      } catch (error) {
        const mayBeRepeated = method !== "POST" || error instanceof StaleConnection
        if (!mayBeRepeated || attempt === attempts || !isPassing(error)) throw error
        await new Promise((resolve) => setTimeout(resolve, 2_000))
      }
    }
  }

  async #once(method: string, path: string, body: Json | undefined, contentType: string): Promise<Json> {
    const response = await this.#ask(method, path, body, contentType)
    if ((response.statusCode ?? 0) >= 300) throw await this.#refusal(`${method} ${path}`, response)
    return JSON.parse(await textOf(response)) as Json
  }

  async #refusal(asked: string, response: IncomingMessage): Promise<ApiRefusal> {
    const text = await textOf(response)
    const body = text.startsWith("{") ? (JSON.parse(text) as Json) : { message: text }
    return new ApiRefusal(asked, response.statusCode ?? 0, body)
  }

  #ask(method: string, path: string, body: Json | undefined, contentType: string, signal?: AbortSignal) {
    return new Promise<IncomingMessage>((resolve, reject) => {
      const content = body === undefined ? "" : JSON.stringify(body)
      const headers = {
        authorization: `Bearer ${this.#token}`,
        "content-type": contentType,
        // Node leaves it out of a DELETE, and the body is then taken for the next request.
        "content-length": Buffer.byteLength(content)
      }
      const asking = request(
        `${this.#server}${path}`,
        { method, agent: this.#agent, headers, timeout: answerMillis, ...(signal === undefined ? {} : { signal }) },
        (response) => {
          // A watch, which has a signal, may be silent once it has begun.
          if (signal !== undefined) asking.setTimeout(0)
          resolve(response)
        }
      )
      asking.once("timeout", () => {
        asking.destroy(new Error(`${method} ${path}: no answer within ${answerMillis / 1000} s`))
      })
      asking.once("error", (error: NodeJS.ErrnoException) => {
        const isStale = asking.reusedSocket && error.code === "ECONNRESET"
        reject(isStale ? new StaleConnection(`${method} ${path}: ${error.message}`, { cause: error }) : error)
      })
      asking.end(content)
    })
  }
}

const textOf = async (message: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
