import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Latch } from "effect"
import { KafkaError } from "../../../src/kafka/KafkaError.ts"
import * as KafkaJsWire from "../../../src/kafka/KafkaJsWire.ts"
import type { WireFetch } from "../../../src/kafka/KafkaWire.ts"
import { Writer } from "../../../src/kafka/kafkajs/protocol/Writer.ts"
import { answerMetadata, type Connection, fakeBroker, fetchBody, ordersId, type Request } from "./fakeBroker.ts"

const api = { fetch: 1, listOffsets: 2, metadata: 3, offsetFetch: 9, findCoordinator: 10, listGroups: 16, configs: 32 }

const orders: WireFetch = { topic: "orders", partition: 0, leader: 1, offset: 0, maxBytes: 1024, maxWaitMillis: 10 }

const connectTo = (...bootstrapServers: ReadonlyArray<string>) =>
  KafkaJsWire.make({ bootstrapServers }, { connectTimeout: "3 seconds", requestTimeout: "2 seconds" })

/** What went wrong, as a person and the retry policy see it. */
const failure = <A, R>(effect: Effect.Effect<A, KafkaError, R>) =>
  Effect.flip(effect).pipe(
    Effect.map((error) => ({
      tag: error.reason._tag,
      operation: error.operation,
      message: error.message,
      isRetryable: error.isRetryable,
      advice: error.advice
    }))
  )

const bodyOf = (text: string) => Buffer.from(text)

/** A ListGroups answer of version 5. */
const groupList = (ids: ReadonlyArray<string>) => {
  const w = new Writer(true).int32(0).int16(0).arrayLength(ids.length)
  for (const id of ids) w.string(id).string("consumer").string("Empty").string("Consumer").noTags()
  return w.noTags().finish()
}

describe("KafkaJsWire, connecting", () => {
  it.live("returns the topics of the cluster with ids, leaders and epochs", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker()
      const wire = yield* connectTo(broker.server)
      expect(yield* wire.metadata("all")).toEqual({
        clusterId: "fake-cluster",
        brokers: [1],
        topics: [
          {
            errorCode: 0,
            name: "orders",
            topicId: ordersId,
            isInternal: false,
            partitions: [{ partition: 0, errorCode: 0, leader: 1, leaderEpoch: 4, replicas: [1] }]
          }
        ]
      })
    })
  )

  it.live("asks for all topics or the named ones, and never lets the broker create one", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker()
      const wire = yield* connectTo(broker.server)
      yield* wire.metadata("all")
      yield* wire.metadata(["orders"])
      const bodies = broker.requests.filter(({ apiKey }) => apiKey === api.metadata).map(({ body }) => body)
      const noCreation = Buffer.alloc(3)
      const byName = new Writer(true).arrayLength(1).zeroUuid().string("orders").noTags().finish()
      expect(bodies.slice(1)).toEqual([
        Buffer.concat([Buffer.from([0]), noCreation]),
        Buffer.concat([byName, noCreation])
      ])
    })
  )

  it.live("uses another server of the list when the first is down", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker()
      const wire = yield* connectTo("127.0.0.1:1", broker.server)
      expect((yield* wire.metadata(["orders"])).topics).toHaveLength(1)
    })
  )

  it.live("names every server that was tried, and why it failed", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker({
        on: { 18: (_, { socket }) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n") }
      })
      const error = yield* failure(connectTo("127.0.0.1:1", broker.server))
      expect(error).toMatchObject({ tag: "BrokerUnreachable", operation: "connect", isRetryable: true })
      expect(error.message).toContain("127.0.0.1:1: the connection was refused")
      expect(error.message).toContain(`${broker.server}: the server speaks HTTP, not Kafka`)
      expect(error.advice).toContain("bootstrapServers")
    })
  )

  it.live("does not wait longer than its time-out for a silent server", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker({ on: { 18: () => undefined } })
      const error = yield* failure(
        KafkaJsWire.make({ bootstrapServers: [broker.server] }, { connectTimeout: "200 millis" })
      )
      expect(error).toMatchObject({ tag: "BrokerUnreachable", isRetryable: true })
      expect(error.message).toContain("did not answer the first request within")
    })
  )

  it.live("recognises a TLS alert", () =>
    Effect.gen(function* () {
      const alert = Buffer.from("15030300020246", "hex")
      const broker = yield* fakeBroker({ on: { 18: (_, { socket }) => socket.write(alert) } })
      const error = yield* failure(connectTo(broker.server))
      expect(error).toMatchObject({ tag: "BrokerUnreachable", isRetryable: false })
      expect(error.message).toContain("the listener speaks TLS")
      expect(error.advice).toContain("securityProtocol to SSL or SASL_SSL")
    })
  )

  it.live("names the API and both ranges when a cluster is too new or too old", () =>
    Effect.gen(function* () {
      const tooNew = yield* fakeBroker({ ranges: { 1: [14, 20] } })
      const error = yield* failure(connectTo(tooNew.server))
      expect(error).toMatchObject({ tag: "ProtocolFailure", isRetryable: false })
      expect(error.message).toContain("no common version of Fetch (broker: 14-20, supported: 10-13)")
      const tooOld = yield* fakeBroker({ ranges: { 1: [0, 3], 3: [0, 4] } })
      expect((yield* failure(connectTo(tooOld.server))).message).toContain(
        "Metadata (broker: 0-4, supported: 5-12), Fetch (broker: 0-3, supported: 10-13)"
      )
    })
  )

  it.live("refuses an invalid address before connecting", () =>
    Effect.gen(function* () {
      const error = yield* failure(connectTo("kafka"))
      expect(error).toMatchObject({ tag: "BrokerUnreachable", operation: "connect", isRetryable: false })
      expect(error.advice).toContain("host:port")
    })
  )

  it.live("closes every connection with its scope", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker({
        on: { 1: (request, connection) => connection.answer(request, fetchBody(request, bodyOf("x"))) }
      })
      yield* Effect.gen(function* () {
        const wire = yield* connectTo(broker.server)
        ;(yield* wire.fetch(orders)).release()
        expect(broker.openConnections()).toBe(2)
      }).pipe(Effect.scoped)
      while (broker.openConnections() > 0) yield* Effect.sleep("5 millis")
    })
  )
})

