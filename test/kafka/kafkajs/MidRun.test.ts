import { createServer } from "node:http"
import dns from "node:dns"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import * as KafkaJsWire from "../../../src/kafka/KafkaJsWire.ts"
import { answerMetadata, fakeBroker } from "./fakeBroker.ts"

/** What the name servers know of `kafka-0.test` while the scope is open; every other name is looked up as usual. */
const nameServer = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const original = dns.lookup
      const names = { isKnown: true }
      const lookup = (host: string, options: object, callback: (...args: ReadonlyArray<unknown>) => void) => {
        if (host !== "kafka-0.test") return original(host, options, callback as never)
        if (names.isKnown) return original("127.0.0.1", options, callback as never)
        const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND" })
        process.nextTick(() => callback(error))
      }
      dns.lookup = lookup as typeof dns.lookup
      return { names, original }
    }),
    ({ original }) =>
      Effect.sync(() => {
        dns.lookup = original
      })
  ),
  ({ names }) => names
)

/** A broker that ends with its own scope, so that something else may take its port. */
const mortalBroker = Effect.gen(function* () {
  const scope = yield* Scope.make()
  const nodes: Array<{ nodeId: number; port: number }> = []
  const broker = yield* Scope.provide(fakeBroker({ on: { 3: answerMetadata(() => nodes) } }), scope)
  nodes.push({ nodeId: 1, port: broker.port })
  return { ...broker, end: Scope.close(scope, Exit.void) }
})

/** The web page of a load balancer that has no broker behind it. */
const balancer = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const server = createServer()
      server.on("clientError", (_, socket) => void socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n<html></html>"))
      server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )

describe("a broker that answered earlier in the run", () => {
  it.live("is waited for when no name server knows its host any more", () =>
    Effect.gen(function* () {
      const names = yield* nameServer
      const { end, port } = yield* mortalBroker
      const wire = yield* KafkaJsWire.make({ bootstrapServers: [`kafka-0.test:${port}`] })
      names.isKnown = false
      yield* end
      yield* Effect.flip(wire.metadata(["orders"]))
      const lost = yield* Effect.flip(wire.metadata(["orders"]))
      expect(lost).toMatchObject({ isRetryable: true, reason: { _tag: "BrokerUnreachable" } })
      expect(lost.message).toContain("the host name is unknown, although this broker answered earlier in this run")
      expect(lost.advice).toContain("bootstrapServers")
    })
  )

  it.live("is waited for when a load balancer answers in its place", () =>
    Effect.gen(function* () {
      const { end, port, server } = yield* mortalBroker
      const wire = yield* KafkaJsWire.make({ bootstrapServers: [server] })
      yield* end
      yield* balancer(port)
      yield* Effect.flip(wire.metadata(["orders"]))
      const lost = yield* Effect.flip(wire.metadata(["orders"]))
      expect(lost).toMatchObject({ isRetryable: true, reason: { _tag: "BrokerUnreachable" } })
      expect(lost.message).toContain("speaks HTTP, not Kafka, although this broker answered earlier in this run")
    })
  )
})

describe("a host name that no name server knows when the run begins", () => {
  it.live("is a mistake at once, and an outage in a scheduled run", () =>
    Effect.gen(function* () {
      const names = yield* nameServer
      names.isKnown = false
      const bootstrapServers = ["kafka-0.test:9092"]
      const byHand = yield* Effect.flip(KafkaJsWire.make({ bootstrapServers }))
      expect(byHand).toMatchObject({ isRetryable: false, reason: { _tag: "BrokerUnreachable" } })
      const scheduled = yield* Effect.flip(KafkaJsWire.make({ bootstrapServers, waitsForUnknownHosts: true }))
      expect(scheduled).toMatchObject({ isRetryable: true, reason: { _tag: "BrokerUnreachable" } })
    })
  )

  it.live("stays a mistake where something else than a broker answers in a scheduled run", () =>
    Effect.gen(function* () {
      const { end, port, server } = yield* mortalBroker
      yield* end
      yield* balancer(port)
      const error = yield* Effect.flip(KafkaJsWire.make({ bootstrapServers: [server], waitsForUnknownHosts: true }))
      expect(error).toMatchObject({ isRetryable: false, reason: { _tag: "BrokerUnreachable" } })
    })
  )
})
