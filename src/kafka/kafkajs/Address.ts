/** Host and port of a broker. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** `host:port`, or `[v6]:port`. */
export const format = ({ host, port }: Address): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

/** The address in `host:port` or `[v6]:port`; undefined for any other text. */
export const parse = (text: string): Address | undefined => {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/u.exec(text.trim())
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host === undefined || port < 1 || port > 65535 ? undefined : { host, port }
}