describe("KafkaJsWire, fetching", () => {
  const answering = (handler: (request: Request, connection: Connection) => void) => fakeBroker({ on: { 1: handler } })

  it.live("reads one partition, committed records only, over a connection of its own", () =>
    Effect.gen(function* () {
      const broker = yield* answering((request, connection) =>
        connection.answer(request, fetchBody(request, bodyOf("records")))
      )
      const wire = yield* connectTo(broker.server)
      const fetched = yield* wire.fetch({ ...orders, topicId: ordersId, offset: 2 ** 40 + 1 })
      expect(fetched).toMatchObject({
        errorCode: 0,
        throttleMillis: 0,
        highWatermark: 100,
        lastStableOffset: 100,
        logStartOffset: 0,
        aborted: [{ producerId: 7, firstOffset: 3 }],
        preferredReadReplica: -1
      })
      expect(fetched.records.toString()).toBe("records")
      fetched.release()
      const request = broker.requests.find(({ apiKey }) => apiKey === api.fetch)!
      const isolationLevel = request.body[16]
      expect([request.version, isolationLevel]).toEqual([13, 1])
      expect(request.body.includes(Buffer.from(ordersId.replaceAll("-", ""), "hex"))).toBe(true)
      expect(request.body.includes(Buffer.from("0000010000000001", "hex"))).toBe(true)
      expect(broker.connections()).toBe(2)
    })
  )

  it.live("asks by name where there is no topic id, and where the broker is older than ids", () =>
    Effect.gen(function* () {
      const handler = (request: Request, connection: Connection) =>
        connection.answer(request, fetchBody(request, bodyOf("old")))
      const current = yield* answering(handler)
      const old = yield* fakeBroker({ ranges: { 1: [0, 10], 2: [0, 4], 3: [0, 7] }, on: { 1: handler } })
      for (const [broker, version] of [
        [current, 12],
        [old, 10]
      ] as const) {
        const wire = yield* connectTo(broker.server)
        expect((yield* wire.metadata(["orders"])).topics[0]!.partitions[0]!.leaderEpoch).toBe(4)
        const fetched = yield* wire.fetch(orders)
        expect(fetched.records.toString()).toBe("old")
        expect(broker.requests.at(-1)).toMatchObject({ apiKey: api.fetch, version })
        expect(broker.requests.at(-1)!.body.includes("orders")).toBe(true)
      }
    })
  )

  it.live("assembles an answer that arrives byte by byte", () =>
    Effect.gen(function* () {
      const broker = yield* answering((request, connection) => {
        connection.socket.setNoDelay(true)
        const frame = connection.frame(request, fetchBody(request, bodyOf("drop by drop")))
        const next = (at: number) => {
          if (at < frame.length) connection.socket.write(frame.subarray(at, at + 1), () => setImmediate(next, at + 1))
        }
        next(0)
      })
      const wire = yield* connectTo(broker.server)
      expect((yield* wire.fetch(orders)).records.toString()).toBe("drop by drop")
    })
  )

  it.live("returns the right answer to each of several requests, in any order", () =>
    Effect.gen(function* () {
      const held: Array<Request> = []
      const broker = yield* answering((request, connection) => {
        held.push(request)
        if (held.length < 4) return
        const frames = held.toReversed().map((one) => {
          const offset = one.body.includes(Buffer.from("0000000000000100", "hex")) ? "256" : "other"
          return connection.frame(one, fetchBody(one, bodyOf(offset)))
        })
        connection.socket.write(Buffer.concat(frames))
      })
      const wire = yield* connectTo(broker.server)
      const records = yield* Effect.forEach(
        [0, 1, 256, 2],
        (offset) => wire.fetch({ ...orders, offset }).pipe(Effect.map((fetched) => fetched.records.toString())),
        { concurrency: 4 }
      )
      expect(records).toEqual(["other", "other", "256", "other"])
    })
  )

  it.live("connects once for all calls that need a broker at the same time, also when that fails", () =>
    Effect.gen(function* () {
      const refusing = yield* fakeBroker({ on: { 18: (_, { socket }) => socket.destroy() } })
      const nodes: Array<{ nodeId: number; port: number }> = []
      const broker = yield* fakeBroker({
        nodes: () => nodes,
        on: { 1: (request, connection) => connection.answer(request, fetchBody(request, bodyOf("x"))) }
      })
      nodes.push({ nodeId: 1, port: broker.port }, { nodeId: 2, port: refusing.port })
      const wire = yield* connectTo(broker.server)
      const ten = Array.from({ length: 10 }, (_, offset) => offset)
      yield* Effect.forEach(ten, (offset) => wire.fetch({ ...orders, offset }), { concurrency: 10 })
      expect(broker.connections()).toBe(2)
      const failures = yield* Effect.forEach(ten, () => failure(wire.fetch({ ...orders, leader: 2 })), {
        concurrency: 10
      })
      expect(new Set(failures.map(({ tag }) => tag))).toEqual(new Set(["BrokerUnreachable"]))
      // One for the ten, and one question whether the listener speaks TLS.
      expect(refusing.connections()).toBe(2)
    })
  )

  it.live("uses a released buffer for the next answer, and never one that is still held", () =>
    Effect.gen(function* () {
      let count = 0
      const broker = yield* answering((request, connection) =>
        connection.answer(request, fetchBody(request, bodyOf(`answer ${count++}`)))
      )
      const wire = yield* connectTo(broker.server)
      const first = yield* wire.fetch(orders)
      const second = yield* wire.fetch(orders)
      expect([first, second].map(({ records }) => records.toString())).toEqual(["answer 0", "answer 1"])
      first.release()
      const third = yield* wire.fetch(orders)
      expect(third.records.buffer).toBe(first.records.buffer)
      expect(second.records.toString()).toBe("answer 1")
    })
  )

  it.live("drops an interrupted request, and its late answer disturbs no other", () =>
    Effect.gen(function* () {
      const asked = yield* Latch.make()
      const held: Array<() => void> = []
      const broker = yield* answering((request, connection) => {
        const frame = connection.frame(request, fetchBody(request, bodyOf(held.length === 0 ? "late" : "in time")))
        held.push(() => connection.socket.write(frame))
        if (held.length === 1) return Effect.runFork(asked.open)
        for (const send of held) send()
        return undefined
      })
      const wire = yield* connectTo(broker.server)
      const fiber = yield* Effect.forkChild(wire.fetch(orders))
      yield* asked.await
      yield* Fiber.interrupt(fiber)
      expect((yield* wire.fetch(orders)).records.toString()).toBe("in time")
      expect(broker.connections()).toBe(2)
    })
  )

  it.live(
    "fails what waits when the connection breaks in the middle of an answer, and connects anew for the next",
    () =>
      Effect.gen(function* () {
        let broken = false
        const broker = yield* answering((request, connection) => {
          const frame = connection.frame(request, fetchBody(request, bodyOf("whole again")))
          if (broken) return connection.socket.write(frame)
          broken = true
          return connection.socket.write(frame.subarray(0, 20), () => connection.socket.destroy())
        })
        const wire = yield* connectTo(broker.server)
        const error = yield* failure(wire.fetch(orders))
        expect(error).toMatchObject({ tag: "BrokerUnreachable", operation: "fetch", isRetryable: true })
        expect(error.message).toContain("the connection was closed before the first answer")
        expect((yield* wire.fetch(orders)).records.toString()).toBe("whole again")
      })
  )

  it.live("closes a connection without an answer, and connects again for the next request", () =>
    Effect.gen(function* () {
      let silent = true
      const broker = yield* answering((request, connection) => {
        if (!silent) connection.answer(request, fetchBody(request, bodyOf("awake")))
        silent = false
      })
      const wire = yield* KafkaJsWire.make({ bootstrapServers: [broker.server] }, { requestTimeout: "150 millis" })
      const error = yield* failure(wire.fetch(orders))
      expect(error).toMatchObject({ tag: "BrokerUnreachable", isRetryable: true })
      expect(error.message).toContain("broker 1")
      expect((yield* wire.fetch(orders)).records.toString()).toBe("awake")
      expect(broker.connections()).toBe(3)
    })
  )

  it.live("refuses an absurd length instead of allocating for it", () =>
    Effect.gen(function* () {
      const broker = yield* answering((_, { socket }) => socket.write(Buffer.from("7fffffff80000000", "hex")))
      const wire = yield* connectTo(broker.server)
      const error = yield* failure(wire.fetch(orders))
      // The broker answered before: whatever answers in its place now may go again.
      expect(error).toMatchObject({ tag: "BrokerUnreachable", isRetryable: true })
      expect(error.message).toContain("does not speak Kafka")
    })
  )

  it.live("refuses an answer that ends too early as a failure of the protocol", () =>
    Effect.gen(function* () {
      const broker = yield* answering((request, connection) =>
        connection.answer(request, fetchBody(request, bodyOf("x")).subarray(0, 30))
      )
      const wire = yield* connectTo(broker.server)
      const error = yield* failure(wire.fetch(orders))
      expect(error).toMatchObject({ tag: "ProtocolFailure", operation: "fetch", isRetryable: false })
      expect(error.message).toContain("Fetch 12 cannot be read")
    })
  )

  it.live("answers LEADER_NOT_AVAILABLE for a partition without leader, or with one that is not in the cluster", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker()
      const wire = yield* connectTo(broker.server)
      for (const leader of [-1, 77]) {
        const fetched = yield* wire.fetch({ ...orders, leader })
        expect([fetched.errorCode, fetched.records.length]).toEqual([5, 0])
        fetched.release()
        expect(yield* wire.offsets(leader, [orders, orders], "lastStable")).toEqual([
          { errorCode: 5, offset: -1 },
          { errorCode: 5, offset: -1 }
        ])
      }
    })
  )
})

