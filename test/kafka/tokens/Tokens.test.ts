import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { KafkaAuthenticationFailed, type KafkaReason, TokenUnavailable } from "../../../src/kafka/KafkaError.ts"
import * as Token from "../../../src/kafka/tokens/Token.ts"
import * as Tokens from "../../../src/kafka/tokens/Tokens.ts"

/** A server of tokens `1`, `2`, … that live so many seconds; `fails` says what it answers instead. */
const server = (lifeSeconds: number | undefined) => {
  const state: { asked: number; fails: KafkaReason | undefined } = { asked: 0, fails: undefined }
  const fetch = Effect.gen(function* () {
    state.asked++
    yield* Effect.sleep("10 millis")
    if (state.fails !== undefined) return yield* Effect.fail(state.fails)
    const takenMillis = yield* Clock.currentTimeMillis
    const value = Redacted.make(String(state.asked))
    return lifeSeconds === undefined
      ? { value, takenMillis }
      : { value, takenMillis, expiryMillis: takenMillis + lifeSeconds * 1000 }
  })
  return { state, tokens: Tokens.make(fetch) }
}

const given = (tokens: Tokens.Tokens) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(tokens.get, { startImmediately: true })
    yield* TestClock.adjust("10 millis")
    return Redacted.value((yield* Fiber.join(fiber)).value)
  })

const away = new TokenUnavailable({ detail: "away", advice: "wait", transient: true })
const refused = new KafkaAuthenticationFailed({ detail: "refused", advice: "correct it" })

describe("tokens for brokers", () => {
  it.effect("are asked for once by all connections that are opened at the same time", () =>
    Effect.gen(function* () {
      const { state, tokens } = server(3600)
      const all = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 20 }, () => tokens.get),
          { concurrency: "unbounded" }
        ),
        { startImmediately: true }
      )
      yield* TestClock.adjust("10 millis")
      expect(yield* Fiber.join(all)).toHaveLength(20)
      expect(state.asked).toBe(1)
    })
  )

  it.effect("are used for half of their life", () =>
    Effect.gen(function* () {
      const { tokens } = server(3600)
      expect(yield* given(tokens)).toBe("1")
      yield* TestClock.adjust("29 minutes")
      expect(yield* given(tokens)).toBe("1")
      yield* TestClock.adjust("61 seconds")
      expect(yield* given(tokens)).toBe("2")
    })
  )

  it.effect("that live a few seconds are asked for at each authentication, so that a session lasts", () =>
    Effect.gen(function* () {
      const { tokens } = server(4)
      expect(yield* given(tokens)).toBe("1")
      expect(yield* given(tokens)).toBe("2")
    })
  )

  it.effect("without an end are used for a minute", () =>
    Effect.gen(function* () {
      const { tokens } = server(undefined)
      expect(yield* given(tokens)).toBe("1")
      yield* TestClock.adjust("59 seconds")
      expect(yield* given(tokens)).toBe("1")
      yield* TestClock.adjust("1 second")
      expect(yield* given(tokens)).toBe("2")
    })
  )

  it.effect("are used to their end while no other one can be had, and not longer", () =>
    Effect.gen(function* () {
      const { state, tokens } = server(3600)
      yield* given(tokens)
      state.fails = away
      yield* TestClock.adjust("50 minutes")
      expect(yield* given(tokens)).toBe("1")
      yield* TestClock.adjust("10 minutes")
      const failure = yield* Effect.forkChild(Effect.flip(tokens.get), { startImmediately: true })
      yield* TestClock.adjust("10 millis")
      expect(yield* Fiber.join(failure)).toBe(away)
      state.fails = undefined
      expect(yield* given(tokens)).not.toBe("1")
    })
  )

  it.effect("that are refused are not asked for again for ten seconds", () =>
    Effect.gen(function* () {
      const { state, tokens } = server(3600)
      state.fails = refused
      const failing = Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(Effect.flip(tokens.get), { startImmediately: true })
        yield* TestClock.adjust("10 millis")
        return yield* Fiber.join(fiber)
      })
      expect(yield* failing).toBe(refused)
      expect(yield* failing).toBe(refused)
      expect(state.asked).toBe(1)
      yield* TestClock.adjust("10 seconds")
      expect(yield* failing).toBe(refused)
      expect(state.asked).toBe(2)
    })
  )
})

const jwt = (claims: unknown) =>
  Redacted.make(["e30", Buffer.from(JSON.stringify(claims)).toString("base64url"), "sig"].join("."))

describe("what a token says of itself", () => {
  it("is its end, its audience and its issuer", () => {
    const claims = Token.claims(jwt({ exp: 1_796_000_000, aud: ["kafka", "other"], iss: "https://sso", sub: "me" }))
    expect(claims).toEqual({ expiryMillis: 1_796_000_000_000, audience: "kafka, other", issuer: "https://sso" })
    expect(Token.described(claims, 1_796_000_000_000)).toBe(
      "expired at 2026-11-30T00:53:20Z, audience kafka, other, issuer https://sso"
    )
    expect(Token.described({ expiryMillis: 1_796_000_000_000 }, 0)).toBe("valid until 2026-11-30T00:53:20Z")
  })

  it.each([null, 1, "text", [], { exp: "soon", aud: {}, iss: "a\nb" }, { exp: 1e300, aud: "x".repeat(201), iss: "" }])(
    "is nothing where it is of another form: %j",
    (claims) => expect(Token.claims(jwt(claims))).toEqual({})
  )

  it.each(["", ".", "..", "a.b", "a.b.c", "a.!!.c", "a.b.c.d", "opaque"])(
    "is nothing for a token that is no JWT: %j",
    (text) => expect(Token.claims(Redacted.make(text))).toEqual({})
  )
})
