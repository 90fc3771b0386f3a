import { Effect } from "effect"
import net from "node:net"
import tls from "node:tls"
import { Writer } from "../../../src/kafka/kafkajs/protocol/Writer.ts"

export interface Request {
  readonly apiKey: number
  readonly version: number
  readonly correlationId: number
  /** After the header, and after its tag buffer in flexible versions. */
  readonly body: Buffer
}

export interface Connection {
  readonly socket: net.Socket
  /** The frame of an answer, with length and header; `body` begins after the header. */
  readonly frame: (request: Request, body: Buffer) => Buffer
  readonly answer: (request: Request, body: Buffer) => void
}

export type Handler = (request: Request, connection: Connection) => void

export interface Behaviour {
  /** By API key: lowest and highest version. What is left out is Kafka 4.3's range, as far as the tests need it. */
  readonly ranges?: Readonly<Record<number, readonly [number, number]>>
  readonly on?: Readonly<Record<number, Handler>>
  readonly tls?: { readonly key: string; readonly cert: string }
  readonly nodeId?: number
  /** Ends the connection on a length that no request has, as Kafka does; otherwise waits for the rest for ever. */
  readonly hangUpOnGarbage?: boolean
  readonly nodes?: () => ReadonlyArray<{ readonly nodeId: number; readonly port: number }>
}

export interface FakeBroker {
  readonly port: number
  readonly server: string
  /** Every request, in the order of arrival. */
  readonly requests: ReadonlyArray<Request>
  readonly connections: () => number
  readonly openConnections: () => number
}

/** First flexible version by API key, of those that the wire uses. Source: Kafka protocol guide. */
const flexibleFrom: Readonly<Record<number, number>> = {
  0: 9,
  1: 12,
  2: 6,
  3: 9,
  8: 8,
  9: 6,
  10: 3,
  16: 3,
  19: 5,
  22: 2,
  32: 4
}

const kafka4: Readonly<Record<number, readonly [number, number]>> = {
  0: [0, 13],
  1: [4, 18],
  2: [1, 11],
  3: [0, 13],
  9: [1, 10],
  10: [0, 6],
  16: [0, 5],
  17: [0, 1],
  18: [0, 4],
  19: [2, 7],
  22: [0, 6],
  32: [1, 4],
  36: [0, 2]
}

const isFlexible = ({ apiKey, version }: Pick<Request, "apiKey" | "version">) => version >= (flexibleFrom[apiKey] ?? 99)

const parse = (frame: Buffer): Request => {
  const apiKey = frame.readInt16BE(4)
  const version = frame.readInt16BE(6)
  const clientIdBytes = Math.max(0, frame.readInt16BE(12))
  const bodyAt = 14 + clientIdBytes + (isFlexible({ apiKey, version }) ? 1 : 0)
  return { apiKey, version, correlationId: frame.readInt32BE(8), body: Buffer.from(frame.subarray(bodyAt)) }
}

const frameOf = (request: Request, body: Buffer): Buffer => {
  const writer = new Writer(false).int32(0).int32(request.correlationId)
  if (isFlexible(request)) writer.int8(0)
  const frame = Buffer.concat([writer.finish(), body])
  frame.writeInt32BE(frame.length - 4, 0)
  return frame
}

const apiVersions =
  (ranges: Readonly<Record<number, readonly [number, number]>>): Handler =>
  (request, connection) => {
    const entries = Object.entries(ranges)
    const writer = new Writer(false).int16(0).int32(entries.length)
    for (const [key, [lowest, highest]] of entries) writer.int16(Number(key)).int16(lowest).int16(highest)
    connection.answer(request, writer.int32(0).finish())
  }

