import { createHash } from "node:crypto"
import type { RequestOptions } from "node:https"
import type { KubeConfig } from "@kubernetes/client-node"
import { Effect } from "effect"
import { Agent, type Dispatcher, ProxyAgent } from "undici"
import { KubernetesConfigError } from "./Configuration.ts"

const tlsFields = ["ca", "cert", "key", "passphrase", "pfx", "rejectUnauthorized", "servername"] as const

type Tls = { readonly [field in (typeof tlsFields)[number]]?: unknown }

/** The API server's address and the credentials of a request. */
export interface Login {
  /** `https://10.0.0.1:443`, with the server's path if it has one, without a trailing slash. */
  readonly server: string
  /** Credentials that are sent as headers. */
  readonly headers: Readonly<Record<string, string>>
  /** Options of `node:tls`. */
  readonly tls: Tls
  readonly proxy: string | undefined
}

/** Reads the files that the configuration names, or runs its program: the present tokens and certificates. */
export const of = (config: KubeConfig): Effect.Effect<Login, KubernetesConfigError> =>
  Effect.tryPromise({
    try: async () => {
      const cluster = config.getCurrentCluster()
      const options: RequestOptions = {}
      await config.applyToHTTPSOptions(options)
      const headers: Record<string, string> = {}
      for (const [name, value] of Object.entries(options.headers ?? {}))
        headers[name.toLowerCase()] = String(value).trim()
      const tokenFile = config.getCurrentUser()?.authProvider?.config?.tokenFile
      // While a file is written in place, it is empty for a moment. Without a token, a request is anonymous, and the
      // server forbids it instead of asking for new credentials.
      if (tokenFile !== undefined && /^(?:Bearer)?$/u.test(headers["authorization"] ?? "")) {
        throw new Error(`the token file ${tokenFile} is empty`)
      }
      // `user:password`
      if (typeof options.auth === "string") {
        headers["authorization"] = `Basic ${Buffer.from(options.auth).toString("base64")}`
      }
      const tls: Tls = Object.fromEntries(
        tlsFields.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]))
      )
      return {
        server: (cluster?.server ?? "").replace(/\/+$/u, ""),
        headers,
        tls,
        proxy: cluster?.proxyUrl
      }
    },
    catch: (cause) =>
      new KubernetesConfigError({
        detail: `cannot log in to the API server: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause
      })
  }).pipe(
    Effect.filterOrFail(
      ({ proxy }) => proxy === undefined || /^https?:/u.test(proxy),
      () =>
        new KubernetesConfigError({
          detail: "the proxy to the API server is not supported: only http:// and https:// proxies are"
        })
    )
  )

/** Text of a certificate or key (bytes or text) or of a plain option. */
const textOf = (value: unknown): string =>
  Buffer.isBuffer(value) ? value.toString("latin1") : (JSON.stringify(value) ?? "")

/** Equal for logins that can share connections. */
export const fingerprint = ({ proxy, server, tls }: Login): string =>
  createHash("sha256")
    .update(JSON.stringify([server, proxy ?? "", ...tlsFields.map((name) => textOf(tls[name]))]))
    .digest("hex")

/**
 * Connections for this login, kept open between requests. HTTP/1.1 only: each watch has a connection of its own, so one
 * that hangs blocks no other request. Has no timeouts of its own: callers set them.
 */
export const dispatcher = ({ proxy, tls }: Login): Dispatcher => {
  const common = { allowH2: false, headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 30_000 }
  // Every 30 s, because load balancers forget silent connections after about a minute.
  const connect = { keepAlive: true, keepAliveInitialDelay: 30_000, timeout: 10_000 }
  // Every certificate of the file is an authority, an intermediate one too, as kubectl understands it.
  const secured = { ...connect, allowPartialTrustChain: true, ...(tls as object) }
  return proxy === undefined
    ? new Agent({ ...common, connect: secured })
    : new ProxyAgent({ ...common, uri: proxy, requestTls: secured, connect })
}
