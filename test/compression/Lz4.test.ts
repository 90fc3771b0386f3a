import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as lz4 from "lz4-napi"
import { DecompressionFailed } from "../../src/compression/DecompressionFailed.ts"
import * as Lz4Block from "../../src/compression/Lz4Block.ts"
import * as Lz4Frame from "../../src/compression/Lz4Frame.ts"
import { Lz4Inflater } from "../../src/compression/Lz4Inflater.ts"
import { random, Seed } from "../segment/arbitraryRecords.ts"

/** Bytes of which some compress and some do not, some over a distance. */
const bytes = (next: () => number, size: number): Buffer => {
  const out = Buffer.alloc(size)
  for (let at = 0; at < size;) {
    const run = Math.min(size - at, 1 + Math.floor(next() ** 3 * 3000))
    const back = Math.floor(next() * Math.min(at, 70_000))
    if (next() < 0.4 && back > 0) for (let i = 0; i < run; i++) out[at + i] = out[at + i - back]!
    else if (next() < 0.3) out.fill(next() * 256, at, at + run)
    else for (let i = 0; i < run; i++) out[at + i] = next() * 256
    at += run
  }
  return out
}
const block = (input: Buffer) => lz4.compressSync(input).subarray(4)

const inflate = (input: Buffer, pieceBytes: number): Buffer => {
  const inflater = new Lz4Inflater()
  const parts: Array<Buffer> = []
  for (let start = 0; start < input.length; start += pieceBytes) {
    const piece = input.subarray(start, start + pieceBytes)
    for (let at = 0; ;) {
      at = inflater.push(piece, at)
      if (!inflater.full) break
      parts.push(inflater.take())
    }
  }
  if (!inflater.complete) throw new DecompressionFailed({ kind: "damaged", codec: "lz4", detail: "incomplete" })
  parts.push(inflater.take())
  return Buffer.concat(parts)
}

describe("Lz4Block.joined", () => {
  it.prop(
    "makes one block that the library inflates to all that went in",
    [Seed],
    ([seed]) => {
      const next = random(seed)
      const inputs = Array.from({ length: 1 + Math.floor(next() * 12) }, () =>
        bytes(next, 1 + Math.floor(next() ** 4 * 90_000))
      )
      const whole = Buffer.concat(inputs)
      const size = Buffer.alloc(4)
      size.writeUInt32LE(whole.length)
      const joined = Buffer.concat([size, ...Lz4Block.joined(inputs.map(block))])
      assert.isTrue(lz4.uncompressSync(joined).equals(whole))
    },
    { arbitrary: { runs: 200 } }
  )

  it("writes the length of 14, 15, 269, 270, 271 and 525 carried literals as the format wants it", () => {
    for (const total of [14, 15, 16, 269, 270, 271, 525, 5000]) {
      const literals = Buffer.from(Array.from({ length: total }, (_, i) => (i * 167) % 251))
      const parts = [literals.subarray(0, 7), literals.subarray(7), Buffer.alloc(100, "ab")]
      const size = Buffer.alloc(4)
      size.writeUInt32LE(total + 100)
      const joined = Buffer.concat([size, ...Lz4Block.joined(parts.map(block))])
      assert.isTrue(lz4.uncompressSync(joined).equals(Buffer.concat(parts)), `${total}`)
    }
  })
})

