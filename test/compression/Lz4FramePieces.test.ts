import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as lz4 from "lz4-napi"
import { DecompressionFailed } from "../../src/compression/DecompressionFailed.ts"
import * as Lz4Frame from "../../src/compression/Lz4Frame.ts"
import { lz4FramesInPieces } from "../../src/compression/Lz4FramePieces.ts"
import { random, Seed } from "../segment/arbitraryRecords.ts"

async function* cut(bytes: Buffer, next: () => number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + Math.floor(next() ** 3 * 400_000)
    yield bytes.subarray(at, end)
    at = end
  }
}

const inflated = async (file: Buffer, next: () => number) => {
  const parts: Array<Buffer> = []
  for await (const part of lz4FramesInPieces(cut(file, next))) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}

/** Some of it compresses, some does not. */
const content = (next: () => number) =>
  Buffer.concat(
    Array.from({ length: 1 + Math.floor(next() * 4) }, (_, n) =>
      next() < 0.5
        ? Buffer.alloc(Math.floor(next() * 600_000), `text ${n}`)
        : Buffer.from(Array.from({ length: Math.floor(next() * 3000) }, () => next() * 256))
    )
  )

const refused = async (file: Buffer): Promise<string> => {
  try {
    await inflated(file, () => 0.5)
  } catch (cause) {
    assert.instanceOf(cause, DecompressionFailed)
    return (cause as DecompressionFailed).message
  }
  return assert.fail("it was inflated")
}

describe("LZ4 frames in pieces", () => {
  it.effect.prop("give back what was compressed, frame after frame, however they come", [Seed], ([seed]) =>
    Effect.promise(async () => {
      const next = random(seed)
      const contents = Array.from({ length: 1 + Math.floor(next() * 3) }, () => content(next))
      const file = Buffer.concat(await Promise.all(contents.map((one) => Lz4Frame.compress(one))))
      assert.isTrue((await inflated(file, next)).equals(Buffer.concat(contents)))
      // A decoder of others reads the first one, too.
      if (contents.length === 1 && contents[0]!.length > 0) {
        assert.isTrue(lz4.decompressFrameSync(file).equals(contents[0]!))
      }
    })
  )

  it("are refused where they are cut, at any byte but between two", async () => {
    const frame = await Lz4Frame.compress(Buffer.from("a few bytes, and a few bytes more"))
    for (let length = 1; length < frame.length; length++) {
      assert.include(await refused(frame.subarray(0, length)), "ends in the middle of a frame")
    }
    assert.strictEqual((await inflated(Buffer.alloc(0), () => 0)).length, 0)
  })

  it("are refused with blocks that are longer than they may be, and with other headers", async () => {
    const frame = await Lz4Frame.compress(Buffer.alloc(1000, "x"))
    const long = Buffer.from(frame)
    long.writeUInt32LE(300_000, 7)
    assert.include(await refused(long), "a block claims 300000 bytes")
    const linked = Buffer.from(frame)
    linked[4] = 0x40
    assert.include(await refused(linked), "another header than that of independent blocks")
    assert.include(await refused(Buffer.from("no frame at all")), "another header")
  })
})
