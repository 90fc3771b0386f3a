import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"

/** Bytes on their way; a sender who is further ahead waits, as for the window of TCP. */
const mostOnTheWay = 64 * 1024 * 1024

/** A far network on loopback: what the server answers comes so much later, in order, however much is on its way. */
export class DelayingProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** How much later answers come. */
  millis = 0

  private constructor(host: string, port: number) {
    this.#server = createServer((client) => {
      const server = connect(port, host)
      for (const [one, other] of [
        [client, server],
        [server, client]
      ] as const) {
        this.#sockets.add(one)
        one.setNoDelay(true)
        one.on("error", () => other.destroy())
        one.on("close", () => {
          this.#sockets.delete(one)
          other.destroy()
        })
      }
      client.pipe(server)
      let onTheWay = 0
      server.on("data", (bytes: Buffer) => {
        onTheWay += bytes.length
        if (onTheWay > mostOnTheWay) server.pause()
        const arrive = () => {
          onTheWay -= bytes.length
          if (server.isPaused() && onTheWay <= mostOnTheWay) server.resume()
          if (!client.destroyed) client.write(bytes)
        }
        // Timers of one length fire in the order in which they were set.
        setTimeout(arrive, this.millis)
      })
    })
  }

  /** Before `target`, a `host:port`. */
  static async before(target: string): Promise<DelayingProxy> {
    const [host = "", port] = target.split(":")
    const proxy = new DelayingProxy(host, Number(port))
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
