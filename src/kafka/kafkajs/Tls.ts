import { Effect, Redacted } from "effect"
import { X509Certificate } from "node:crypto"
import tls, { type ConnectionOptions } from "node:tls"
import { AuthenticationFailed } from "../KafkaError.ts"
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

/** What is wrong with the material, as far as it shows before connecting. Never quotes it. */
const problem = (material: Material): string | undefined => {
  const key = material.key === undefined ? undefined : Redacted.value(material.key)
  if (material.ca !== undefined && !isCertificate(material.ca)) return "ca.crt is not a PEM certificate"
  if (material.certificate !== undefined && key === undefined) return "tls.crt is there, but tls.key is missing"
  if (material.certificate === undefined && key !== undefined) return "tls.key is there, but tls.crt is missing"
  if (material.certificate !== undefined && !isCertificate(material.certificate)) {
    return "tls.crt is not a PEM certificate"
  }
  if (key !== undefined && isEncrypted(key)) return "tls.key is encrypted; only keys without a passphrase can be used"
  return undefined
}

const isCertificate = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).subject !== null
  } catch {
    return false
  }
}

const unusable = (material: Material, detail: string, cause?: unknown) => {
  const where = material.secret === undefined ? "the TLS configuration" : `Secret ${material.secret}`
  return new AuthenticationFailed({
    detail: `${where}: ${detail}`,
    advice: `correct ${where}: ca.crt (optional), and for a client certificate tls.crt and an unencrypted tls.key, all PEM`,
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
    catch: (cause) =>
      unusable(
        material,
        (cause as { readonly code?: string }).code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH"
          ? "tls.key does not belong to tls.crt"
          : "tls.key or tls.crt cannot be read",
        cause
      )
  })
}
