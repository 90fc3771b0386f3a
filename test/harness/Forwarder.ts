import { connect, createServer, type Server, type Socket } from "node:net"

/** Passes the connections of one address on to another, as the network of a cluster does for a Service. */
export class Forwarder {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((client) => {
      const server = connect(target.port, target.host)
      for (const [one, other] of [
        [client, server],
        [server, client]
      ] as const) {
        this.#sockets.add(one)
        one.on("error", () => other.destroy())
        one.on("close", () => {
          this.#sockets.delete(one)
          other.destroy()
        })
        one.pipe(other)
      }
    })
  }

  static async start(
    listen: { readonly host: string; readonly port: number },
    target: { readonly host: string; readonly port: number }
  ): Promise<Forwarder> {
    const forwarder = new Forwarder(target)
    await new Promise<void>((resolve, reject) => {
      forwarder.#server.once("error", reject)
      forwarder.#server.listen(listen, resolve)
    })
    return forwarder
  }

  /** Breaks the connections that are open. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
