import { X509Certificate } from "node:crypto"
import * as Certificates from "../../certificates/Certificates.ts"
import { KafkaAuthenticationFailed } from "../KafkaError.ts"
import type { KafkaTarget } from "../KafkaTarget.ts"

/** TLS alerts with which a server refuses a client certificate, or its absence. */
const clientCertificateAlerts =
  /CERTIFICATE_REQUIRED|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNKNOWN_CA|CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED|UNSUPPORTED_CERTIFICATE/u

/** True if the broker refused the client certificate, or its absence. */
export const isRefusal = (error: Error): boolean => {
  const { code } = error as { readonly code?: unknown }
  return typeof code === "string" && clientCertificateAlerts.test(code)
}

/** The source of the TLS files, for messages. */
export const tlsSecret = (target: KafkaTarget): string =>
  target.tls?.secret === undefined ? "the TLS configuration" : `Secret ${target.tls.secret}`

/** The Secret with the authorities; undefined where those of the system count. */
const authorities = ({ tls }: KafkaTarget): string | undefined => tls?.caSecret ?? tls?.secret

/** Every source of TLS files, for messages. */
export const tlsSecrets = (target: KafkaTarget): ReadonlyArray<string> => {
  const { caSecret, secret } = target.tls ?? {}
  return [
    ...(caSecret === undefined ? [] : [`Secret ${caSecret}`]),
    ...(secret === undefined && caSecret !== undefined ? [] : [tlsSecret(target)])
  ]
}

/** The keys of the Secret, as the resource names them. */
export const keys = (material: KafkaTarget["tls"]) => ({
  ca: material?.caKey ?? "ca.crt",
  certificate: material?.certKey ?? "tls.crt",
  key: material?.keyKey ?? "tls.key"
})

/** Why the client certificate is not valid at this time; undefined if it is valid or unreadable. */
const invalidity = (pem: string, nowMillis: number): string | undefined => {
  try {
    const { validFrom, validTo } = new X509Certificate(pem)
    if (Date.parse(validTo) < nowMillis) return `expired on ${validTo}`
    return Date.parse(validFrom) > nowMillis ? `is not valid before ${validFrom}` : undefined
  } catch {
    return undefined
  }
}

/**
 * The names in the certificate of a host name mismatch, as Node reports them: `DNS:kafka.example, IP Address:10.0.0.1`.
 */
const names = (error: Error): string | undefined => {
  const { cert } = error as { readonly cert?: { readonly subjectaltname?: unknown } }
  return typeof cert?.subjectaltname === "string" ? cert.subjectaltname : undefined
}

/** What is wrong with the broker's or the client's certificate, by Node's code; undefined for other codes. */
export const reason = (code: string, where: string, error: Error, target: KafkaTarget) => {
  const named = keys(target.tls)
  const trusted = authorities(target)
  const from =
    target.tls?.ca === undefined
      ? "not signed by a public or system authority, and neither caSecret nor tlsSecret names another one"
      : `not signed by an authority in ${named.ca}`
  if (Certificates.isUntrusted(code)) {
    return new KafkaAuthenticationFailed({
      detail: `${where}: the broker's certificate is not trusted: ${from} (${code})`,
      advice:
        trusted === undefined
          ? `set kafkaCluster.caSecret to a Secret with the certificate authority of the brokers, as PEM in key ${named.ca}; where they want a client certificate too, tlsSecret may hold both`
          : `put the certificate authority that signed the brokers' certificates into Secret ${trusted}, key ${named.ca} (kafkaCluster.${target.tls?.caSecret === undefined ? "tlsSecret" : "caSecret"})`,
      cause: error
    })
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return new KafkaAuthenticationFailed({
      detail: `${where}: the broker's certificate is for other names: ${names(error) ?? error.message}`,
      advice:
        "use a name from the certificate in bootstrapServers and in the brokers' advertised.listeners, or add this name to the certificate",
      cause: error
    })
  }
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    return new KafkaAuthenticationFailed({
      detail: `${where}: the broker's certificate ${code === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet"}`,
      advice:
        trusted === undefined
          ? "renew the broker's certificate or the certificate of its authority, and check the clocks"
          : `renew the broker's certificate or the authority in Secret ${trusted}, key ${named.ca}, and check the clocks`,
      cause: error
    })
  }
  if (clientCertificateAlerts.test(code)) {
    const pair = `${tlsSecret(target)}, keys ${named.certificate} and ${named.key}`
    const ours = target.tls?.certificate
    if (ours === undefined) {
      return new KafkaAuthenticationFailed({
        detail: `${where}: the broker requires a client certificate (${code})`,
        advice:
          target.tls?.secret === undefined
            ? target.tls?.caSecret === undefined
              ? `set kafkaCluster.tlsSecret to a Secret with the authority and a client certificate (keys ${named.ca}, ${named.certificate}, ${named.key}), or use a listener without client certificates`
              : "set kafkaCluster.tlsSecret, beside caSecret, to a Secret with a client certificate, or use a listener without client certificates"
            : `add a client certificate to ${pair}, or use a listener without client certificates`,
        cause: error
      })
    }
    const invalid = invalidity(ours, Date.now())
    return new KafkaAuthenticationFailed({
      detail: `${where}: the broker refused the client certificate${invalid === undefined ? "" : `, which ${invalid}`} (${code})`,
      advice: `put a client certificate that ${invalid === undefined ? "the brokers trust" : "is valid now"} into ${pair}`,
      cause: error
    })
  }
  return undefined
}
