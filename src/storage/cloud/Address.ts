import * as KeyRules from "../KeyRules.ts"

/** A key prefix as a user may write it, without the slashes around it; empty for the root. */
export const prefixOf = (target: { readonly prefix?: string }): string =>
  (target.prefix ?? "").replace(/^\/+|\/+$/gu, "")

/** What stands before every key: nothing, or the prefix with one slash behind it. */
export const rootOf = (target: { readonly prefix?: string }): string => {
  const prefix = prefixOf(target)
  return prefix === "" ? "" : `${prefix}/`
}

/** Why a prefix, without slashes around it, cannot stand before keys; or undefined. */
export const prefixRefusal = (prefix: string): string | undefined => {
  const refused = prefix === "" ? undefined : KeyRules.refusal(prefix)
  return refused === undefined ? undefined : `prefix ${KeyRules.shown(prefix)}: ${refused}`
}

/**
 * Why a URL cannot be the address of a store, or undefined; the URL itself is never quoted, for it may carry a
 * password. Addresses of cloud metadata services are never stores.
 */
export const endpointRefusal = (endpoint: string): string | undefined => {
  const refused = urlRefusal(endpoint)
  return refused === undefined ? undefined : `the endpoint is not usable: ${refused}`
}

/**
 * Options of an HTTPS agent for one endpoint whose host name ends with a dot: the name for TLS has none (RFC 6066), and
 * some servers end the handshake over it. Empty for every other endpoint.
 */
export const serverName = (endpoint: string | undefined): { readonly servername?: string } => {
  const host = endpoint === undefined ? "" : new URL(endpoint).hostname
  return host.endsWith(".") ? { servername: host.slice(0, -1) } : {}
}

const urlRefusal = (endpoint: string): string | undefined => {
  if (!URL.canParse(endpoint)) return "it is not a URL such as https://host:port"
  const url = new URL(endpoint)
  if (url.protocol !== "http:" && url.protocol !== "https:") return "it must begin with http:// or https://"
  if (url.username !== "" || url.password !== "") return "it must not contain credentials: name a Secret instead"
  if (url.search !== "" || url.hash !== "") return "it must not have a query or a fragment"
  const host = url.hostname.replace(/^\[|\]$/gu, "")
  if (
    host.startsWith("169.254.") ||
    /^metadata[.]google[.]internal[.]?$/u.test(host) ||
    /^fe[89ab]/iu.test(host) ||
    /^fd00:ec2::/iu.test(host) ||
    /^::ffff:a9fe:/iu.test(host)
  ) {
    return "link-local and metadata addresses are not allowed"
  }
  return undefined
}
