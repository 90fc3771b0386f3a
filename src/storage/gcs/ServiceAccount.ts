import { createPrivateKey, type KeyObject, sign } from "node:crypto"
import { Readable } from "node:stream"
import { Clock, Effect, Option, Redacted, Schema, Semaphore } from "effect"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import { StorageAuthenticationFailed } from "../ObjectStoreError.ts"
import type { CredentialsOrigin } from "../StorageTarget.ts"
import * as Http from "./Http.ts"

/** Reading and writing objects; no bucket administration. Source: Google Cloud Storage, OAuth scopes. */
export const scope = "https://www.googleapis.com/auth/devstorage.read_write"

const KeyFile = Schema.Struct({
  type: Schema.Literal("service_account"),
  client_email: Schema.String,
  private_key: Schema.String,
  private_key_id: Schema.optionalKey(Schema.String),
  token_uri: Schema.optionalKey(Schema.String)
})
const decodeKeyFile = Schema.decodeUnknownOption(Schema.fromJsonString(KeyFile))

/** A key file that can be used. */
export interface ServiceAccount {
  readonly email: string
  readonly key: KeyObject
  readonly keyId?: string
  /** Where tokens are asked for. */
  readonly tokenUri: string
}

/** The service account of a key file, or why there is none in it; no part of the file is quoted. */
export const parse = (
  keyFile: Redacted.Redacted,
  { keys, secret }: CredentialsOrigin
): ServiceAccount | StorageAuthenticationFailed => {
  const refuse = (detail: string) =>
    new StorageAuthenticationFailed({
      detail: `Secret ${secret}, key ${keys[0]}: ${detail}`,
      advice: "put the JSON key file of a service account there, as Google Cloud made it (type service_account)"
    })
  const file = Option.getOrUndefined(decodeKeyFile(Redacted.value(keyFile)))
  if (file === undefined) return refuse("it is not a service account's key file")
  const tokenUri = file.token_uri ?? "https://oauth2.googleapis.com/token"
  if (!/^https?:\/\//u.test(tokenUri)) return refuse("its token_uri is not an address")
  try {
    return {
      email: file.client_email,
      key: createPrivateKey(file.private_key),
      tokenUri,
      ...(file.private_key_id === undefined ? {} : { keyId: file.private_key_id })
    }
  } catch {
    return refuse("its private_key is not a key")
  }
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A signed statement that we are this account, good for an hour. Source: Google, OAuth 2.0 for service accounts. */
export const assertion = (account: ServiceAccount, nowMillis: number): string => {
  const iat = Math.floor(nowMillis / 1000)
  const header = { alg: "RS256", typ: "JWT", ...(account.keyId === undefined ? {} : { kid: account.keyId }) }
  const claims = { iss: account.email, scope, aud: account.tokenUri, iat, exp: iat + 3600 }
  const unsigned = `${part(header)}.${part(claims)}`
  return `${unsigned}.${sign("sha256", Buffer.from(unsigned), account.key).toString("base64url")}`
}

/** A bearer token, asked for when needed. */
export interface Tokens {
  readonly get: Effect.Effect<string, ObjectStoreError>
  /** Forgets a token that the store did not take. */
  readonly forget: Effect.Effect<void>
}

/** Tokens are renewed this long before they end, in milliseconds. */
const earlyMillis = 5 * 60_000

const Answered = Schema.fromJsonString(
  Schema.Struct({ access_token: Schema.String, expires_in: Schema.optionalKey(Schema.Number) })
)
const decodeAnswered = Schema.decodeUnknownSync(Answered)

/** Asks the token endpoint of the key file, once for all requests that wait, and keeps the token until shortly before its end. */
export const tokens = (
  account: ServiceAccount,
  client: Http.Client,
  send: <A>(request: (signal: AbortSignal) => Promise<A>) => Effect.Effect<A, ObjectStoreError>
): Effect.Effect<Tokens> =>
  Effect.gen(function* () {
    const one = yield* Semaphore.make(1)
    let held: { readonly token: string; readonly untilMillis: number } | undefined
    const ask = (nowMillis: number) =>
      send(async (signal) => {
        const form = Buffer.from(
          new URLSearchParams({
            grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
            assertion: assertion(account, nowMillis)
          }).toString()
        )
        const answer = await client.send({
          method: "POST",
          url: account.tokenUri,
          headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
          body: { bytes: form.byteLength, stream: Readable.from([form], { objectMode: false }) },
          signal
        })
        return decodeAnswered(await Http.textOf(answer))
      })
    return {
      get: Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (held === undefined || held.untilMillis <= now) {
          const { access_token, expires_in = 3600 } = yield* ask(now)
          held = { token: access_token, untilMillis: now + Math.max(0, expires_in * 1000 - earlyMillis) }
        }
        return held.token
      }).pipe(one.withPermits(1)),
      forget: Effect.sync(() => {
        held = undefined
      })
    }
  })
