import { createServer, type IncomingMessage, request as send } from "node:http"
import type { AddressInfo } from "node:net"

/** What stands in front of a store says instead of it; undefined lets the request through. */
export type Intercept = (
  request: IncomingMessage
) => { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } | undefined

/** A load balancer before a real store: passes every request on, unless it answers itself. */
export class StoreFront implements AsyncDisposable {
  readonly address: string
  /** Requests that were not passed on, such as `DELETE /bucket/key`. */
  readonly answered: Array<string> = []
  intercept: Intercept = () => undefined
  readonly #server: ReturnType<typeof createServer>

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server
    this.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async before(endpoint: string): Promise<StoreFront> {
    const { hostname, port } = new URL(endpoint)
    const server = createServer((request, response) => {
      const answer = front.intercept(request)
      const { headers, method, url = "/" } = request
      if (answer !== undefined) {
        front.answered.push(`${method} ${decodeURIComponent(url)}`)
        // As nginx does it: what the client still sends is read and dropped, so that it can read the answer.
        response.writeHead(answer.status, answer.headers)
        response.end(method === "HEAD" ? undefined : answer.body)
        request.resume()
        return
      }
      const onward = send({ host: hostname, port, path: url, method, headers }, (told) => {
        response.writeHead(told.statusCode ?? 0, told.headers)
        told.pipe(response)
      })
      onward.on("error", () => response.destroy())
      request.pipe(onward)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const front = new StoreFront(server)
    return front
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** A web page, as proxies and ingresses answer. */
export const page = (status: number, title: string) => ({
  status,
  headers: { "content-type": "text/html" },
  body: `<html>\r\n<head><title>${title}</title></head>\r\n<body><center><h1>${title}</h1></center></body>\r\n</html>\r\n`
})
