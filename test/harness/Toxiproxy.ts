/*
 * A network between the product and a service that goes bad on purpose: one proxy of a running toxiproxy. It knows
 * nothing of HTTP; what FaultProxy does to requests, this does to connections.
 */

/** What happens to the bytes. `upstream` is what the client sends, `downstream` what it is answered. */
export type Toxic =
  | {
      readonly type: "latency"
      readonly stream: Stream
      readonly attributes: { readonly latency: number; readonly jitter: number }
    }
  /** `rate` in KB/s. */
  | { readonly type: "bandwidth"; readonly stream: Stream; readonly attributes: { readonly rate: number } }
  /** The connection is reset, `timeout` milliseconds after it has first carried something. */
  | { readonly type: "reset_peer"; readonly stream: Stream; readonly attributes: { readonly timeout: number } }
  /** The connection is closed after so many bytes. */
  | { readonly type: "limit_data"; readonly stream: Stream; readonly attributes: { readonly bytes: number } }

type Stream = "upstream" | "downstream"

interface Described {
  /** `host:port` where it listens. */
  readonly listen: string
  readonly toxics: ReadonlyArray<{ readonly name: string }>
}

export class Toxiproxy {
  readonly #proxy: string
  /** `host:port` where clients find the service behind it. */
  readonly address: string

  private constructor(proxy: string, address: string) {
    this.#proxy = proxy
    this.address = address
  }

  /** A proxy on loopback before `upstream`, a `host:port`; `url` is toxiproxy's API. */
  static async before(url: string, upstream: string, name: string): Promise<Toxiproxy> {
    const asked = { name, listen: "127.0.0.1:0", upstream, enabled: true }
    const { listen } = (await call("POST", `${url}/proxies`, asked)) as Described
    return new Toxiproxy(`${url}/proxies/${name}`, listen)
  }

  /** Also for connections that stand already. */
  async poison(...toxics: ReadonlyArray<Toxic>): Promise<void> {
    for (const toxic of toxics) await call("POST", `${this.#proxy}/toxics`, toxic)
  }

  /** From now on connections are refused; those that stand are closed. */
  async disable(): Promise<void> {
    await call("POST", this.#proxy, { enabled: false })
  }

  /** Takes back everything. */
  async calm(): Promise<void> {
    const { toxics } = (await call("GET", this.#proxy)) as Described
    for (const { name } of toxics) await call("DELETE", `${this.#proxy}/toxics/${name}`)
    await call("POST", this.#proxy, { enabled: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await call("DELETE", this.#proxy)
  }
}

const call = async (method: string, url: string, body?: object): Promise<unknown> => {
  const answer = await fetch(url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${url}: HTTP ${answer.status} ${text}`)
  return text === "" ? undefined : JSON.parse(text)
}
