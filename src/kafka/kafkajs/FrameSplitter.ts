/**
 * Longest answer that we take in bytes. Source: twice the broker's default `socket.request.max.bytes` (104857600),
 * rounded up; a peer that is no Kafka broker shows here, because its first four letters make an absurd length.
 */
export const maxFrameBytes = 256 * 1024 * 1024

/** Where the bytes of one frame go. */
export interface FrameSink {
  /** Room for the frame without its length, from its correlation id on; undefined to skip the frame. */
  readonly buffer: Buffer | undefined
  readonly complete: () => void
}

/** What arrived is no Kafka frame. `head` are the (up to 8) bytes that showed it. */
export class NotKafka extends Error {
  readonly head: Buffer
  constructor(head: Buffer) {
    super(`received bytes that are no Kafka frame: 0x${head.toString("hex")}`)
    this.name = "NotKafka"
    this.head = head
  }
}

/**
 * Cuts a byte stream into frames (int32 length, int32 correlation id, rest) and copies each once, straight to where
 * `open` wants it. Throws `NotKafka` for a length that no broker sends; the stream is unusable after that.
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
