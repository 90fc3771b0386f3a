import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Buffer } from "node:buffer"
import type { KafkaError } from "../../../src/kafka/KafkaError.ts"
import * as KafkaJsWriteWire from "../../../src/kafka/KafkaJsWriteWire.ts"
import { Writer } from "../../../src/kafka/kafkajs/protocol/Writer.ts"
import { type Connection, fakeBroker, ordersId, type Request } from "./fakeBroker.ts"

const connectTo = (...bootstrapServers: ReadonlyArray<string>) =>
  KafkaJsWriteWire.make({ bootstrapServers }, { connectTimeout: "3 seconds", requestTimeout: "2 seconds" })

const failure = <A>(work: Effect.Effect<A, KafkaError>) => Effect.flip(work)

const produceKey = 0
const createTopicsKey = 19

/** An answer to Produce 13 for `orders[0]`. */
const produced = (request: Request, connection: Connection, baseOffset: number) => {
  const w = new Writer(true).arrayLength(1).uuid(ordersId).arrayLength(1).int32(0).int16(0).int64(baseOffset)
  w.int64(-1).int64(0).arrayLength(0).nullableString(undefined).noTags().noTags().int32(0)
  connection.answer(request, w.noTags().finish())
}

const orders = (...batch: ReadonlyArray<Buffer>) => ({
  topic: "orders",
  topicId: ordersId,
  partition: 0,
  leader: 1,
  batch
})

