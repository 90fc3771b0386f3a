import * as http from "node:http"
import * as https from "node:https"
import type { SecureContext } from "node:tls"
import * as Certificates from "../../certificates/Certificates.ts"

/** Sockets of one store: requests that wait for an answer, and bodies that are being read. */
const sockets = 256

/** The variables that name a proxy, as curl and most programs understand them; in small letters, too. */
export interface ProxyEnvironment {
  readonly HTTP_PROXY?: string | undefined
  readonly HTTPS_PROXY?: string | undefined
  /** Hosts that are reached directly: `host`, `.domain`, `host:port`, an IP address, `*`. */
  readonly NO_PROXY?: string | undefined
}

/** The connections to one store, through the proxy that the environment names. */
export interface Agents {
  readonly plain: http.Agent
  readonly secure: https.Agent
  /** The one for this address. */
  readonly of: (url: string) => http.Agent
  readonly close: () => void
}

/** How TLS is spoken with one store. */
export interface Tls {
  /** Absent: the public authorities, the system's and those of NODE_EXTRA_CA_CERTS are trusted. */
  readonly secureContext?: SecureContext
  /** The name of the server, where it is not that of its address. */
  readonly servername?: string
}

export const make = (tls: Tls = {}, env: ProxyEnvironment = process.env): Agents => {
  const options = { keepAlive: true, maxSockets: sockets, proxyEnv: { ...env } }
  const plain = new http.Agent(options)
  const secure = new https.Agent({ ...options, ...Certificates.anyIsTrusted, ...tls })
  return {
    plain,
    secure,
    of: (url) => (url.startsWith("https:") ? secure : plain),
    close: () => {
      plain.destroy()
      secure.destroy()
    }
  }
}
