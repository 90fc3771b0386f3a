import { createServer } from "node:net"

/**
 * Ports are taken from below Linux's ephemeral range (32768-60999), because a port from inside it can be lost to
 * somebody's outgoing connection between our look and the server's bind.
 */
const first = 20_000
const last = 32_000

const taken = new Set<number>()

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)))
  })

/** Free ports on 127.0.0.1; no two calls in this process return the same one. */
export const free = async (count: number): Promise<ReadonlyArray<number>> => {
  const ports: Array<number> = []
  while (ports.length < count) {
    const port = first + Math.floor(Math.random() * (last - first))
    if (taken.has(port)) continue
    taken.add(port)
    if (await canListen(port)) ports.push(port)
  }
  return ports
}