/** The record set of a Produce 13 request for one partition. */
const batchIn = ({ body }: Request): Buffer => {
  // No transactional id, acks, time, one topic with its id, one partition and its index.
  let at = 1 + 2 + 4 + 1 + 16 + 1 + 4
  let length = 0
  for (let shift = 0; ; shift += 7) {
    const byte = body[at++]!
    length += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  return body.subarray(at, at + length - 1)
}

describe("KafkaJsWriteWire", () => {
  it.live("sends the pieces of a batch one behind the other, whatever their sizes", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker({ on: { [produceKey]: (request, to) => produced(request, to, 5) } })
      const wire = yield* connectTo(broker.server)
      const pieces = [Buffer.alloc(61, 1), Buffer.alloc(1_000_000, 2), Buffer.alloc(0), Buffer.from([3])]
      const sent = yield* wire.produce(orders(...pieces))
      expect(yield* sent.answer).toEqual({ errorCode: 0, detail: undefined, baseOffset: 5, throttleMillis: 0 })
      const request = broker.requests.find(({ apiKey }) => apiKey === produceKey)
      expect(request!.version).toBe(13)
      expect(batchIn(request!).equals(Buffer.concat(pieces))).toBe(true)
    })
  )

  it.live("sends over one connection without waiting for answers", () =>
    Effect.gen(function* () {
      const held: Array<() => void> = []
      const broker = yield* fakeBroker({
        on: {
          [produceKey]: (request, to) => {
            held.push(() => produced(request, to, held.length))
            if (held.length === 3) for (const answer of held) answer()
          }
        }
      })
      const wire = yield* connectTo(broker.server)
      const sent = yield* Effect.forEach([1, 2, 3], (i) => wire.produce(orders(Buffer.from([i]))))
      expect(new Set(sent.map(({ connection }) => connection)).size).toBe(1)
      yield* Effect.forEach(sent, ({ answer }) => answer, { concurrency: "unbounded" })
      const requests = broker.requests.filter(({ apiKey }) => apiKey === produceKey)
      expect(requests.map((request) => batchIn(request)[0])).toEqual([1, 2, 3])
      expect(broker.connections(), "control requests have a connection of their own").toBe(2)
    })
  )

  it.live("fails everything in flight with its connection, and sends no more over another when asked not to", () =>
    Effect.gen(function* () {
      let isLost = false
      const broker = yield* fakeBroker({
        on: {
          [produceKey]: (request, to) => {
            if (isLost) return produced(request, to, 9)
            if (batchIn(request)[0] === 2) {
              isLost = true
              to.socket.destroy()
            }
          }
        }
      })
      const wire = yield* connectTo(broker.server)
      const first = yield* wire.produce(orders(Buffer.from([1])))
      const second = yield* wire.produce(orders(Buffer.from([2])), first.connection)
      const errors = yield* Effect.forEach([first, second], ({ answer }) => failure(answer), {
        concurrency: "unbounded"
      })
      for (const error of errors) {
        expect(error.isRetryable).toBe(true)
        expect(error.operation).toBe("produce")
      }
      const refused = yield* failure(wire.produce(orders(Buffer.from([3])), first.connection))
      expect(refused.isRetryable).toBe(true)
      expect(refused.message).toContain("the connection was lost before the request was sent")
      const other = yield* wire.produce(orders(Buffer.from([4])))
      expect(other.connection).not.toBe(first.connection)
      expect((yield* other.answer).baseOffset).toBe(9)
    })
  )

  it.live("drops the answer of an interrupted batch", () =>
    Effect.gen(function* () {
      const held: Array<() => void> = []
      const broker = yield* fakeBroker({
        on: {
          [produceKey]: (request, to) => void held.push(() => produced(request, to, batchIn(request)[0]!))
        }
      })
      const wire = yield* connectTo(broker.server)
      const first = yield* wire.produce(orders(Buffer.from([1])))
      const waiting = yield* Effect.forkChild(first.answer)
      yield* Effect.yieldNow
      yield* Fiber.interrupt(waiting)
      const second = yield* wire.produce(orders(Buffer.from([2])))
      while (held.length < 2) yield* Effect.sleep("5 millis")
      for (const answer of held) answer()
      expect((yield* second.answer).baseOffset).toBe(2)
    })
  )

  it.live("answers for a broker that the cluster does not have", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker()
      const wire = yield* connectTo(broker.server)
      const sent = yield* wire.produce({ ...orders(Buffer.from([1])), leader: 7 })
      expect((yield* sent.answer).errorCode).toBe(5)
      expect(yield* wire.deleteRecords(7, { topic: "orders", partition: 0 }, 0)).toBe(5)
      expect((yield* wire.committedOffsets(7, "g")).errorCode).toBe(15)
      expect(yield* wire.commitOffsets(7, "g", [{ topic: "orders", partition: 0, offset: 0 }])).toEqual([15])
      expect((yield* wire.initProducer(7, "id")).errorCode).toBe(15)
    })
  )

  it.live("creates topics at the controller", () =>
    Effect.gen(function* () {
      const nodes: Array<{ nodeId: number; port: number }> = []
      const create = (request: Request, to: Connection) => {
        const w = new Writer(true).int32(0).arrayLength(1).string("new").uuid(ordersId).int16(0)
        w.nullableString(undefined).int32(1).int16(1).arrayLength(0).noTags().noTags()
        to.answer(request, w.finish())
      }
      const controller = yield* fakeBroker({ nodes: () => nodes, on: { [createTopicsKey]: create } })
      const other = yield* fakeBroker({ nodes: () => nodes })
      nodes.push({ nodeId: 1, port: controller.port }, { nodeId: 2, port: other.port })
      const wire = yield* connectTo(other.server)
      const topic = { name: "new", partitions: 1, replicationFactor: 1, configs: {} }
      expect(yield* wire.createTopics([topic], false)).toEqual([
        { name: "new", errorCode: 0, detail: undefined, replicationFactor: 1, topicId: ordersId }
      ])
      expect(controller.requests.filter(({ apiKey }) => apiKey === createTopicsKey)).toHaveLength(1)
    })
  )

  it.live("names the API and both ranges when a cluster is too old to be written to", () =>
    Effect.gen(function* () {
      const broker = yield* fakeBroker({ ranges: { 0: [0, 6] } })
      const error = yield* failure(connectTo(broker.server).pipe(Effect.scoped))
      expect(error).toMatchObject({ operation: "connect", isRetryable: false })
      expect(error.message).toContain("no common version of Produce (broker: 0-6, supported: 7-13)")
    })
  )
})
