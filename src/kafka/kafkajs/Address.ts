import { isIP } from "node:net"

/** Host and port of a broker. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** `host:port`, or `[v6]:port`. */
export const format = ({ host, port }: Address): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

/**
 * The name for TLS (SNI), absent for an IP address. A dot at the end of a host name is for the resolver only: RFC 6066
 * leaves it out here, and some servers end the handshake over it.
 */
export const serverName = (host: string): { readonly servername?: string } =>
  isIP(host) === 0 ? { servername: host.replace(/[.]$/u, "") } : {}

/** The address in `host:port` or `[v6]:port`; undefined for any other text. */
export const parse = (text: string): Address | undefined => {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/u.exec(text.trim())
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host === undefined || port < 1 || port > 65535 ? undefined : { host, port }
}
