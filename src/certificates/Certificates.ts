import { X509Certificate } from "node:crypto"
import tls from "node:tls"

/** Node's own list, the system's, and what NODE_EXTRA_CA_CERTS adds: a company's authority installed in the image counts too. */
export const publicAuthorities = (): ReadonlyArray<string> => [
  ...new Set([
    ...tls.getCACertificates("bundled"),
    ...tls.getCACertificates("system"),
    ...tls.getCACertificates("default")
  ])
]

/** One by one; text between them, as `openssl s_client` writes, does not count. */
const blocks = (pem: string): ReadonlyArray<string> =>
  pem.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/gu) ?? []

const parsed = (pem: string): X509Certificate | undefined => {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

/**
 * The certificates of a PEM file, all of them; or a text that says why they cannot be used, which calls the file `name` and never quotes
 * it. OpenSSL itself would silently stop at the first certificate that is damaged.
 */
export const read = (name: string, pem: string): ReadonlyArray<X509Certificate> | string => {
  const begun = pem.match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/gu)?.length ?? 0
  if (begun === 0) return `${name} holds no PEM certificate`
  const certificates: Array<X509Certificate> = []
  for (const [index, block] of blocks(pem).entries()) {
    const certificate = parsed(block)
    if (certificate === undefined) return `certificate ${index + 1} of ${name} is damaged`
    certificates.push(certificate)
  }
  return certificates.length < begun ? `a certificate of ${name} is cut off` : certificates
}

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

/** True for Node's codes which say that nobody whom we trust signed the server's certificate. */
export const isUntrusted = (code: string): boolean => untrusted.has(code)
