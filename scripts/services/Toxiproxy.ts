import { accepts, type Fleet } from "./Fleet.ts"
import * as Ports from "./Ports.ts"
import { say } from "./Progress.ts"

/** A TCP proxy that disturbs its connections on demand, through an HTTP API. */
export interface Toxiproxy {
  /** Address of the API: `http://127.0.0.1:port`. The proxies that it makes listen on loopback. */
  readonly url: string
  readonly pid?: number
}

const bootMillis = 60_000

export const start = async (fleet: Fleet, binary: string): Promise<Toxiproxy> => {
  const [port] = await Ports.free(1)
  if (port === undefined) throw new Error("no free port")
  const server = fleet.start("toxiproxy", binary, ["-host", "127.0.0.1", "-port", String(port)])
  await server.ready(() => accepts("127.0.0.1", port), bootMillis)
  const url = `http://127.0.0.1:${port}`
  say(`toxiproxy: ready at ${url}`)
  return { url, pid: server.pid }
}
