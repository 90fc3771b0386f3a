import net from "node:net"
import tls from "node:tls"
import * as Address from "./Address.ts"
import type { BufferPool } from "./BufferPool.ts"
import * as FrameSplitter from "./FrameSplitter.ts"
import type { KafkaJsSocket, KafkaJsSocketFactory } from "./Internals.ts"

/** The answer to a request sent with `send`, from its correlation id on. */
export interface Answer {
  readonly frame: Buffer
  readonly release: () => void
}

export interface Waiting {
  /** True takes the buffer from the pool (fetch); false allocates one of the exact size. */
  readonly pooled: boolean
  readonly succeed: (answer: Answer) => void
  readonly fail: (error: Error) => void
}

/**
 * One connection for two users: kafkajs connects and authenticates on it, and `send` carries everything else.
 * Correlation ids of `send` are negative while kafkajs counts from 0, so the id of a frame shows whom the answer is
 * for.
 */
export interface DemuxSocket {
  /**
   * Sends the request that `encode` makes for a new correlation id, in pieces that follow each other; the returned
   * function drops its answer.
   */
  readonly send: (encode: (correlationId: number) => ReadonlyArray<Buffer>, waiting: Waiting) => () => void
  readonly isOpen: () => boolean
  /** Ends the connection; waiting requests fail with `error`. */
  readonly destroy: (error: Error) => void
  /** Called once, with the error that broke the connection if it is known. */
  readonly onClose: (listener: (error: Error) => void) => void
}

/** Most bytes read from the kernel at once: one call and one copy instead of sixteen for 64 KiB chunks. */
const readBytes = 1024 * 1024

/** Answers to kafkajs are versions and SASL messages. A peer that sends more does not speak Kafka. */
const maxForeignFrameBytes = 16 * 1024 * 1024

const keepAliveMillis = 60_000

/** A `socketFactory` for kafkajs that calls `opened` with each socket that it makes. */
export const factory =
  (pool: BufferPool, opened: (socket: DemuxSocket) => void): KafkaJsSocketFactory =>
  ({ host, port, ssl, onConnect }) => {
    const waiting = new Map<number, Waiting>()
    const closeListeners: Array<(error: Error) => void> = []
    let toKafkaJs: (frame: Buffer) => void = () => undefined
    let nextId = -2147483648
    let failure: Error | undefined
    let closed = false

    const split = FrameSplitter.make((correlationId, frameBytes) => {
      if (correlationId >= 0) {
        if (frameBytes > maxForeignFrameBytes) throw new FrameSplitter.NotKafka(lengthHead(frameBytes, correlationId))
        const whole = Buffer.allocUnsafe(4 + frameBytes)
        whole.writeInt32BE(frameBytes, 0)
        return { buffer: whole.subarray(4), complete: () => toKafkaJs(whole) }
      }
      // Abandoned requests are answered, too: their bytes are skipped, so that the next frame begins in the right
      // place.
      const request = waiting.get(correlationId)
      if (request === undefined) return { buffer: undefined, complete: () => undefined }
      const room = request.pooled
        ? pool.take(frameBytes)
        : { buffer: Buffer.allocUnsafeSlow(frameBytes), release: () => undefined }
      return {
        buffer: room.buffer,
        complete: () => {
          if (!waiting.delete(correlationId)) return room.release()
          request.succeed({ frame: room.buffer.subarray(0, frameBytes), release: room.release })
        }
      }
    })
    const receive = (chunk: Buffer, bytes: number) => {
      if (closed) return
      try {
        split(chunk, 0, bytes)
      } catch (cause) {
        socket.destroy(cause instanceof Error ? cause : new Error(String(cause)))
      }
    }

    const large = Buffer.allocUnsafeSlow(ssl ? 0 : readBytes)
    const socket = ssl
      ? tls.connect({ host, port, ...Address.serverName(host), ...ssl }, onConnect)
      : net.connect(
          { host, port, onread: { buffer: large, callback: (bytes) => (receive(large, bytes), true) } },
          onConnect
        )
    if (ssl) socket.on("data", (chunk: Buffer) => receive(chunk, chunk.length))
    socket.setNoDelay(true)
    socket.setKeepAlive(true, keepAliveMillis)
    socket.on("error", (error) => {
      failure ??= error
    })
    socket.on("close", () => {
      closed = true
      const error = failure ?? new ConnectionClosed()
      const lost = [...waiting.values()]
      waiting.clear()
      for (const request of lost) request.fail(error)
      for (const listener of closeListeners) listener(error)
    })

    opened({
      send: (encode, request) => {
        const id = nextId
        nextId = id === -1 ? -2147483648 : id + 1
        if (closed) {
          request.fail(failure ?? new ConnectionClosed())
          return () => undefined
        }
        const pieces = encode(id)
        waiting.set(id, request)
        // One system call for all pieces, and no copy of them.
        socket.cork()
        for (const piece of pieces) socket.write(piece)
        socket.uncork()
        return () => {
          waiting.delete(id)
        }
      },
      isOpen: () => !closed && !socket.destroyed && !socket.readableEnded,
      destroy: (error) => {
        failure ??= error
        socket.destroy(error)
      },
      onClose: (listener) => {
        if (closed) listener(failure ?? new ConnectionClosed())
        else closeListeners.push(listener)
      }
    })

    const facade: KafkaJsSocket = {
      on: (event, listener) => {
        if (event === "data") toKafkaJs = listener as (frame: Buffer) => void
        else socket.on(event, listener as () => void)
        return facade
      },
      write: (bytes) => socket.write(bytes),
      end: () => socket.end(),
      unref: () => socket.unref()
    }
    return facade
  }

/** The peer closed the connection without a reason. */
export class ConnectionClosed extends Error {
  constructor() {
    super("the connection was closed by the other side")
    this.name = "ConnectionClosed"
  }
}

const lengthHead = (frameBytes: number, correlationId: number): Buffer => {
  const head = Buffer.alloc(8)
  head.writeInt32BE(frameBytes, 0)
  head.writeInt32BE(correlationId, 4)
  return head
}
