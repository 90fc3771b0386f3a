import { Effect, Redacted } from "effect"
import { createPrivateKey, X509Certificate } from "node:crypto"
import tls, { type ConnectionOptions } from "node:tls"
import * as Certificates from "../../certificates/Certificates.ts"
import { KafkaAuthenticationFailed } from "../KafkaError.ts"
import * as CertificateFailure from "./CertificateFailure.ts"
import type { KafkaTarget } from "../KafkaTarget.ts"

type Material = NonNullable<KafkaTarget["tls"]>

const isEncrypted = (key: string): boolean =>
  key.includes("BEGIN ENCRYPTED PRIVATE KEY") || key.includes("Proc-Type: 4,ENCRYPTED")

/** Why a PEM file of certificates cannot be used. */
const damage = (key: string, pem: string | undefined): string | undefined => {
  const read = pem === undefined ? [] : Certificates.read(key, pem)
  return typeof read === "string" ? read : undefined
}

/** What is wrong with the TLS files, as far as that shows before connecting. Never quotes them. */
const problem = (material: Material): string | undefined => {
  const { ca, certificate, key } = CertificateFailure.keys(material)
  const privateKey = material.key === undefined ? undefined : Redacted.value(material.key)
  if (material.certificate !== undefined && privateKey === undefined) {
    return `${certificate} exists, but ${key} is missing`
  }
  if (material.certificate === undefined && privateKey !== undefined) {
    return `${key} exists, but ${certificate} is missing`
  }
  if (privateKey !== undefined && isEncrypted(privateKey)) {
    return `${key} is encrypted; only keys without a passphrase are supported`
  }
  return (
    damage(ca, material.ca) ??
    damage(certificate, material.certificate) ??
    (material.certificate === undefined || privateKey === undefined
      ? undefined
      : mismatch(key, privateKey, certificate, material.certificate))
  )
}

/**
 * Why key and certificate are no pair. OpenSSL itself accepts an EC key for an RSA certificate, and then uses neither.
 */
const mismatch = (key: string, privateKey: string, certificate: string, pem: string): string | undefined => {
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
  return new KafkaAuthenticationFailed({
    detail: `${where}: ${detail}`,
    advice: `correct ${where}: it needs the authorities in ${ca}, and for a client certificate ${certificate} and an unencrypted ${key}, all as PEM`,
    ...(cause === undefined ? {} : { cause })
  })
}

/** Options for every connection to this target; undefined without TLS. Parses the files once. */
export const options = (
  material: Material | undefined
): Effect.Effect<ConnectionOptions | undefined, KafkaAuthenticationFailed> => {
  if (material === undefined) return Effect.succeed(undefined)
  const wrong = problem(material)
  if (wrong !== undefined) return Effect.fail(unusable(material, wrong))
  return Effect.try({
    try: () => ({
      secureContext: tls.createSecureContext({
        ...Certificates.anyIsTrusted,
        ca: material.ca ?? [...Certificates.publicAuthorities()],
        cert: material.certificate,
        key: material.key && Redacted.value(material.key)
      })
    }),
    catch: (cause) => unusable(material, "its certificates are unusable", cause)
  })
}