describe("KafkaJsWire, asking", () => {
  it.live("asks the leader for each kind of offset", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker({
        on: {
          2: (request, connection) => {
            const w = new Writer(false).int32(0).arrayLength(1).string("orders").arrayLength(1)
            connection.answer(request, w.int32(0).int16(0).int64(-1).int64(42).int32(0).finish())
          }
        }
      })
      const wire = yield* connectTo(broker.server)
      for (const kind of ["logStart", "lastStable", "highWatermark"] as const) {
        expect(yield* wire.offsets(1, [orders], kind)).toEqual([{ errorCode: 0, offset: 42 }])
      }
      const asked = broker.requests.filter(({ apiKey }) => apiKey === api.listOffsets)
      const facts = asked.map(({ version, body }) => [version, body[4], body.readBigInt64BE(body.length - 8)])
      expect(facts).toEqual([
        [5, 1, -2n],
        [5, 1, -1n],
        [5, 0, -1n]
      ])
    })
  )

  const configs = (errorCode: number) =>
    fakeBroker({
      on: {
        32: (request, connection) => {
          const w = new Writer(false).int32(0).arrayLength(1).int16(errorCode).string("").int8(2).string("orders")
          connection.answer(request, w.arrayLength(0).finish())
        }
      }
    })

  it.live.each([
    [29, "topic orders"],
    [31, "cluster"]
  ] as const)("says what is missing when configs are refused with %d", ([errorCode, resource]) =>
    Effect.gen(function* () {
      const broker = yield* configs(errorCode)
      const wire = yield* connectTo(broker.server)
      const error = yield* failure(wire.topicConfigs(["orders"]))
      expect(error).toMatchObject({ tag: "KafkaAuthorizationFailed", operation: "configs", isRetryable: false })
      expect(error.advice).toBe(`grant the principal DescribeConfigs on ${resource}`)
    })
  )

  it.live("leaves out of the cleanup settings the topics of which they are refused, and fails where all are", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker({
        on: {
          32: (request, connection) => {
            const w = new Writer(false).int32(0).arrayLength(2)
            w.int16(29).string("").int8(2).string("secret").arrayLength(0)
            connection.answer(request, w.int16(0).string("").int8(2).string("orders").arrayLength(0).finish())
          }
        }
      })
      const wire = yield* connectTo(broker.server)
      expect([...(yield* wire.cleanup(["secret", "orders"])).keys()]).toEqual(["orders"])
      const refusing = yield* connectTo((yield* configs(31)).server)
      expect(yield* failure(refusing.cleanup(["orders"]))).toMatchObject({ tag: "KafkaAuthorizationFailed" })
    })
  )

  it.live("asks the coordinator of a group that has moved since it was listed", () =>
    Effect.gen(function* () {
      const nodes: Array<{ nodeId: number; port: number }> = []
      const offsets = (errorCode: number, offset: number) => (request: Request, connection: Connection) => {
        const w = new Writer(request.version >= 6).int32(0).arrayLength(errorCode === 0 ? 2 : 0)
        for (const topic of errorCode === 0 ? ["orders", "other"] : []) {
          w.string(topic).arrayLength(2).int32(0).int64(offset).int32(4).string("m").int16(0).noTags()
          w.int32(1).int64(-1).int32(-1).string("").int16(0).noTags().noTags()
        }
        connection.answer(request, w.int16(errorCode).noTags().finish())
      }
      const groups = (ids: ReadonlyArray<string>) => (request: Request, connection: Connection) => {
        connection.answer(request, groupList(ids))
      }
      const coordinator = (request: Request, connection: Connection) =>
        connection.answer(
          request,
          new Writer(false).int32(0).int16(0).string("").int32(2).string("127.0.0.1").int32(nodes[1]!.port).finish()
        )
      const on = { 10: coordinator }
      const former = yield* fakeBroker({ nodes: () => nodes, on: { ...on, 16: groups(["g1"]), 9: offsets(16, 0) } })
      const present = yield* fakeBroker({ nodes: () => nodes, on: { ...on, 16: groups([]), 9: offsets(0, 17) } })
      nodes.push({ nodeId: 1, port: former.port }, { nodeId: 2, port: present.port })
      const wire = yield* connectTo(former.server)
      expect(yield* wire.groupOffsets(["orders"])).toEqual([
        {
          groupId: "g1",
          type: "consumer",
          offsets: [{ topic: "orders", partition: 0, offset: 17, metadata: "m", leaderEpoch: 4 }]
        }
      ])
    })
  )

  it.live("leaves out groups that the principal may not read", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker({
        on: {
          16: (request, connection) => connection.answer(request, groupList(["secret"])),
          9: (request, connection) =>
            connection.answer(request, new Writer(false).int32(0).arrayLength(0).int16(30).finish())
        }
      })
      const wire = yield* connectTo(broker.server)
      expect(yield* wire.groupOffsets(["orders"])).toEqual([])
    })
  )

  it.live("asks the other brokers for metadata when the one it was connected to is gone", () =>
    Effect.gen(function* () {
      const nodes: Array<{ nodeId: number; port: number }> = []
      let asked = 0
      const tell = answerMetadata(() => nodes)
      const leaving = yield* fakeBroker({
        on: { 3: (request, connection) => (asked++ === 0 ? tell(request, connection) : connection.socket.destroy()) }
      })
      const staying = yield* fakeBroker({ nodes: () => nodes })
      nodes.push({ nodeId: 1, port: 1 }, { nodeId: 2, port: staying.port })
      const wire = yield* connectTo(leaving.server)
      expect((yield* wire.metadata(["orders"])).topics).toHaveLength(1)
      expect([asked, staying.requests.at(-1)?.apiKey]).toEqual([2, api.metadata])
    })
  )
})
