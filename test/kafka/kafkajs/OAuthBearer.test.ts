import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type net from "node:net"
import type { OAuthBearer } from "../../../src/kafka/KafkaCredentials.ts"
import type { KafkaTarget } from "../../../src/kafka/KafkaTarget.ts"
import * as KafkaJsWire from "../../../src/kafka/KafkaJsWire.ts"
import { initialResponse } from "../../../src/kafka/kafkajs/OAuthBearer.ts"
import { Writer } from "../../../src/kafka/kafkajs/protocol/Writer.ts"
import { httpServer } from "../tokens/tokenServer.ts"
import { answerMetadata, fakeBroker, fetchBody, type Handler } from "./fakeBroker.ts"

interface Verdict {
  /** Absent: accepted, for so many milliseconds. */
  readonly refusal?: string
  readonly sessionMillis?: number
}

/**
 * A listener with OAUTHBEARER, as Kafka has it: a refusal is a challenge, which the client confirms with one byte and
 * which only then is an error. Other requests end the connection before authentication and after the session's end.
 */
const bearerBroker = (judge: (message: string, count: number) => Verdict) =>
  Effect.gen(function* () {
    const log: { messages: Array<string>; confirmed: number; violations: number } = {
      messages: [],
      confirmed: 0,
      violations: 0
    }
    const until = new Map<net.Socket, number>()
    const nodes: Array<{ nodeId: number; port: number }> = []
    const guarded =
      (handler: Handler): Handler =>
      (request, connection) => {
        if (Date.now() < (until.get(connection.socket) ?? 0)) return handler(request, connection)
        log.violations++
        connection.socket.destroy()
      }
    const answer = (code: number, message: string | null, bytes: string, sessionMillis = 0) => {
      const content = Buffer.from(bytes)
      const w = new Writer(false)
        .int16(code)
        .string(message ?? "")
        .int32(content.length)
      const life = new Writer(false).int64(sessionMillis).finish()
      return Buffer.concat([w.finish(), content, life])
    }
    const broker = yield* fakeBroker({
      on: {
        1: guarded((request, connection) => connection.answer(request, fetchBody(request, Buffer.from("records")))),
        3: guarded(answerMetadata(() => nodes)),
        17: (request, connection) => {
          until.set(connection.socket, 0)
          const code = request.body.includes("OAUTHBEARER") ? 0 : 33
          connection.answer(request, new Writer(false).int16(code).arrayLength(1).string("OAUTHBEARER").finish())
        },
        36: (request, connection) => {
          const message = request.body.subarray(4).toString("latin1")
          if (message === "\x01") {
            log.confirmed++
            return connection.answer(request, answer(58, "the challenge again", ""))
          }
          log.messages.push(message)
          const { refusal, sessionMillis = 0 } = judge(message, log.messages.length)
          if (refusal !== undefined) return connection.answer(request, answer(0, null, refusal))
          until.set(connection.socket, Date.now() + (sessionMillis === 0 ? 1e9 : sessionMillis))
          connection.answer(request, answer(0, null, "", sessionMillis))
        }
      }
    })
    nodes.push({ nodeId: 1, port: broker.port })
    return { server: broker.server, log }
  })

const given = (token: string): OAuthBearer["source"] => ({
  _tag: "GivenToken",
  token: Redacted.make(token),
  origin: "Secret kafka-token, key token"
})

const withClient = (tokenEndpoint: string): OAuthBearer["source"] => ({
  _tag: "ClientCredentials",
  tokenEndpoint,
  clientId: Redacted.make("id"),
  clientSecret: Redacted.make("secret"),
  sentIn: "Header",
  origin: { secret: "kafka-client", keys: ["clientId", "clientSecret"] }
})

const target = (server: string, source: OAuthBearer["source"], more: Partial<KafkaTarget> = {}): KafkaTarget => ({
  bootstrapServers: [server],
  sasl: { mechanism: "OAUTHBEARER", source, extensions: {} },
  ...more
})

const jwt = (claims: object) =>
  ["e30", Buffer.from(JSON.stringify(claims)).toString("base64url"), "signature"].join(".")

