import { assert, describe, it } from "@effect/vitest"
import { ChunkPool } from "../../../src/segment/body/ChunkPool.ts"
import { PackedBytes } from "../../../src/segment/body/PackedBytes.ts"
import { random, Seed } from "../arbitraryRecords.ts"

const noise = (next: () => number, size: number) => Buffer.from(Array.from({ length: size }, () => next() * 256))

describe("PackedBytes", () => {
  it.prop("gives back the bytes that went in, however they are divided, while more are added", [Seed], ([seed]) => {
    const next = random(seed)
    const packed = new PackedBytes(new ChunkPool(64))
    const kept = Array.from({ length: 40 }, () => {
      const bytes = noise(next, Math.floor(next() ** 2 * 200))
      const isWhole = next() < 0.5
      return { bytes: Buffer.from(bytes), isWhole, pieces: isWhole ? packed.addWhole(bytes) : packed.add(bytes) }
    })
    for (const { bytes, isWhole, pieces } of kept) {
      assert.isTrue(Buffer.concat(pieces).equals(bytes))
      if (isWhole) assert.strictEqual(pieces.length, bytes.length === 0 ? 0 : 1)
    }
  })

  it("fills every chunk to its end unless a copy has to be whole", () => {
    const packed = new PackedBytes(new ChunkPool(64))
    assert.deepStrictEqual(
      packed.add(Buffer.alloc(100)).map((piece) => piece.length),
      [64, 36]
    )
    assert.deepStrictEqual(
      packed.add(Buffer.alloc(30)).map((piece) => piece.length),
      [28, 2]
    )
  })

  it("hands its chunks to the next one", () => {
    const pool = new ChunkPool(64)
    const first = new PackedBytes(pool)
    const memory = first.add(Buffer.alloc(10))[0]!.buffer
    first.giveBack()
    assert.strictEqual(new PackedBytes(pool).add(Buffer.alloc(10))[0]!.buffer, memory)
  })
})

describe("ChunkPool", () => {
  it("keeps chunks of its size and frees all others", () => {
    const pool = new ChunkPool(512 * 1024)
    const [usual, large] = [pool.take(1), pool.take(1024 * 1024)]
    pool.give(usual)
    pool.give(large)
    assert.strictEqual(large.length, 0)
    assert.strictEqual(pool.take(1), usual)
  })
})
