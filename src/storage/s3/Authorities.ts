import tls from "node:tls"
import * as Certificates from "../../certificates/Certificates.ts"
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

/**
 * Trust in these authorities, and in all that are trusted anyway; a text says why the PEM cannot be used, and never
 * quotes it.
 */
export const trust = ({ pem, origin }: Authorities): Trust | string => {
  const certificates = Certificates.read(origin.key, pem)
  if (typeof certificates === "string") return certificates
  const authorities = certificates.map(({ subject, validTo }) => ({
    subject: subject.replaceAll("\n", ", "),
    validToMillis: Date.parse(validTo)
  }))
  try {
    const ca = [...Certificates.publicAuthorities(), ...certificates.map(String)]
    return { secureContext: tls.createSecureContext({ ca, ...Certificates.anyIsTrusted }), authorities }
  } catch {
    return `the certificates of ${origin.key} cannot be used`
  }
}
