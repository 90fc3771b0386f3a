import { X509Certificate } from "node:crypto"
import * as Certificates from "../../certificates/Certificates.ts"
import { KafkaAuthenticationFailed } from "../KafkaError.ts"
import type { KafkaTarget } from "../KafkaTarget.ts"

/** TLS alerts by which a server turns a client's certificate, or the lack of one, down. */
const aboutOurs =
  /CERTIFICATE_REQUIRED|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNKNOWN_CA|CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED|UNSUPPORTED_CERTIFICATE/u

/** True when the broker turned our client certificate down, or the lack of one. */
export const isRefusal = (error: Error): boolean => {
  const { code } = error as { readonly code?: unknown }
  return typeof code === "string" && aboutOurs.test(code)
}

/** Where the TLS material came from, for messages. */
export const tlsSecret = (target: KafkaTarget): string =>
  target.tls?.secret === undefined ? "the TLS configuration" : `Secret ${target.tls.secret}`

/** The Secret's keys, as the resource names them. */
export const keys = (material: KafkaTarget["tls"]) => ({
  ca: material?.caKey ?? "ca.crt",
  certificate: material?.certKey ?? "tls.crt",
  key: material?.keyKey ?? "tls.key"
})

/** That our own certificate is no longer valid, or not yet; undefined while it is, or where that cannot be told. */
const lapse = (pem: string, nowMillis: number): string | undefined => {
  try {
    const { validFrom, validTo } = new X509Certificate(pem)
    if (Date.parse(validTo) < nowMillis) return `has expired on ${validTo}`
    return Date.parse(validFrom) > nowMillis ? `is not valid before ${validFrom}` : undefined
  } catch {
    return undefined
  }
}

/** Whom the certificate of a host name mismatch is for, as Node reports it: `DNS:kafka.example, IP Address:10.0.0.1`. */
const names = (error: Error): string | undefined => {
  const { cert } = error as { readonly cert?: { readonly subjectaltname?: unknown } }
  return typeof cert?.subjectaltname === "string" ? cert.subjectaltname : undefined
}

/** What is wrong with a certificate, theirs or ours, by Node's code; undefined for codes that are not about that. */
export const reason = (code: string, where: string, error: Error, target: KafkaTarget) => {
  const named = keys(target.tls)
  const from =
    target.tls?.ca === undefined
      ? "there is no tlsSecret, so the public and the system's authorities were asked"
      : `${named.ca} was asked`
  if (Certificates.isUntrusted(code)) {
    return new KafkaAuthenticationFailed({
      detail: `${where}: the broker's certificate is not trusted (${code}; ${from})`,
      advice:
        target.tls?.secret === undefined
          ? `name a Secret in kafkaCluster.tlsSecret that holds the certificate authority of the brokers' certificates, as PEM in key ${named.ca}`
          : `put the certificate authority that signed the brokers' certificates into ${tlsSecret(target)}, key ${named.ca}`,
      cause: error
    })
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return new KafkaAuthenticationFailed({
      detail: `${where}: the broker's certificate is for other names: ${names(error) ?? error.message}`,
      advice:
        "connect by a name that the certificate lists, in bootstrapServers and in the brokers' advertised.listeners, or have the certificate list this name",
      cause: error
    })
  }
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    return new KafkaAuthenticationFailed({
      detail: `${where}: the broker's certificate ${code === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet"}`,
      advice:
        target.tls?.secret === undefined
          ? "renew the broker's certificate, or its authority's; check the clocks"
          : `renew the broker's certificate, or the authority in ${tlsSecret(target)}, key ${named.ca}; check the clocks`,
      cause: error
    })
  }
  if (aboutOurs.test(code)) {
    const pair = `${tlsSecret(target)}, keys ${named.certificate} and ${named.key}`
    const ours = target.tls?.certificate
    if (ours === undefined) {
      return new KafkaAuthenticationFailed({
        detail: `${where}: the broker requires a client certificate (${code})`,
        advice:
          target.tls?.secret === undefined
            ? `name a Secret in kafkaCluster.tlsSecret with the authority and a client certificate (keys ${named.ca}, ${named.certificate}, ${named.key}), or use a listener that asks for none`
            : `add a client certificate to ${pair}, or use a listener that asks for none`,
        cause: error
      })
    }
    const lapsed = lapse(ours, Date.now())
    return new KafkaAuthenticationFailed({
      detail: `${where}: the broker refused our client certificate${lapsed === undefined ? "" : `, which ${lapsed}`} (${code})`,
      advice: `put a client certificate that ${lapsed === undefined ? "the brokers trust" : "is valid now"} into ${pair}`,
      cause: error
    })
  }
  return undefined
}
