import { createPrivateKey } from "node:crypto"
import { Clock, Effect, Option, Redacted, Schema, Semaphore } from "effect"
import type * as Agents from "../cloud/Agents.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import { StorageAuthenticationFailed } from "../ObjectStoreError.ts"
import type { CredentialsOrigin } from "../StorageTarget.ts"

/** Reading and writing objects; no bucket administration. Source: Google Cloud Storage, OAuth scopes. */
export const scope = "https://www.googleapis.com/auth/devstorage.read_write"

const KeyFile = Schema.Struct({
  type: Schema.Literal("service_account"),
  client_email: Schema.String,
  private_key: Schema.String,
  token_uri: Schema.optionalKey(Schema.String)
})
const decodeKeyFile = Schema.decodeUnknownOption(Schema.fromJsonString(KeyFile))

/** A key file that can be used. */
export interface ServiceAccount {
  readonly email: string
  /** As PEM. */
  readonly key: Redacted.Redacted
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
      advice: "put the JSON key file of a service account there, as Google Cloud created it (type service_account)"
    })
  const file = Option.getOrUndefined(decodeKeyFile(Redacted.value(keyFile)))
  if (file === undefined) return refuse("it is not a service account's key file")
  const tokenUri = file.token_uri ?? "https://oauth2.googleapis.com/token"
  if (!/^https?:\/\//u.test(tokenUri)) return refuse("its token_uri is not an address")
  try {
    createPrivateKey(file.private_key)
  } catch {
    return refuse("its private_key is not a key")
  }
  return { email: file.client_email, key: Redacted.make(file.private_key), tokenUri }
}

/** A bearer token, asked for when needed. */
export interface Tokens {
  readonly get: Effect.Effect<string, ObjectStoreError>
  /** Forgets a token that the store did not take. */
  readonly forget: Effect.Effect<void>
}

/** Tokens are renewed this long before they end, in milliseconds. */
const earlyMillis = 5 * 60_000

/**
 * Asks the token endpoint of the key file, once for all requests that wait, and keeps the token until shortly before
 * its end. Google's library signs and asks. By itself it would ask at Google's own address whatever the file says,
 * repeat a refused request, and know of no end to its patience: what it sends is corrected on its way out. It goes
 * the way of all requests to the store.
 */
export const tokens = (
  account: ServiceAccount,
  send: <A>(request: (signal: AbortSignal) => Promise<A>) => Effect.Effect<A, ObjectStoreError>,
  agents: Agents.Agents
): Effect.Effect<Tokens> =>
  Effect.gen(function* () {
    const { gaxios, JWT } = yield* Effect.promise(() => import("google-auth-library"))
    const one = yield* Semaphore.make(1)
    let held: { readonly token: string; readonly untilMillis: number } | undefined

    const ask = send(async (signal) => {
      const transporter = new gaxios.Gaxios()
      transporter.interceptors.request.add({
        resolved: (options) =>
          Promise.resolve({
            ...options,
            url: new URL(account.tokenUri),
            agent: agents.of(account.tokenUri),
            redirect: "manual",
            retryConfig: { retry: 0 },
            signal
          })
      })
      const client = new JWT({
        email: account.email,
        key: Redacted.value(account.key),
        scopes: [scope],
        additionalClaims: { aud: account.tokenUri },
        transporter
      })
      const { access_token, expiry_date } = await client.authorize()
      if (!access_token) throw new Error("the answer contains no token")
      return { token: access_token, untilMillis: (expiry_date ?? 0) - earlyMillis }
    })

    return {
      get: Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (held === undefined || held.untilMillis <= now) held = yield* ask
        return held.token
      }).pipe(one.withPermits(1)),
      forget: Effect.sync(() => {
        held = undefined
      })
    }
  })
