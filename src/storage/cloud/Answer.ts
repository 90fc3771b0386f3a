import * as Quoted from "../../redaction/Quoted.ts"

/** Reading what servers and client libraries say of a failure, whatever its type. */

export const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined

/** A string with something in it. */
export const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

/** A `Retry-After` header, seconds or a date, in milliseconds from now. */
export const retryAfterMillis = (header: unknown, nowMillis: number): number | undefined => {
  const value = text(header)
  if (value === undefined) return undefined
  const millis = /^\d+$/u.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMillis
  return Number.isFinite(millis) ? Math.max(0, millis) : undefined
}

/** One line of at most 300 characters in which no secret stands, in whatever encoding. */
export const scrubbed = (message: string, secrets: ReadonlyArray<string>): string => {
  const plain = secrets
    .filter((secret) => secret !== "")
    .toSorted((a, b) => b.length - a.length)
    .reduce((left, secret) => left.replaceAll(secret, "<redacted>"), message)
  return Quoted.without(plain, secrets).replace(/\s+/gu, " ").trim().slice(0, 300)
}

/** Node's code for a broken connection (ECONNREFUSED, CERT_HAS_EXPIRED), wherever in the chain of causes it stands. */
export const transportCode = (error: unknown): string | undefined => {
  for (let at = error, depth = 0; at !== undefined && depth < 5; at = field(at, "cause"), depth++) {
    const code = text(field(at, "code"))
    if (code !== undefined && (networkCode.test(code) || certificateCode.test(code))) return code
  }
  return undefined
}

/** Not the codes of files: a token file that is not there is no broken connection. */
const networkCode = /^E(CONN|HOST|NET|ADDR|PIPE|TIMEDOUT|SOCKETTIMEDOUT|NOTFOUND|AI_AGAIN)[A-Z]*$/u
const certificateCode =
  /^(CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$|ERR_TLS_|ERR_SSL_|EPROTO$|HPE_)/u

/** True for failures of TLS, and of plain text where TLS was expected: waiting does not cure them. */
export const isCertificateFailure = (code: string): boolean => certificateCode.test(code)

/** True for a web page: no store sends one. Servers and proxies do, with any status. */
export const isPage = (contentType: unknown): boolean => /\bx?html\b/iu.test(text(contentType) ?? "")

/** What to say of a web page in place of an answer: its title, else its first heading, and never the whole page. */
export const pageMessage = (body: string): string => {
  const title = /<(?:title|h1)[^>]*>\s*([^<]{1,200})/iu.exec(body)?.[1]?.trim() ?? ""
  return title === "" ? "a web page answers" : `a web page answers: ${title}`
}

/** HTTP statuses with which every server says that another moment may do. */
export const isPassing = (status: number | undefined): boolean =>
  status === 408 || status === 429 || (status !== undefined && status >= 500 && status !== 501 && status !== 507)

/** An answer that came whole and well, and is not what the store was asked for: somebody else seems to answer. */
export class NotUnderstood extends Error {
  override readonly name = "NotUnderstood"
}