/** Brokers and one topic `orders` of one partition led by the first of them. */
export const answerMetadata =
  (nodes: () => ReadonlyArray<{ readonly nodeId: number; readonly port: number }>): Handler =>
  (request, connection) => {
    const w = new Writer(isFlexible(request))
    const { version } = request
    w.int32(0).arrayLength(nodes().length)
    for (const { nodeId, port } of nodes()) {
      w.int32(nodeId).string("127.0.0.1").int32(port)
      if (w.flexible) w.unsignedVarint(0)
      else w.int16(-1)
      w.noTags()
    }
    w.string("fake-cluster").int32(nodes()[0]!.nodeId).arrayLength(1)
    w.int16(0).string("orders")
    if (version >= 10) w.uuid(ordersId)
    w.boolean(false).arrayLength(1)
    w.int16(0).int32(0).int32(nodes()[0]!.nodeId)
    if (version >= 7) w.int32(4)
    w.arrayLength(1).int32(1).arrayLength(1).int32(1).arrayLength(0).noTags()
    if (version >= 8) w.int32(0)
    w.noTags()
    if (version >= 8 && version <= 10) w.int32(0)
    connection.answer(request, w.noTags().finish())
  }

export const ordersId = "0f0e0d0c-0b0a-0908-0706-050403020100"

/** The body of a Fetch answer with `records` for `orders[0]`. */
export const fetchBody = (request: Request, records: Buffer, highWatermark = 100): Buffer => {
  const w = new Writer(isFlexible(request)).int32(0).int16(0).int32(0).arrayLength(1)
  if (request.version >= 13) w.uuid(ordersId)
  else w.string("orders")
  w.arrayLength(1).int32(0).int16(0).int64(highWatermark).int64(highWatermark).int64(0)
  w.arrayLength(1).int64(7).int64(3).noTags()
  if (request.version >= 11) w.int32(-1)
  if (w.flexible) w.unsignedVarint(records.length + 1)
  else w.int32(records.length)
  return Buffer.concat([w.finish(), records, w.flexible ? Buffer.alloc(3) : Buffer.alloc(0)])
}

/** A broker on a free port of 127.0.0.1 that answers versions and metadata, and what the behaviour says. */
export const fakeBroker = (behaviour: Behaviour = {}) =>
  Effect.acquireRelease(
    Effect.callback<FakeBroker & { readonly close: () => void }>((resume) => {
      const requests: Array<Request> = []
      const sockets = new Set<net.Socket>()
      let connections = 0
      const serve = (socket: net.Socket) => {
        connections++
        sockets.add(socket)
        socket.on("close", () => sockets.delete(socket))
        socket.on("error", () => undefined)
        const connection: Connection = {
          socket,
          frame: frameOf,
          answer: (request, body) => socket.write(frameOf(request, body))
        }
        let pending = Buffer.alloc(0)
        socket.on("data", (chunk: Buffer) => {
          pending = Buffer.concat([pending, chunk])
          if (behaviour.hangUpOnGarbage === true && pending.length >= 4 && pending.readInt32BE(0) > 1e8)
            socket.destroy()
          while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
            const bytes = 4 + pending.readInt32BE(0)
            const request = parse(pending.subarray(0, bytes))
            pending = pending.subarray(bytes)
            requests.push(request)
            const handler = behaviour.on?.[request.apiKey] ?? standard[request.apiKey]
            if (handler === undefined) socket.destroy()
            else handler(request, connection)
          }
        })
      }
      const server = behaviour.tls === undefined ? net.createServer(serve) : tls.createServer(behaviour.tls, serve)
      server.on("tlsClientError", () => undefined)
      const portOf = () => (server.address() as net.AddressInfo).port
      const standard: Readonly<Record<number, Handler>> = {
        3: answerMetadata(behaviour.nodes ?? (() => [{ nodeId: behaviour.nodeId ?? 1, port: portOf() }])),
        18: apiVersions({ ...kafka4, ...behaviour.ranges })
      }
      server.listen(0, "127.0.0.1", () =>
        resume(
          Effect.succeed({
            port: portOf(),
            server: `127.0.0.1:${portOf()}`,
            requests,
            connections: () => connections,
            openConnections: () => sockets.size,
            close: () => {
              for (const socket of sockets) socket.destroy()
              server.close()
            }
          })
        )
      )
    }),
    ({ close }) => Effect.sync(close)
  )
