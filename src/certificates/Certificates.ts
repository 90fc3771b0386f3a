import { X509Certificate } from "node:crypto"
import tls from "node:tls"

/** The lists of Node and of the system and NODE_EXTRA_CA_CERTS, so that authorities installed in the image count. */
export const publicAuthorities = (): ReadonlyArray<string> => [
  ...new Set([
    ...tls.getCACertificates("bundled"),
    ...tls.getCACertificates("system"),
    ...tls.getCACertificates("default")
  ])
]

/**
 * For a TLS context: every certificate of its `ca` is an authority, an intermediate one too, whoever has signed it. So
 * Java and Go understand such a list; cert-manager writes nothing but the issuing authority into `ca.crt`.
 */
export const anyIsTrusted = { allowPartialTrustChain: true } as const

/** The certificates of a file, without text between them such as `openssl s_client` writes. */
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
 * All certificates of a PEM file, or a message that says why the file is unusable; it calls the file `name` and never
 * quotes it. OpenSSL itself silently stops at the first damaged certificate.
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

/** True for Node's codes for a server certificate that no trusted authority has signed. */
export const isUntrusted = (code: string): boolean => untrusted.has(code)
