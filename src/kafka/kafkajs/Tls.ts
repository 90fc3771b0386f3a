import { Effect, Redacted } from "effect"
import { createPrivateKey, X509Certificate } from "node:crypto"
import tls, { type ConnectionOptions } from "node:tls"
import { AuthenticationFailed } from "../KafkaError.ts"
import * as CertificateFailure from "./CertificateFailure.ts"
import type { KafkaTarget } from "../KafkaTarget.ts"

type Material = NonNullable<KafkaTarget["tls"]>

/** Node's own list and the system's, so that a company's authority installed in the image counts too. */
const publicAuthorities = (): Array<string> => [
  ...new Set([
    ...tls.getCACertificates("bundled"),
    ...tls.getCACertificates("system"),
    ...tls.getCACertificates("default")
  ])
]

const isEncrypted = (key: string): boolean =>
  key.includes("BEGIN ENCRYPTED PRIVATE KEY") || key.includes("Proc-Type: 4,ENCRYPTED")

/** The certificates of a PEM file one by one; text between them, as `openssl s_client` writes, does not count. */
const blocks = (pem: string): ReadonlyArray<string> =>
  pem.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/gu) ?? []

const isCertificate = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).subject !== null
  } catch {
    return false
  }
}

/** Why a PEM file of certificates cannot be used. OpenSSL itself would silently stop at the first one that is damaged. */
const damage = (key: string, pem: string): string | undefined => {
  const all = blocks(pem)
  const begun = pem.match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/gu)?.length ?? 0
  const bad = all.findIndex((block) => !isCertificate(block))
  if (begun <= 1 && (bad === 0 || all.length === 0)) return `${key} is not a PEM certificate`
  if (bad >= 0) return `certificate ${bad + 1} of ${key} is damaged`
  return all.length < begun ? `a certificate of ${key} is cut off` : undefined
}

/** What is wrong with the material, as far as it shows before connecting. Never quotes it. */
const problem = (material: Material): string | undefined => {
  const { ca, certificate, key } = CertificateFailure.keys(material)
  const privateKey = material.key === undefined ? undefined : Redacted.value(material.key)
  if (material.certificate !== undefined && privateKey === undefined) {
    return `${certificate} is there, but ${key} is missing`
  }
  if (material.certificate === undefined && privateKey !== undefined) {
    return `${key} is there, but ${certificate} is missing`
  }
  if (privateKey !== undefined && isEncrypted(privateKey)) {
    return `${key} is encrypted; only keys without a passphrase can be used`
  }
  return (
    (material.ca === undefined ? undefined : damage(ca, material.ca)) ??
    (material.certificate === undefined ? undefined : damage(certificate, material.certificate)) ??
    (material.certificate === undefined || privateKey === undefined
      ? undefined
      : strangeness(key, privateKey, certificate, material.certificate))
  )
}

/** Why key and certificate are no pair. OpenSSL itself takes an EC key beside an RSA certificate, and then uses neither. */
const strangeness = (key: string, privateKey: string, certificate: string, pem: string): string | undefined => {
  try {
    const isPair = new X509Certificate(pem).checkPrivateKey(createPrivateKey(privateKey))
    return isPair ? undefined : `${key} does not belong to ${certificate}`
  } catch {
    return `${key} is not a PEM private key`
  }
}

const unusable = (material: Material, detail: string, cause?: unknown) => {
  const { ca, certificate, key } = CertificateFailure.keys(material)
  const where = material.secret === undefined ? "the TLS configuration" : `Secret ${material.secret}`
  return new AuthenticationFailed({
    detail: `${where}: ${detail}`,
    advice: `correct ${where}: the authorities in ${ca}, and for a client certificate ${certificate} and an unencrypted ${key}, all PEM`,
    ...(cause === undefined ? {} : { cause })
  })
}

/** Options for every connection of this target; undefined where it uses no TLS. The material is parsed once. */
export const options = (
  material: Material | undefined
): Effect.Effect<ConnectionOptions | undefined, AuthenticationFailed> => {
  if (material === undefined) return Effect.succeed(undefined)
  const wrong = problem(material)
  if (wrong !== undefined) return Effect.fail(unusable(material, wrong))
  return Effect.try({
    try: () => ({
      secureContext: tls.createSecureContext({
        ca: material.ca ?? publicAuthorities(),
        ...(material.certificate === undefined ? {} : { cert: material.certificate }),
        ...(material.key === undefined ? {} : { key: Redacted.value(material.key) })
      })
    }),
    catch: (cause) => unusable(material, "its certificates cannot be used", cause)
  })
}