describe("SASL OAUTHBEARER", () => {
  it("begins with the message of RFC 7628, with extensions behind the token", () => {
    expect(initialResponse("abc", {}).toString("latin1")).toBe("n,,\x01auth=Bearer abc\x01\x01")
    const extended = initialResponse("abc", { logicalCluster: "lkc-1", identityPoolId: "pool 1" })
    expect(extended.toString("latin1")).toBe(
      "n,,\x01auth=Bearer abc\x01logicalCluster=lkc-1\x01identityPoolId=pool 1\x01\x01"
    )
  })

  it.live("sends the token to the broker as it is", () =>
    Effect.gen(function* () {
      const { log, server } = yield* bearerBroker(() => ({}))
      yield* KafkaJsWire.make(target(server, given("the.token")))
      expect(log.messages[0]).toBe("n,,\x01auth=Bearer the.token\x01\x01")
    })
  )

  it.live(
    "that is refused confirms it, and names the broker's reason, the token's own words, and where it is from",
    () =>
      Effect.gen(function* () {
        const { log, server } = yield* bearerBroker(() => ({ refusal: '{"status":"invalid_token"}' }))
        const token = jwt({ aud: "other", iss: "https://sso", exp: 1_700_000_000 })
        const error = yield* Effect.flip(KafkaJsWire.make(target(server, given(token))))
        expect(error.reason._tag).toBe("KafkaAuthenticationFailed")
        expect(error.isRetryable).toBe(false)
        expect(error.message).toContain("the broker refused the SASL OAUTHBEARER token (invalid_token; the token: ")
        expect(error.message).toContain("expired at 2023-11-14T22:13:20Z, audience other, issuer https://sso")
        expect(error.advice).toContain("check Secret kafka-token, key token")
        expect(log.confirmed).toBe(1)
        expect(log.violations).toBe(0)
        expect(JSON.stringify(error) + String(error.stack)).not.toContain(token)
      })
  )

  it.live("never repeats a broker's text that quotes the token", () =>
    Effect.gen(function* () {
      const { server } = yield* bearerBroker(() => ({ refusal: "opaque-token is unknown" }))
      const error = yield* Effect.flip(KafkaJsWire.make(target(server, given("opaque-token"))))
      expect(error.message).toContain("left out because it quotes the token")
      expect(JSON.stringify(error) + String(error.stack)).not.toContain("opaque-token")
    })
  )

  it.live("renews each session with a token that was asked for anew, and sends nothing else meanwhile", () =>
    Effect.gen(function* () {
      const { received, url } = yield* httpServer((_, count) => ({
        body: { access_token: `token-${count}`, expires_in: 1 }
      }))
      const { log, server } = yield* bearerBroker(() => ({ sessionMillis: 1001 }))
      const source = withClient(url)
      const wire = yield* KafkaJsWire.make(target(server, source), { reauthenticateBefore: "10 seconds" })
      const fetch = wire
        .fetch({ topic: "orders", partition: 0, leader: 1, offset: 0, maxBytes: 1024, maxWaitMillis: 1 })
        .pipe(Effect.tap(({ release }) => Effect.sync(release)))
      while (log.messages.length < 5) {
        yield* fetch
        yield* Effect.sleep("5 millis")
      }
      expect(log.violations).toBe(0)
      expect(new Set(log.messages).size).toBe(log.messages.length)
      expect(received.length).toBeGreaterThanOrEqual(5)
    })
  )

  it.live("reads the file of a token again for each renewal", () =>
    Effect.gen(function* () {
      const { log, server } = yield* bearerBroker(() => ({ sessionMillis: 1000 }))
      let written = 1
      const fresh = (): KafkaTarget => target(server, given(`token-${written}`), { reread: Effect.sync(fresh) })
      const wire = yield* KafkaJsWire.make(fresh(), { reauthenticateBefore: "10 seconds" })
      written = 2
      while (log.messages.length < 3) {
        yield* wire.metadata(["orders"])
        yield* Effect.sleep("5 millis")
      }
      expect(log.messages[0]).toContain("token-1")
      expect(log.messages.at(-1)).toContain("token-2")
      expect(log.violations).toBe(0)
    })
  )

  it.live("that gets no token says why, once for all servers, and asks no broker", () =>
    Effect.gen(function* () {
      const { received, url } = yield* httpServer(() => ({ status: 401, body: { error: "invalid_client" } }))
      const { log, server } = yield* bearerBroker(() => ({}))
      const source = withClient(url)
      const servers = [server, server.replace("127.0.0.1", "localhost")]
      const error = yield* Effect.flip(KafkaJsWire.make({ ...target(server, source), bootstrapServers: servers }))
      expect(error.reason._tag).toBe("KafkaAuthenticationFailed")
      expect(error.message.match(/invalid_client/g)).toHaveLength(1)
      expect(received).toHaveLength(1)
      expect(log.messages).toHaveLength(0)
    })
  )

  it.live("whose client is refused later waits for a rotation, as it does for passwords", () =>
    Effect.gen(function* () {
      const { url } = yield* httpServer((_, count) =>
        count === 1
          ? { body: { access_token: "first", expires_in: 1 } }
          : { status: 401, body: { error: "invalid_client" } }
      )
      const { server } = yield* bearerBroker(() => ({ sessionMillis: 1000 }))
      const wire = yield* KafkaJsWire.make(target(server, withClient(url)), { reauthenticateBefore: "10 seconds" })
      // What the first token still allows goes on.
      const failure = yield* Effect.flip(
        Effect.forever(Effect.andThen(wire.metadata(["orders"]), Effect.sleep("20 millis")))
      )
      expect(failure.isRetryable).toBe(true)
      expect(failure.message).toContain("invalid_client")
      expect(failure.message).toContain("although it accepted credentials earlier in this run")
      expect(failure.advice).toContain("update Secret kafka-client, keys clientId and clientSecret")
    })
  )

  it.live("waits for an endpoint that is away after it has worked, whatever its failure looks like", () =>
    Effect.gen(function* () {
      const { url } = yield* httpServer((_, count) =>
        count === 1 ? { body: { access_token: "first", expires_in: 1 } } : { status: 404 }
      )
      const { server } = yield* bearerBroker(() => ({ sessionMillis: 1000 }))
      const wire = yield* KafkaJsWire.make(target(server, withClient(url)), { reauthenticateBefore: "10 seconds" })
      const failure = yield* Effect.flip(
        Effect.forever(Effect.andThen(wire.metadata(["orders"]), Effect.sleep("20 millis")))
      )
      expect(failure.reason._tag).toBe("TokenUnavailable")
      expect(failure.isRetryable).toBe(true)
    })
  )
})

