import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"

/** Seen from the client: `up` is what it sends, `down` what it is answered. */
export type Direction = "up" | "down"

interface Pair {
  readonly client: Socket
  readonly server: Socket
}

/**
 * A network between a client and the API server that goes bad on purpose. It passes bytes on and knows nothing of TLS,
 * so the server's certificate stays valid.
 */
export class WireProxy {
  readonly #listener: Server
  readonly #pairs = new Set<Pair>()
  readonly #holes = new Set<Direction>()
  #latencyMillis = 0
  #accepted = 0

  private constructor(target: URL) {
    this.#listener = createServer((client) => {
      this.#accepted++
      const server = connect(Number(target.port), target.hostname)
      const pair = { client, server }
      this.#pairs.add(pair)
      const end = () => {
        this.#pairs.delete(pair)
        client.destroy()
        server.destroy()
      }
      for (const socket of [client, server]) {
        socket.setNoDelay(true)
        socket.on("error", end)
        socket.on("close", end)
      }
      client.on("data", (chunk: Buffer) => this.#pass("up", pair, chunk))
      server.on("data", (chunk: Buffer) => this.#pass("down", pair, chunk))
      this.#apply(pair)
    })
  }

  /** On loopback, before `server`, an `https://host:port`. */
  static async before(server: string): Promise<WireProxy> {
    const proxy = new WireProxy(new URL(server))
    await new Promise<void>((resolve) => proxy.#listener.listen(0, "127.0.0.1", resolve))
    return proxy
  }

  /** What to call the server by instead. */
  get address(): string {
    return `https://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`
  }

  /** Connections since the beginning. */
  get accepted(): number {
    return this.#accepted
  }

  /** Every connection that stands is reset. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
  }

  /** Every byte comes this much later, in both directions. */
  slow(latencyMillis: number): void {
    this.#latencyMillis = latencyMillis
  }

  /** No byte passes, of old connections and of new ones, until `heal`; what was sent meanwhile arrives then. */
  swallow(...directions: ReadonlyArray<Direction>): void {
    for (const direction of directions) this.#holes.add(direction)
    for (const pair of this.#pairs) this.#apply(pair)
  }

  /** As a firewall that loses its table: connections that stand are silent for ever, and new ones work. */
  forget(): void {
    for (const { client, server } of this.#pairs) {
      client.pause()
      client.removeAllListeners("data")
      server.removeAllListeners("data")
      server.destroy()
      server.removeAllListeners("close")
    }
  }

  heal(): void {
    this.#holes.clear()
    this.#latencyMillis = 0
    for (const pair of this.#pairs) this.#apply(pair)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#listener.close(resolve))
  }

  #apply({ client, server }: Pair): void {
    const set = (socket: Socket, isHole: boolean) => (isHole ? socket.pause() : socket.resume())
    set(client, this.#holes.has("up"))
    set(server, this.#holes.has("down"))
  }

  #pass(direction: Direction, { client, server }: Pair, chunk: Buffer): void {
    const to = direction === "up" ? server : client
    const write = () => {
      if (!to.destroyed) to.write(chunk)
    }
    // Equal delays keep the order.
    if (this.#latencyMillis > 0) setTimeout(write, this.#latencyMillis)
    else write()
  }
}
