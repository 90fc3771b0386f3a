import { Redacted } from "effect"

/** A bearer token, as a broker takes it. */
export interface Token {
  readonly value: Redacted.Redacted
  /** When it was asked for. */
  readonly takenMillis: number
  /** When it ends; absent where nothing says so. */
  readonly expiryMillis?: number
}

/** A token whose end is unknown is used for this long, in milliseconds, before another one is asked for. */
const unknownLifeMillis = 60_000

/**
 * Kafka ends a session with its token, closes a connection that authenticates twice within a second, and a session is
 * renewed half-way at the latest: with this much life left a token serves for two seconds at least.
 */
const leastLifeMillis = 5_000

/** Before its end by this much a token is used no more: clocks differ, and the answer takes its time. */
const marginMillis = 500

/** True while the token has half of its life before it, and enough for a session; then another one is asked for. */
export const isFresh = ({ expiryMillis, takenMillis }: Token, nowMillis: number): boolean =>
  expiryMillis === undefined
    ? nowMillis < takenMillis + unknownLifeMillis
    : nowMillis <= expiryMillis - Math.max((expiryMillis - takenMillis) / 2, leastLifeMillis)

/** True while brokers may take it. */
export const isValid = ({ expiryMillis }: Token, nowMillis: number): boolean =>
  expiryMillis === undefined || nowMillis < expiryMillis - marginMillis

/** What a JWT says about itself, as far as it helps a person; nothing of it is confidential. */
export interface Claims {
  readonly expiryMillis?: number
  readonly audience?: string
  readonly issuer?: string
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {}

const parsed = (text: string): Readonly<Record<string, unknown>> => {
  try {
    return record(JSON.parse(text))
  } catch {
    return {}
  }
}

/** Longest text of a claim that a message quotes. */
const longestText = 200

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" && value.length <= longestText && /^[\x20-\x7e]*$/u.test(value)
    ? value
    : undefined

/** The claims of a token; none of one that is no JWT. Its signature is the broker's business. */
export const claims = (token: Redacted.Redacted): Claims => {
  const [, payload, ...rest] = Redacted.value(token).split(".")
  if (payload === undefined || rest.length !== 1) return {}
  const { aud, exp, iss } = parsed(Buffer.from(payload, "base64url").toString("utf8"))
  const audience = text(Array.isArray(aud) ? aud.join(", ") : aud)
  const issuer = text(iss)
  return {
    ...(typeof exp === "number" && Number.isFinite(exp) && Math.abs(exp) < 8.64e12 ? { expiryMillis: exp * 1000 } : {}),
    ...(audience === undefined ? {} : { audience }),
    ...(issuer === undefined ? {} : { issuer })
  }
}

/** `which expired at 2026-11-30T01:00:00Z; audience kafka, issuer https://sso`; empty where nothing is known. */
export const described = ({ audience, expiryMillis, issuer }: Claims, nowMillis: number): string => {
  const end =
    expiryMillis === undefined
      ? []
      : [
          `${expiryMillis <= nowMillis ? "expired at" : "valid until"} ${new Date(expiryMillis).toISOString().replace(".000Z", "Z")}`
        ]
  return [
    ...end,
    ...(audience === undefined ? [] : [`audience ${audience}`]),
    ...(issuer === undefined ? [] : [`issuer ${issuer}`])
  ].join(", ")
}
