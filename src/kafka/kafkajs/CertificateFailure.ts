import { AuthenticationFailed } from "../KafkaError.ts"
import type { KafkaTarget } from "../KafkaTarget.ts"

const untrusted = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_UNTRUSTED",
  "CERT_SIGNATURE_FAILURE",
  "INVALID_CA"
])

/** TLS alerts by which a server turns a client's certificate, or the lack of one, down. */
const aboutOurs =
  /CERTIFICATE_REQUIRED|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNKNOWN_CA|CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED|UNSUPPORTED_CERTIFICATE/u

/** Where the TLS material came from, for messages. */
export const tlsSecret = (target: KafkaTarget): string =>
  target.tls?.secret === undefined ? "the TLS configuration" : `Secret ${target.tls.secret}`

/** The Secret's keys, as the resource names them. */
export const keys = (material: KafkaTarget["tls"]) => ({
  ca: material?.caKey ?? "ca.crt",
  certificate: material?.certKey ?? "tls.crt",
  key: material?.keyKey ?? "tls.key"
})

/** Since when our own certificate is no longer valid, or from when it will be; undefined while it is valid. */
const lapse = (pem: string, nowMillis: number): string | undefined => {
  const { validFrom, validTo } = new X509Certificate(pem)
  if (Date.parse(validTo) < nowMillis) return `has expired on ${validTo}`
  return Date.parse(validFrom) > nowMillis ? `is not valid before ${validFrom}` : undefined
}

/** What is wrong with a certificate, theirs or ours, by Node's code; undefined for codes that are not about that. */
export const reason = (code: string, where: string, error: Error, target: KafkaTarget) => {
  const named = keys(target.tls)
  const from =
    target.tls?.ca === undefined
      ? "there is no tlsSecret, so the public and the system's authorities were asked"
      : `${named.ca} was asked`
  if (untrusted.has(code)) {
    return new AuthenticationFailed({
      detail: `${where}: the broker's certificate is not trusted (${code}; ${from})`,
      advice: `put the certificate authority that signed the brokers' certificates into ${tlsSecret(target)}, key ca.crt`,
      cause: error
    })
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return new AuthenticationFailed({
      detail: `${where}: the broker's certificate is for other names (${error.message})`,
      advice:
        "connect by a name that the certificate lists, in bootstrapServers and in the brokers' advertised.listeners, or have the certificate list this name",
      cause: error
    })
  }
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    return new AuthenticationFailed({
      detail: `${where}: the broker's certificate ${code === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet"}`,
      advice: `renew the broker's certificate, or the authority in ${tlsSecret(target)}, key ca.crt; check the clocks`,
      cause: error
    })
  }
  if (aboutOurs.test(code)) {
    const ours = target.tls?.certificate !== undefined
    return new AuthenticationFailed({
      detail: `${where}: the broker ${ours ? "refused our client certificate" : "requires a client certificate"} (${code})`,
      advice: ours
        ? `put a client certificate that the brokers trust into ${tlsSecret(target)}, keys tls.crt and tls.key`
        : `add a client certificate to ${tlsSecret(target)}, keys tls.crt and tls.key, or use a listener that asks for none`,
      cause: error
    })
  }
  return undefined
}
