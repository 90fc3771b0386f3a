import { Redacted } from "effect"

/** Keys of one Secret, for messages. */
export interface SecretOrigin {
  readonly secret: string
  readonly keys: ReadonlyArray<string>
}

/** A user with a password. */
export interface PasswordCredentials {
  readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512"
  readonly username: Redacted.Redacted
  readonly password: Redacted.Redacted
  /** The Secret that holds the credentials, and its keys, for messages. */
  readonly secret: string
  /** Absent: the user name stands in the resource. */
  readonly usernameKey?: string
  readonly passwordKey: string
}

/** A client of an OAuth 2 server that gets tokens for itself (RFC 6749, section 4.4). */
export interface ClientCredentials {
  readonly _tag: "ClientCredentials"
  /** https. */
  readonly tokenEndpoint: string
  readonly clientId: Redacted.Redacted
  readonly clientSecret: Redacted.Redacted
  /** Where id and secret are sent: in the header `Authorization`, or among the parameters of the request. */
  readonly sentIn: "Header" | "Body"
  readonly scope?: string
  readonly audience?: string
  /** Authorities to trust for this endpoint in addition to the public ones and the system's. */
  readonly authorities?: { readonly pem: string; readonly secret: string; readonly key: string }
  readonly origin: SecretOrigin
}

/** A token that somebody else keeps fresh. */
export interface GivenToken {
  readonly _tag: "GivenToken"
  readonly token: Redacted.Redacted
  /** Where it comes from, for messages: `Secret kafka, key token`. */
  readonly origin: string
}

/** SASL OAUTHBEARER (RFC 7628, KIP-255). */
export interface OAuthBearer {
  readonly mechanism: "OAUTHBEARER"
  readonly source: ClientCredentials | GivenToken
  /** SASL extensions (KIP-342), by name. */
  readonly extensions: Readonly<Record<string, string>>
}

/** IAM access control of Amazon MSK: a signed request of AWS as the token of OAUTHBEARER. */
export interface MskIam {
  readonly mechanism: "AWS_MSK_IAM"
  readonly region: string
  /** A role to assume first. */
  readonly role?: { readonly arn: string; readonly externalId?: string }
  /** Static keys. Absent: the SDK's default chain (IRSA, Pod Identity, environment, instance role). */
  readonly credentials?: {
    readonly accessKeyId: Redacted.Redacted
    readonly secretAccessKey: Redacted.Redacted
    readonly origin: SecretOrigin
  }
}

export type TokenCredentials = OAuthBearer | MskIam
export type KafkaCredentials = PasswordCredentials | TokenCredentials

/** The mechanism's name in the protocol. */
export const wireMechanism = ({ mechanism }: KafkaCredentials): string =>
  mechanism === "AWS_MSK_IAM" ? "OAUTHBEARER" : mechanism

/** `Secret kafka, keys username and password`. */
export const originText = ({ keys, secret }: SecretOrigin): string =>
  `Secret ${secret}, key${keys.length === 1 ? "" : "s"} ${keys.join(" and ")}`

const passwordOrigin = ({ passwordKey, secret, username, usernameKey }: PasswordCredentials): string =>
  usernameKey === undefined
    ? `saslSecret.username (${Redacted.value(username)}) and ${originText({ secret, keys: [passwordKey] })}`
    : originText({ secret, keys: [usernameKey, passwordKey] })

/** Where the credentials come from, for messages. */
export const origin = (credentials: KafkaCredentials): string => {
  switch (credentials.mechanism) {
    case "OAUTHBEARER":
      return credentials.source._tag === "GivenToken"
        ? credentials.source.origin
        : originText(credentials.source.origin)
    case "AWS_MSK_IAM":
      return credentials.credentials === undefined
        ? "the AWS identity of the pod"
        : originText(credentials.credentials.origin)
    default:
      return passwordOrigin(credentials)
  }
}

/** Who signs tokens for MSK, for messages. */
export const signer = ({ credentials, role }: MskIam): string =>
  role?.arn ??
  (credentials === undefined
    ? "the role of the pod's service account"
    : `the user of the keys in ${originText(credentials.origin)}`)

/** What no message may quote. A client's id is not among them: it may be a word such as `kafka`. */
export const confidential = (credentials: KafkaCredentials): ReadonlyArray<string> => {
  const all = values(credentials)
  return credentials.mechanism === "OAUTHBEARER" || credentials.mechanism === "AWS_MSK_IAM" ? all.slice(0, 1) : all
}

/** Every value that comes from a Secret, to notice that one has changed. The confidential one comes first. */
export const values = (credentials: KafkaCredentials): ReadonlyArray<string> => {
  switch (credentials.mechanism) {
    case "OAUTHBEARER": {
      const { source } = credentials
      return source._tag === "GivenToken"
        ? [Redacted.value(source.token)]
        : [Redacted.value(source.clientSecret), Redacted.value(source.clientId), source.authorities?.pem ?? ""]
    }
    case "AWS_MSK_IAM":
      return credentials.credentials === undefined
        ? []
        : [Redacted.value(credentials.credentials.secretAccessKey), Redacted.value(credentials.credentials.accessKeyId)]
    default:
      return [Redacted.value(credentials.password), Redacted.value(credentials.username)]
  }
}