describe("Lz4Frame", () => {
  const frame = (seed: number) => {
    const next = random(seed)
    return bytes(next, 1 + Math.floor(next() ** 3 * 900_000))
  }

  it.prop(
    "compresses to a frame that the library inflates to what went in",
    [Seed],
    ([seed]) =>
      Effect.gen(function* () {
        const input = frame(seed)
        const compressed = yield* Effect.promise(() => Lz4Frame.compress(input))
        assert.isTrue(lz4.decompressFrameSync(compressed).equals(input))
        assert.isTrue(Lz4Frame.isSimple(compressed))
        assert.isTrue(Lz4Frame.inflateSync(compressed).equals(input))
      }).pipe(Effect.runPromise),
    { arbitrary: { runs: 100 } }
  )

  it.prop(
    "inflates the library's frames to what went in, on both threads",
    [Seed],
    ([seed]) =>
      Effect.gen(function* () {
        const input = frame(seed)
        const compressed = lz4.compressFrameSync(input)
        assert.isTrue(Lz4Frame.isSimple(compressed))
        assert.isTrue(Lz4Frame.inflateSync(compressed).equals(input))
        assert.isTrue((yield* Effect.promise(() => Lz4Frame.inflate(compressed))).equals(input))
      }).pipe(Effect.runPromise),
    { arbitrary: { runs: 100 } }
  )

  it("leaves frames with other flags, or with a damaged header, to the library", () => {
    const simple = lz4.compressFrameSync(Buffer.alloc(1000, "ab"))
    for (const at of [4, 5, 6]) {
      const other = Buffer.from(simple)
      other[at] = other[at]! ^ 0x10
      assert.isFalse(Lz4Frame.isSimple(other), `byte ${at}`)
    }
  })
})

describe("Lz4Block.walk", () => {
  it.prop(
    "knows how long a block is once inflated, and comes to an end in a damaged one",
    [Seed],
    ([seed]) => {
      const next = random(seed)
      const input = bytes(next, 1 + Math.floor(next() ** 3 * 200_000))
      const good = block(input)
      assert.strictEqual(Lz4Block.walk(good).inflatedBytes, input.length)
      const bad = Buffer.from(good)
      for (let i = 0; i < 3; i++) bad[Math.floor(next() * bad.length)] = next() < 0.5 ? 255 : Math.floor(next() * 256)
      const { lastSequence } = Lz4Block.walk(bad.subarray(0, Math.floor(next() * bad.length)))
      assert.isAtLeast(lastSequence, 0)
    },
    { arbitrary: { runs: 200 } }
  )

  it("gives no length where the block ends inside of one", () => {
    for (const cut of [[0xf0], [0xf0, 255], [0x1f, 7, 1, 0], [0x1f, 7, 1, 0, 255]])
      assert.isNaN(Lz4Block.walk(Uint8Array.from(cut)).inflatedBytes, cut.join())
    assert.strictEqual(Lz4Block.walk(new Uint8Array()).inflatedBytes, 0)
  })
})

describe("Lz4Inflater", () => {
  it.prop(
    "inflates what the library compressed, in whatever pieces it comes",
    [Seed],
    ([seed]) => {
      const next = random(seed)
      const input = bytes(next, Math.floor(next() ** 3 * 700_000))
      const compressed = block(input)
      for (const pieceBytes of [1 + Math.floor(next() * 40), 1000, 1e9])
        assert.isTrue(inflate(compressed, pieceBytes).equals(input))
    },
    { arbitrary: { runs: 100 } }
  )

  it.prop(
    "finds a damaged block damaged, or inflates it to what the library makes of it",
    [Seed],
    ([seed]) => {
      const next = random(seed)
      const input = bytes(next, 1 + Math.floor(next() * 5000))
      const bad = Buffer.from(block(input))
      for (let i = 0; i < 2; i++) bad[Math.floor(next() * bad.length)] = Math.floor(next() * 256)
      const cut = bad.subarray(0, next() < 0.5 ? bad.length : Math.floor(next() * bad.length))
      let output: Buffer
      try {
        output = inflate(cut, 1 + Math.floor(next() * 300))
      } catch (error) {
        assert.instanceOf(error, DecompressionFailed)
        return
      }
      const size = Buffer.alloc(4)
      size.writeUInt32LE(output.length)
      let theirs: Buffer
      try {
        theirs = lz4.uncompressSync(Buffer.concat([size, cut]))
      } catch {
        return // the library is stricter about the last bytes of a block
      }
      assert.isTrue(output.equals(theirs))
    },
    { arbitrary: { runs: 1000 } }
  )
})
