import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type { ClientCredentials } from "../../../src/kafka/KafkaCredentials.ts"
import type { KafkaReason } from "../../../src/kafka/KafkaError.ts"
import * as Grant from "../../../src/kafka/tokens/ClientCredentialsGrant.ts"
import * as TokenRequest from "../../../src/kafka/tokens/TokenRequest.ts"
import { httpServer, type Reply } from "./tokenServer.ts"

const secret = "s3cret:ä%/+"

const client = (tokenEndpoint: string, more: Partial<ClientCredentials> = {}): ClientCredentials => ({
  _tag: "ClientCredentials",
  tokenEndpoint,
  clientId: Redacted.make("kafka backup"),
  clientSecret: Redacted.make(secret),
  sentIn: "Header",
  origin: { secret: "kafka-client", keys: ["clientId", "clientSecret"] },
  ...more
})

const good: Reply = { body: { access_token: "abc.def", token_type: "bearer", expires_in: 300 } }

/** The failure of a request that is answered so, once. */
const failing = (reply: Reply, more: Partial<ClientCredentials> = {}) =>
  Effect.gen(function* () {
    const { received, url } = yield* httpServer(() => reply)
    const reason = yield* Effect.flip(Grant.fetch(client(`${url}/token`, more), false, { request: 300 }))
    const text = `${reason.message} ${"advice" in reason ? reason.advice : ""}`
    for (const hidden of [secret, encodeURIComponent(secret)])
      expect(text + JSON.stringify(reason)).not.toContain(hidden)
    return { reason, text, asked: received.length }
  })

const transient = (reason: KafkaReason) => (reason._tag === "TokenUnavailable" ? reason.transient : undefined)

/** A certificate for 127.0.0.1 that only its own authority has signed. */
const ownCertificate = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = mkdtempSync(join(tmpdir(), "token-endpoint-"))
    const subject = ["-subj", "/CN=sso", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")]
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject, ...files], {
      stdio: "ignore"
    })
    return folder
  }),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
).pipe(
  Effect.map((folder) => ({
    key: readFileSync(join(folder, "key.pem"), "utf8"),
    cert: readFileSync(join(folder, "cert.pem"), "utf8")
  }))
)

