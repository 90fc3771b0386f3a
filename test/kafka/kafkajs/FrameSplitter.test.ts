import { describe, expect, it } from "@effect/vitest"
import * as FrameSplitter from "../../../src/kafka/kafkajs/FrameSplitter.ts"

const frame = (correlationId: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + payload.length, 0)
  head.writeInt32BE(correlationId, 4)
  return Buffer.concat([head, payload])
}

const bytes = (count: number, first: number): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, i) => (first + i) % 251))

/** Feeds `stream` in pieces of `size` and returns what came out; odd correlation ids are skipped. */
const split = (stream: Buffer, size: number) => {
  const frames: Array<{ readonly id: number; readonly rest: string }> = []
  const feed = FrameSplitter.make((id, frameBytes) => {
    if (id % 2 !== 0) return { buffer: undefined, complete: () => undefined }
    const buffer = Buffer.alloc(frameBytes)
    return { buffer, complete: () => frames.push({ id, rest: buffer.toString("hex") }) }
  })
  for (let at = 0; at < stream.length; at += size) {
    const piece = Buffer.concat([Buffer.from("xx"), stream.subarray(at, at + size), Buffer.from("yy")])
    feed(piece, 2, piece.length - 2)
  }
  return frames
}

describe("FrameSplitter", () => {
  it("returns the same frames however the stream is split", () => {
    const stream = Buffer.concat([
      frame(2, bytes(0, 0)),
      frame(-4, bytes(70, 9)),
      frame(7, bytes(33, 1)),
      frame(6, bytes(1, 200)),
      frame(-2147483648, bytes(12, 5))
    ])
    const whole = split(stream, stream.length)
    expect(whole.map(({ id }) => id)).toEqual([2, -4, 6, -2147483648])
    expect(whole[1]!.rest).toBe(frame(-4, bytes(70, 9)).subarray(4).toString("hex"))
    for (let size = 1; size <= stream.length; size++) expect(split(stream, size)).toEqual(whole)
  })

  it.each([
    ["a TLS alert", "15030300020246"],
    ["a TLS handshake", "160303004a0200"],
    ["an HTTP answer", Buffer.from("HTTP/1.1 400 Bad Request").toString("hex")],
    ["a negative length", "fffffff600000001"],
    ["a length too short for its correlation id", "0000000300000001"],
    ["a length above the limit", "1000000100000001"]
  ])("refuses %s, whole or byte by byte", (_, hex) => {
    const stream = Buffer.from(hex, "hex")
    for (const size of [1, stream.length]) expect(() => split(stream, size)).toThrow(FrameSplitter.NotKafka)
  })

  it("accepts a frame of exactly the limit", () => {
    let announced = 0
    const feed = FrameSplitter.make((_, frameBytes) => {
      announced = frameBytes
      return { buffer: undefined, complete: () => undefined }
    })
    feed(Buffer.from("1000000000000001", "hex"), 0, 8)
    expect(announced).toBe(FrameSplitter.maxFrameBytes)
  })
})