describe("IAM of Amazon MSK", () => {
  const msk = (server: string): KafkaTarget => ({
    bootstrapServers: [server],
    sasl: {
      mechanism: "AWS_MSK_IAM",
      region: "eu-central-1",
      credentials: {
        accessKeyId: Redacted.make("EXAMPLEKEY"),
        secretAccessKey: Redacted.make("example-secret"),
        origin: { secret: "msk-keys", keys: ["accessKey", "secretKey"] }
      }
    }
  })

  it.live("is a signed request as the token of OAUTHBEARER", () =>
    Effect.gen(function* () {
      const { log, server } = yield* bearerBroker(() => ({}))
      yield* KafkaJsWire.make(msk(server))
      const [, token = ""] = /^n,,\x01auth=Bearer ([A-Za-z0-9_-]+)\x01\x01$/u.exec(log.messages[0] ?? "") ?? []
      const url = new URL(Buffer.from(token, "base64url").toString())
      expect(url.host).toBe("kafka.eu-central-1.amazonaws.com")
      expect(url.searchParams.get("Action")).toBe("kafka-cluster:Connect")
    })
  )

  it.live("that is refused names the right that is missing, the Secret and the region, and no key", () =>
    Effect.gen(function* () {
      const { server } = yield* bearerBroker(() => ({ refusal: "[abc]: Access denied" }))
      const error = yield* Effect.flip(KafkaJsWire.make(msk(server)))
      expect(error.message).toContain("the broker refused the SASL AWS_MSK_IAM token ([abc]: Access denied)")
      expect(error.advice).toContain(
        "allow kafka-cluster:Connect on the cluster to the user of the keys in Secret msk-keys, keys accessKey"
      )
      expect(error.advice).toContain("check region in sasl.awsMskIam")
      expect(JSON.stringify(error) + String(error.stack)).not.toMatch(/example-secret|EXAMPLEKEY/u)
    })
  )
})