describe("the client credentials grant", () => {
  it.live("sends id and secret form-encoded in the header, and scope and audience in the body", () =>
    Effect.gen(function* () {
      const { received, url } = yield* httpServer(() => good)
      const token = yield* Grant.fetch(
        client(`${url}/token?tenant=a`, { scope: "read all", audience: "https://kafka" })
      )
      expect(Redacted.value(token.value)).toBe("abc.def")
      expect(token.expiryMillis).toBe(token.takenMillis + 300_000)
      const [request] = received
      expect(request).toMatchObject({ method: "POST", path: "/token?tenant=a" })
      expect(request?.headers["content-type"]).toBe("application/x-www-form-urlencoded")
      const basic = Buffer.from(request?.headers.authorization?.replace("Basic ", "") ?? "", "base64").toString()
      expect(basic.split(":").map(decodeURIComponent)).toEqual(["kafka backup", secret])
      expect(Object.fromEntries(request?.form ?? [])).toEqual({
        grant_type: "client_credentials",
        scope: "read all",
        audience: "https://kafka"
      })
    })
  )

  it.live("sends them in the body where the server wants them there, and then nothing in the header", () =>
    Effect.gen(function* () {
      const { received, url } = yield* httpServer(() => good)
      yield* Grant.fetch(client(url, { sentIn: "Body" }))
      expect(received[0]?.headers.authorization).toBeUndefined()
      expect(Object.fromEntries(received[0]?.form ?? [])).toEqual({
        grant_type: "client_credentials",
        client_id: "kafka backup",
        client_secret: secret
      })
    })
  )

  it.live.each([
    [
      401,
      { error: "invalid_client", error_description: "Unknown client" },
      /401: invalid_client: Unknown client/,
      /kafka-client, keys clientId and clientSecret/
    ],
    [400, { error: "invalid_scope" }, /400: invalid_scope/, /correct scope/],
    [400, { error: "unauthorized_client" }, /400: unauthorized_client/, /allow the grant client_credentials/],
    [403, "<html>", /refused the client \(403\)/, /sendIn: Body/]
  ] as const)(
    "refused with %s and %j says so with the server's own words, and is not repeated",
    ([status, body, message, advice]) =>
      Effect.gen(function* () {
        const { asked, reason, text } = yield* failing({ status, body })
        expect(reason._tag).toBe("KafkaAuthenticationFailed")
        expect(reason.message).toMatch(message)
        expect(text).toMatch(advice)
        expect(asked).toBe(1)
      })
  )

  it.live("does not repeat a server's text that quotes the secret, nor lines beyond the first", () =>
    Effect.gen(function* () {
      const quoting = yield* failing({
        status: 401,
        body: { error: "invalid_client", error_description: `no ${secret}` }
      })
      expect(quoting.reason.message).toContain("left out because it quotes a secret")
      const long = { error: "invalid_client", error_description: `a\nb${"x".repeat(1000)}` }
      const { reason } = yield* failing({ status: 401, body: long })
      expect(reason.message).toContain("a bx")
      expect(reason.message.length).toBeLessThan(500)
    })
  )

  it.live("repeats what may pass: 503, 429, and a connection that is lost", () =>
    Effect.gen(function* () {
      for (const reply of [{ status: 503 }, { status: 429 }, { hangsUp: true }]) {
        const { received, url } = yield* httpServer((_, count) => (count < 3 ? reply : good))
        expect(Redacted.value((yield* Grant.fetch(client(url))).value)).toBe("abc.def")
        expect(received).toHaveLength(3)
      }
    })
  )

  it.live("gives up after three attempts, with a failure that may pass by waiting", () =>
    Effect.gen(function* () {
      const { asked, reason } = yield* failing({ status: 500 })
      expect(asked).toBe(3)
      expect(transient(reason)).toBe(true)
      expect(reason.message).toMatch(/the token endpoint http.*\/token answers 500/)
      const silent = yield* failing({ hangs: true })
      expect(transient(silent.reason)).toBe(true)
      expect(silent.reason.message).toContain("no answer within 0.3 s")
    })
  )

  it.live.each([
    [{ status: 404 }, "answers 404"],
    [{ status: 302, headers: { location: "http://127.0.0.1:1/" } }, "redirects are not followed"],
    [{ body: "<html>welcome" }, "something else than JSON"],
    [{ body: [] }, "something else than JSON"],
    [{ body: { id_token: "a" } }, "without access_token"],
    [{ body: { access_token: "a\u0001b" } }, "an access_token that is not one"],
    [{ body: { access_token: 7 } }, "an access_token that is not one"],
    [{ body: { access_token: "a", token_type: "mac" } }, "another type than Bearer (mac)"],
    [{ body: `{"access_token":"${"a".repeat(TokenRequest.longestBytes)}"}` }, "more than 256 KiB"]
  ] as const)("of a server that is none of tokens is a mistake in tokenEndpoint: %s", ([reply, says]) =>
    Effect.gen(function* () {
      const { asked, reason, text } = yield* failing(reply)
      expect(transient(reason)).toBe(false)
      expect(reason.message).toContain(says)
      expect(text).toContain("correct tokenEndpoint")
      expect(asked).toBe(1)
    })
  )

  it.live(
    "takes the end from the token itself where the server does not say it, and a life that is written as text",
    () =>
      Effect.gen(function* () {
        const payload = Buffer.from(JSON.stringify({ exp: 4_000_000_000 })).toString("base64url")
        const jwt = yield* httpServer(() => ({ body: { access_token: `e30.${payload}.s` } }))
        expect((yield* Grant.fetch(client(jwt.url))).expiryMillis).toBe(4_000_000_000_000)
        const text = yield* httpServer(() => ({ body: { access_token: "a", expires_in: "60" } }))
        const { expiryMillis, takenMillis } = yield* Grant.fetch(client(text.url))
        expect(expiryMillis).toBe(takenMillis + 60_000)
        const opaque = yield* httpServer(() => ({ body: { access_token: "a" } }))
        expect((yield* Grant.fetch(client(opaque.url))).expiryMillis).toBeUndefined()
      })
  )

  it.live("trusts the authority of caSecret, and without it says that the certificate is not trusted", () =>
    Effect.gen(function* () {
      const tls = yield* ownCertificate
      const { received, url } = yield* httpServer(() => good, tls)
      const refused = yield* Effect.flip(Grant.fetch(client(url)))
      expect(refused._tag).toBe("KafkaAuthenticationFailed")
      expect(refused.message).toContain("its certificate is not trusted")
      expect("advice" in refused && refused.advice).toContain("caSecret")
      expect(received).toHaveLength(0)
      const authorities = { pem: tls.cert, secret: "sso-ca", key: "ca.crt" }
      expect(Redacted.value((yield* Grant.fetch(client(url, { authorities }))).value)).toBe("abc.def")
      const damaged = { ...authorities, pem: "no certificate" }
      const unusable = yield* Effect.flip(Grant.fetch(client(url, { authorities: damaged })))
      expect(unusable.message).toContain("Secret sso-ca: ca.crt holds no PEM certificate")
    })
  )

  it.live("knows an unknown host from one that does not answer", () =>
    Effect.gen(function* () {
      const closed = yield* httpServer(() => good)
      closed.server.close()
      const reason = yield* Effect.flip(Grant.fetch(client(closed.url)))
      expect(transient(reason)).toBe(true)
      expect(reason.message).toContain("cannot be reached: ECONNREFUSED")
      const unknown = yield* Effect.flip(Grant.fetch(client("http://sso.invalid/token")))
      expect(unknown._tag).toBe("TokenUnavailable")
    })
  )

  it.live("goes through the proxy of the environment, but for what NO_PROXY names", () =>
    Effect.gen(function* () {
      const proxy = yield* httpServer(() => good)
      const near = yield* httpServer(() => good)
      const before = { HTTP_PROXY: process.env["HTTP_PROXY"], NO_PROXY: process.env["NO_PROXY"] }
      yield* Effect.acquireRelease(
        Effect.sync(() => Object.assign(process.env, { HTTP_PROXY: proxy.url, NO_PROXY: "127.0.0.1" })),
        () =>
          Effect.sync(() => {
            for (const [name, value] of Object.entries(before)) {
              if (value === undefined) delete process.env[name]
              else process.env[name] = value
            }
          })
      )
      yield* Grant.fetch(client("http://sso.invalid/token"))
      yield* Grant.fetch(client(near.url))
      expect(proxy.received.map(({ path }) => path)).toEqual(["http://sso.invalid/token"])
      expect(near.received).toHaveLength(1)
    })
  )
})
