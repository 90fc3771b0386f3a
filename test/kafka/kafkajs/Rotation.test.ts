import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type net from "node:net"
import type { KafkaTarget } from "../../../src/kafka/KafkaTarget.ts"
import * as KafkaJsWire from "../../../src/kafka/KafkaJsWire.ts"
import { Writer } from "../../../src/kafka/kafkajs/protocol/Writer.ts"
import { answerMetadata, fakeBroker } from "./fakeBroker.ts"

/** A listener with SASL PLAIN for one user, whose password can change, and who can be cut off. */
const saslBroker = Effect.gen(function* () {
  const state = { password: "first", attempts: 0, hangsUp: false }
  const sockets = new Set<net.Socket>()
  const nodes: Array<{ nodeId: number; port: number }> = []
  const broker = yield* fakeBroker({
    on: {
      3: answerMetadata(() => nodes),
      17: (request, connection) => {
        sockets.add(connection.socket)
        connection.answer(request, new Writer(false).int16(0).arrayLength(1).string("PLAIN").finish())
      },
      36: (request, connection) => {
        if (state.hangsUp) return void connection.socket.end()
        state.attempts++
        const isRight = request.body.includes(`\0backup\0${state.password}`)
        const answer = new Writer(false)
          .int16(isRight ? 0 : 58)
          .string("invalid credentials")
          .int32(0)
          .int64(0)
        connection.answer(request, answer.finish())
      }
    }
  })
  nodes.push({ nodeId: 1, port: broker.port })
  const cutOff = Effect.promise(async () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    await new Promise((resolve) => setTimeout(resolve, 50))
  })
  return { server: broker.server, state, cutOff }
})

const target = (server: string, secret: { readonly password: string }): KafkaTarget => ({
  bootstrapServers: [server],
  sasl: {
    mechanism: "PLAIN",
    username: Redacted.make("backup"),
    password: Redacted.make(secret.password),
    secret: "kafka-credentials",
    usernameKey: "username",
    passwordKey: "password"
  },
  reread: Effect.sync(() => (secret.password === "" ? undefined : target(server, secret)))
})

describe("credentials that change while a cluster is open", () => {
  it.live("are read again for each new connection", () =>
    Effect.gen(function* () {
      const { server, state, cutOff } = yield* saslBroker
      const secret = { password: "first" }
      const wire = yield* KafkaJsWire.make(target(server, secret))
      state.password = secret.password = "second"
      yield* wire.metadata(["orders"])
      expect(state.attempts).toBe(1)
      yield* cutOff
      expect((yield* wire.metadata(["orders"])).topics[0]!.name).toBe("orders")
      expect(state.attempts).toBe(2)
    })
  )

  it.live(
    "may reach the brokers before they reach the Secret: then waiting helps, and nobody knocks again and again",
    () =>
      Effect.gen(function* () {
        const { server, state, cutOff } = yield* saslBroker
        const secret = { password: "first" }
        const wire = yield* KafkaJsWire.make(target(server, secret))
        state.password = "second"
        yield* cutOff
        const refused = yield* Effect.flip(wire.metadata(["orders"]))
        expect(refused.isRetryable).toBe(true)
        expect(refused.message).toContain("although it accepted credentials earlier in this run")
        expect(refused.advice).toContain("update Secret kafka-credentials, keys username and password")
        const attempts = state.attempts
        yield* Effect.flip(wire.metadata(["orders"]))
        expect(state.attempts).toBe(attempts)
        secret.password = ""
        yield* Effect.flip(wire.metadata(["orders"]))
        secret.password = "second"
        yield* wire.metadata(["orders"])
        expect(state.attempts).toBe(attempts + 1)
      })
  )

  it.live("are refused for good if they were never accepted", () =>
    Effect.gen(function* () {
      const { server, state } = yield* saslBroker
      const error = yield* Effect.flip(KafkaJsWire.make(target(server, { password: "wrong" })))
      expect(error).toMatchObject({ isRetryable: false, reason: { _tag: "KafkaAuthenticationFailed" } })
      expect(state.attempts).toBe(1)
    })
  )
})

describe("a broker that stops during authentication", () => {
  it.live("has refused no credentials: it can be tried again", () =>
    Effect.gen(function* () {
      const { server, state } = yield* saslBroker
      state.hangsUp = true
      const error = yield* Effect.flip(KafkaJsWire.make(target(server, { password: "first" })))
      expect(error).toMatchObject({ isRetryable: true, reason: { _tag: "BrokerUnreachable" } })
      expect(error.message).toContain("closed during SASL authentication")
    })
  )
})
