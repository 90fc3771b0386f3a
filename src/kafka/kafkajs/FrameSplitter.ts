/**
 * Longest accepted answer in bytes. Source: twice the broker's default `socket.request.max.bytes` (104857600), rounded
 * up. A peer that is no Kafka broker is noticed here, because its first four bytes make an absurd length.
 */
export const maxFrameBytes = 256 * 1024 * 1024

/** The destination of the bytes of one frame. */
export interface FrameSink {
  /** A buffer for the frame without its length, from its correlation id on; undefined skips the frame. */
  readonly buffer: Buffer | undefined
  readonly complete: () => void
}

/** The received bytes are no Kafka frame. `head` holds up to 8 of them. */
export class NotKafka extends Error {
  readonly head: Buffer
  constructor(head: Buffer) {
    super(`the received bytes are no Kafka frame: 0x${head.toString("hex")}`)
    this.name = "NotKafka"
    this.head = head
  }
}

/**
 * Splits a byte stream into frames (int32 length, int32 correlation id, rest) and copies each once, into the buffer
 * that `open` returns. Throws `NotKafka` for a length that no broker sends; the stream is unusable after that.
 */
export const make = (open: (correlationId: number, frameBytes: number) => FrameSink) => {
  const head = Buffer.alloc(8)
  let headFilled = 0
  let sink: FrameSink | undefined
  let frameBytes = 0
  let filled = 0
  return (chunk: Buffer, from: number, until: number): void => {
    let at = from
    while (at < until) {
      if (sink === undefined) {
        while (headFilled < 8 && at < until) head[headFilled++] = chunk[at++]!
        if (headFilled >= 4) {
          frameBytes = head.readInt32BE(0)
          if (frameBytes < 4 || frameBytes > maxFrameBytes)
            throw new NotKafka(Buffer.from(head.subarray(0, headFilled)))
        }
        if (headFilled < 8) return
        headFilled = 0
        sink = open(head.readInt32BE(4), frameBytes)
        if (sink.buffer !== undefined) head.copy(sink.buffer, 0, 4, 8)
        filled = 4
      }
      const take = Math.min(frameBytes - filled, until - at)
      if (sink.buffer !== undefined) chunk.copy(sink.buffer, filled, at, at + take)
      filled += take
      at += take
      if (filled === frameBytes) {
        const done = sink
        sink = undefined
        done.complete()
      }
    }
  }
}
