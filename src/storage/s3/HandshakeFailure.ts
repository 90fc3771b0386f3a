import * as Certificates from "../../certificates/Certificates.ts"
import * as Answer from "../cloud/Answer.ts"
import { Misconfigured, type ObjectStoreReason } from "../ObjectStoreError.ts"
import type { Authority } from "./Authorities.ts"

/** What shows why TLS, or the lack of it, kept us from talking at all. */
export interface Signs {
  /** Node's code for a broken connection: ECONNREFUSED, ENOTFOUND, CERT_HAS_EXPIRED. */
  readonly transport?: string
  /** When it failed. */
  readonly nowMillis?: number
  /** The server speaks TLS and was not spoken to so. */
  readonly wantsTls?: boolean
  /** Whom the server's certificate is for: `DNS:minio.example, IP Address:10.0.0.1`. */
  readonly certificateNames?: string
}

/** Whom we wanted to talk to, and whose word for it we take. */
export interface Peer {
  readonly endpoint?: string
  /** The Secret whose authorities are trusted. Absent: only those that are trusted anyway. */
  readonly trust?: { readonly secret: string; readonly key: string; readonly authorities: ReadonlyArray<Authority> }
}

const caField = "spec.storage.s3.caSecret"

/** How to have the store's certificate trusted, where nothing more exact is known. */
export const trustAdvice = (trust: Peer["trust"]): string =>
  `check http or https in the endpoint, and trust its certificate authority: ${trust === undefined ? `set ${caField}` : `Secret ${trust.secret}, key ${trust.key} (${caField})`}`

/** Why the authorities of the Secret cannot be used, before any connection. */
export const unusableAuthorities = (
  detail: string,
  { key, secret }: { readonly secret: string; readonly key: string }
): ObjectStoreReason =>
  new Misconfigured({
    detail: `Secret ${secret}: ${detail}`,
    advice: `put the certificate authorities of the store into Secret ${secret}, key ${key} (${caField}), as PEM`
  })

/**
 * What is wrong between us and the store before HTTP begins, by Node's code; undefined for codes that are not about
 * TLS.
 */
export const reason = (
  { certificateNames, nowMillis = 0, transport = "", wantsTls }: Signs,
  { endpoint, trust }: Peer,
  said: string,
  suffix: string
): ObjectStoreReason | undefined => {
  const store = endpoint ?? "the store"
  const named = trust === undefined ? undefined : `Secret ${trust.secret}, key ${trust.key}`
  const misconfigured = (detail: string, advice: string, mayBeRenewed = false) =>
    new Misconfigured({
      detail: `no connection to ${store}: ${detail} ${suffix}`,
      advice,
      notFromStore: "connection",
      ...(mayBeRenewed ? { mayBeRenewed } : {})
    })
  if (Certificates.isUntrusted(transport)) {
    return named === undefined
      ? misconfigured(
          `its certificate is signed by an authority that is not trusted: ${said}`,
          `for a private certificate authority, set ${caField} to a Secret that holds it as PEM in key ca.crt`
        )
      : misconfigured(
          `its certificate is not signed by an authority in ${named} or by a public one: ${said}`,
          `put the certificate authority that signed the store's certificate into ${named} (${caField})`,
          true
        )
  }
  if (transport === "CERT_HAS_EXPIRED" || transport === "CERT_NOT_YET_VALID") {
    const when = transport === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet"
    const lapsed = trust?.authorities.find(({ validToMillis }) => validToMillis < nowMillis)
    if (lapsed !== undefined && transport === "CERT_HAS_EXPIRED") {
      return misconfigured(
        `its certificate, or the authority ${lapsed.subject} of ${named}, which ended on ${new Date(lapsed.validToMillis).toISOString()}, has expired`,
        `put the authority that is valid now into ${named} (${caField}), or renew the store's certificate; check the clocks`,
        true
      )
    }
    return misconfigured(
      `its certificate, or its authority's, ${when}`,
      `renew the store's certificate${named === undefined ? `, or name a newer authority in ${caField}` : `, or the authority in ${named} (${caField})`}; check the clocks`,
      named !== undefined
    )
  }
  if (transport === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return misconfigured(
      `its certificate is for other names: ${certificateNames?.slice(0, 300) ?? said}`,
      `write a host name that the certificate lists into endpoint, or have it list this one; ${named === undefined ? caField : `the authority in ${named} (${caField})`} cannot make up for that`
    )
  }
  const isPlain = endpoint?.startsWith("http://") === true
  if (wantsTls === true || (isPlain && transport.startsWith("HPE_"))) {
    return misconfigured(
      "the server does not answer in plain HTTP; it seems to expect TLS",
      `write https:// in endpoint; for a private certificate authority also set ${caField}`
    )
  }
  if (
    transport === "EPROTO" ||
    /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/u.test(transport)
  ) {
    return misconfigured(
      `the server does not answer with TLS: ${said}`,
      `write http:// in endpoint${named === undefined ? "" : ` and remove ${caField}`} if the server speaks plain HTTP; else check its port and its TLS settings`
    )
  }
  return Answer.isCertificateFailure(transport) ? misconfigured(said, trustAdvice(trust)) : undefined
}
