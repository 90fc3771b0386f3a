import { X509Certificate } from "node:crypto"
import tls from "node:tls"
import type { Authorities } from "../StorageTarget.ts"

/** One certificate of the Secret, and when it ends. */
export interface Authority {
  readonly subject: string
  readonly validToMillis: number
}

/** What of them is usable: parsed once, for every connection. */
export interface Trust {
  readonly secureContext: tls.SecureContext
  readonly authorities: ReadonlyArray<Authority>
}

/** The certificates of a PEM file one by one; text between them, as `openssl s_client` writes, does not count. */
const blocks = (pem: string): ReadonlyArray<string> =>
  pem.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/gu) ?? []

const parsed = (pem: string): X509Certificate | undefined => {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

/** Node's own list, the system's, and what NODE_EXTRA_CA_CERTS adds. */
const publicAuthorities = (): ReadonlyArray<string> => [
  ...tls.getCACertificates("bundled"),
  ...tls.getCACertificates("system"),
  ...tls.getCACertificates("default")
]

/**
 * Trust in these authorities, and in all that are trusted anyway; a text says why the PEM cannot be used, and never quotes
 * it. OpenSSL itself would silently stop at the first certificate that is damaged.
 */
export const trust = ({ pem, origin }: Authorities): Trust | string => {
  const all = blocks(pem)
  const begun = pem.match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/gu)?.length ?? 0
  if (begun === 0) return `${origin.key} holds no PEM certificate`
  const certificates: Array<X509Certificate> = []
  for (const [index, block] of all.entries()) {
    const certificate = parsed(block)
    if (certificate === undefined) return `certificate ${index + 1} of ${origin.key} is damaged`
    certificates.push(certificate)
  }
  if (all.length < begun) return `a certificate of ${origin.key} is cut off`
  const authorities = certificates.map(({ subject, validTo }) => ({
    subject: subject.replaceAll("\n", ", "),
    validToMillis: Date.parse(validTo)
  }))
  try {
    const ca = [...new Set([...publicAuthorities(), ...certificates.map(String)])]
    return { secureContext: tls.createSecureContext({ ca }), authorities }
  } catch {
    return `the certificates of ${origin.key} cannot be used`
  }
}
