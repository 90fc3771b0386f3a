import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type net from "node:net"
import type { PasswordCredentials } from "../../../src/kafka/KafkaCredentials.ts"
import type { KafkaTarget } from "../../../src/kafka/KafkaTarget.ts"
import * as KafkaJsWire from "../../../src/kafka/KafkaJsWire.ts"
import { Writer } from "../../../src/kafka/kafkajs/protocol/Writer.ts"
import { answerMetadata, fakeBroker, fetchBody, type Handler } from "./fakeBroker.ts"

const password = "correct horse"

const target = (
  server: string,
  given = password,
  mechanism: PasswordCredentials["mechanism"] = "PLAIN"
): KafkaTarget => ({
  bootstrapServers: [server],
  sasl: {
    mechanism,
    username: Redacted.make("backup"),
    password: Redacted.make(given),
    secret: "kafka-credentials",
    usernameKey: "user",
    passwordKey: "pass"
  }
})

/**
 * A listener with SASL PLAIN that, as Kafka does, ends a connection on anything but authentication before it, in the
 * middle of it, and after the session's end.
 */
const saslBroker = (options: { readonly sessionMillis: number; readonly refusal?: string }) =>
  Effect.gen(function* () {
    const sessions = new Map<net.Socket, { authenticating: boolean; until: number }>()
    const log = { authentications: 0, violations: 0 }
    const nodes: Array<{ nodeId: number; port: number }> = []
    const guarded =
      (handler: Handler): Handler =>
      (request, connection) => {
        const session = sessions.get(connection.socket)
        if (session !== undefined && !session.authenticating && Date.now() < session.until) {
          return handler(request, connection)
        }
        log.violations++
        connection.socket.destroy()
      }
    const broker = yield* fakeBroker({
      on: {
        1: guarded((request, connection) => connection.answer(request, fetchBody(request, Buffer.from("records")))),
        3: guarded(answerMetadata(() => nodes)),
        17: (request, connection) => {
          sessions.set(connection.socket, { authenticating: true, until: 0 })
          const isOffered = request.body.includes("PLAIN")
          const w = new Writer(false)
            .int16(isOffered ? 0 : 33)
            .arrayLength(1)
            .string("PLAIN")
          connection.answer(request, w.finish())
        },
        36: (request, connection) => {
          const isRight = request.body.includes(`\0backup\0${password}`)
          if (isRight) log.authentications++
          sessions.set(connection.socket, {
            authenticating: !isRight,
            until: isRight ? Date.now() + options.sessionMillis : 0
          })
          const w = new Writer(false)
            .int16(isRight ? 0 : 58)
            .string(options.refusal ?? "invalid credentials")
            .int32(0)
          const answer = w.int64(options.sessionMillis).finish()
          // Long enough that other requests would slip in between, if nothing kept them back.
          setTimeout(() => connection.answer(request, answer), 5)
        }
      }
    })
    nodes.push({ nodeId: 1, port: broker.port })
    return { server: broker.server, log }
  })

describe("a SASL session", () => {
  it.live("is renewed before it ends, and nothing else is sent meanwhile", () =>
    Effect.gen(function* () {
      // Time enough for a machine that is busy for a moment.
      const { server, log } = yield* saslBroker({ sessionMillis: 1000 })
      const wire = yield* KafkaJsWire.make(target(server), { reauthenticateBefore: "700 millis" })
      const fetch = wire
        .fetch({ topic: "orders", partition: 0, leader: 1, offset: 0, maxBytes: 1024, maxWaitMillis: 1 })
        .pipe(Effect.tap(({ release }) => Effect.sync(release)))
      const lane = Effect.gen(function* () {
        while (log.authentications < 8) {
          yield* fetch
          yield* Effect.sleep("1 millis")
        }
      })
      yield* Effect.all([lane, lane, lane, lane], { concurrency: "unbounded" })
      expect(log.violations).toBe(0)
    })
  )

  it.live("refused names the Secret, its keys and the mechanism, and no secret value", () =>
    Effect.gen(function* () {
      const { server } = yield* saslBroker({ sessionMillis: 0, refusal: "user backup: 'battery staple' is wrong" })
      const error = yield* Effect.flip(KafkaJsWire.make(target(server, "battery staple")))
      expect(error.reason._tag).toBe("KafkaAuthenticationFailed")
      expect(error.isRetryable).toBe(false)
      expect(error.message).toContain("refused the SASL PLAIN credentials")
      expect(error.advice).toContain("Secret kafka-credentials, keys user and pass")
      const everything = `${error.message} ${error.advice} ${JSON.stringify(error)} ${String(error.stack)}`
      expect(everything).not.toContain("battery staple")
    })
  )

  it.live("of a mechanism that the listener lacks fails and names those that it offers", () =>
    Effect.gen(function* () {
      const { server } = yield* saslBroker({ sessionMillis: 0 })
      const error = yield* Effect.flip(KafkaJsWire.make(target(server, password, "SCRAM-SHA-512")))
      expect(error.reason._tag).toBe("KafkaAuthenticationFailed")
      expect(error.message).toContain("does not offer SASL mechanism SCRAM-SHA-512; it offers PLAIN")
    })
  )

  it.live("that is missing is named when a listener closes connections without SASL", () =>
    Effect.gen(function* () {
      const { server } = yield* saslBroker({ sessionMillis: 0 })
      const error = yield* Effect.flip(KafkaJsWire.make({ bootstrapServers: [server] }))
      expect(error.reason._tag).toBe("KafkaAuthenticationFailed")
      expect(error.message).toContain("the listener requires SASL; it offers PLAIN")
      expect(error.advice).toContain("SASL_PLAINTEXT or SASL_SSL")
    })
  )
})
