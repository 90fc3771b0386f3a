import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as lz4 from "lz4-napi"
import snappy from "snappy"
import zlib from "node:zlib"
import { DecompressionFailed } from "../../../src/compression/DecompressionFailed.ts"
import {
  asyncAboveBytes,
  decompress,
  decompressPieces,
  wholeBytes,
  recordsSection
} from "../../../src/kafka/batch/Decompression.ts"
import type { RecordBatch } from "../../../src/kafka/batch/RecordBatch.ts"
import { encodeBatch, type ProducerCodec } from "../../../src/kafka/batch/RecordBatchEncoding.ts"

const ids = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const
type Codec = keyof typeof ids

const batchOf = (codec: Codec, section: Buffer): RecordBatch => ({
  bytes: Buffer.concat([Buffer.alloc(61), section, Buffer.from("what follows in the answer")]),
  start: 0,
  recordsStart: 61,
  end: 61 + section.length,
  codec: ids[codec],
  baseOffset: 0,
  lastOffset: 0,
  recordCount: 1,
  logAppendTime: false
})

const inflate = async (codec: Codec, section: Buffer, maxBytes?: number) =>
  decompress(batchOf(codec, section), maxBytes)
const failureOf = async (codec: Codec, section: Buffer, maxBytes?: number) => {
  try {
    const bytes = await inflate(codec, section, maxBytes)
    return `inflated to ${bytes.length} bytes`
  } catch (error) {
    assert.instanceOf(error, DecompressionFailed)
    return error.kind
  }
}

const xerialHeader = Buffer.from("82534e41505059000000000100000001", "hex")
const xerialBlock = (bytes: Buffer) => {
  const block = snappy.compressSync(bytes)
  const length = Buffer.alloc(4)
  length.writeInt32BE(block.length)
  return Buffer.concat([length, block])
}
const xerial = (...blocks: ReadonlyArray<Buffer>) => Buffer.concat([xerialHeader, ...blocks.map(xerialBlock)])

/** Compresses a little, so that sections of either size class exist. */
const text = (bytes: number, seed = 1) => {
  const out = Buffer.alloc(bytes)
  let state = seed
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    out[i] = 97 + ((state >> 16) % 23)
  }
  return out
}

const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 7, 7, 7])
const small = text(5000)
const large = text(300_000)

const ways: ReadonlyArray<readonly [string, Codec, (bytes: Buffer) => Buffer]> = [
  ["gzip", "gzip", (bytes) => zlib.gzipSync(bytes)],
  [
    "gzip of several members",
    "gzip",
    (bytes) => Buffer.concat([zlib.gzipSync(bytes.subarray(0, 1000)), zlib.gzipSync(bytes.subarray(1000))])
  ],
  ["snappy, raw", "snappy", (bytes) => snappy.compressSync(bytes)],
  ["snappy, xerial", "snappy", (bytes) => xerial(bytes.subarray(0, 3000), bytes.subarray(3000))],
  [
    "snappy, two xerial streams",
    "snappy",
    (bytes) => Buffer.concat([xerial(bytes.subarray(0, 3000)), xerial(bytes.subarray(3000))])
  ],
  ["lz4", "lz4", (bytes) => lz4.compressFrameSync(bytes)],
  [
    "lz4 with checksums",
    "lz4",
    (bytes) => lz4.compressFrameSync(bytes, { contentChecksum: true, blockChecksums: true })
  ],
  [
    "lz4 of several frames",
    "lz4",
    (bytes) =>
      Buffer.concat([
        lz4.compressFrameSync(bytes.subarray(0, 1000)),
        skippable,
        lz4.compressFrameSync(bytes.subarray(1000))
      ])
  ],
  ["zstd", "zstd", (bytes) => zlib.zstdCompressSync(bytes)],
  [
    "zstd with a checksum",
    "zstd",
    (bytes) => zlib.zstdCompressSync(bytes, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } })
  ],
  ["zstd behind a skippable frame", "zstd", (bytes) => Buffer.concat([skippable, zlib.zstdCompressSync(bytes)])],
  [
    "zstd of several frames",
    "zstd",
    (bytes) =>
      Buffer.concat([
        zlib.zstdCompressSync(bytes.subarray(0, 1000)),
        skippable,
        zlib.zstdCompressSync(bytes.subarray(1000))
      ])
  ]
]

describe("decompress", () => {
  for (const [name, codec, compress] of ways) {
    it(`inflates ${name}, small on this thread and large on the pool`, async () => {
      const here = decompress(batchOf(codec, compress(small)))
      assert.isTrue(Buffer.isBuffer(here) && here.equals(small))
      const section = compress(large)
      assert.isAbove(section.length, asyncAboveBytes)
      const there = decompress(batchOf(codec, section))
      assert.instanceOf(there, Promise)
      assert.isTrue((await there).equals(large))
    })

    it(`finds ${name} cut anywhere`, async () => {
      const whole = compress(small)
      const boundaries = new Set<number>()
      for (let cut = 0; cut < whole.length; cut += cut < 80 || cut > whole.length - 80 ? 1 : 37) {
        const outcome = await failureOf(codec, whole.subarray(0, cut))
        if (outcome !== "damaged") boundaries.add(cut)
      }
      // Several members, blocks or frames end at a boundary of one of them; what is missing there shows in the record
      // count.
      assert.isAtMost(
        boundaries.size,
        name.includes("several") || name.includes("two") || name.includes("xerial") ? 4 : 0
      )
    })

    it(`finds what is left over behind ${name}`, async () => {
      for (const rest of ["x", "garbage behind the data"]) {
        assert.strictEqual(await failureOf(codec, Buffer.concat([compress(small), Buffer.from(rest)])), "damaged")
        assert.strictEqual(await failureOf(codec, Buffer.concat([compress(large), Buffer.from(rest)])), "damaged")
      }
    })

    it(`refuses ${name} beyond the bound, before memory is taken`, async () => {
      assert.strictEqual(await failureOf(codec, compress(small), small.length - 1), "too large")
      assert.strictEqual(await failureOf(codec, compress(large), large.length - 1), "too large")
      assert.strictEqual((await inflate(codec, compress(small), small.length)).length, small.length)
      assert.strictEqual((await inflate(codec, compress(large), large.length)).length, large.length)
    })
  }

  it("inflates nothing into nothing", async () => {
    const empty = Buffer.alloc(0)
    for (const [, codec, compress] of ways) assert.strictEqual((await inflate(codec, compress(empty))).length, 0)
    assert.strictEqual((await inflate("snappy", xerialHeader)).length, 0)
  })

  it("finds a section without anything", async () => {
    for (const codec of ["gzip", "snappy", "lz4", "zstd"] as const) {
      assert.strictEqual(await failureOf(codec, Buffer.alloc(0)), "damaged")
    }
  })

  it("gives a view when nothing is compressed", () => {
    const batch = batchOf("none", small)
    const section = decompress(batch)
    assert.isTrue(Buffer.isBuffer(section) && section.buffer === batch.bytes.buffer)
    assert.isTrue(recordsSection(batch).equals(small))
  })

  it("bounds a bomb by default", async () => {
    const bomb = zlib.zstdCompressSync(Buffer.alloc(64 * 1024 * 1024))
    assert.isBelow(bomb.length, 10_000)
    assert.strictEqual(await failureOf("zstd", bomb, 1024 * 1024), "too large")
    const many = Buffer.concat(Array.from({ length: 9 }, () => bomb))
    assert.isAbove(9 * 64 * 1024 * 1024, wholeBytes)
    assert.strictEqual(await failureOf("zstd", many), "too large")
  })

  it("measures lz4 exactly when its block sizes alone would be too much", async () => {
    const frames = Buffer.concat(Array.from({ length: 40 }, (_, i) => lz4.compressFrameSync(text(900, i + 1))))
    assert.strictEqual((await inflate("lz4", frames, 36_000)).length, 36_000)
    assert.strictEqual(await failureOf("lz4", frames, 35_999), "too large")
    const repetitive = lz4.compressFrameSync(Buffer.alloc(50_000, "ab"))
    assert.strictEqual((await inflate("lz4", repetitive, 50_000)).length, 50_000)
  })

  it("notices a checksum that does not match, where the codec has one", async () => {
    for (const [name, codec, compress] of ways.filter(([way]) => way.includes("checksum") || way === "gzip")) {
      const section = compress(small)
      section[section.length >> 1]! ^= 0x10
      assert.strictEqual(await failureOf(codec, section), "damaged", name)
    }
  })

  it("refuses lz4 of kinds that Kafka does not write", async () => {
    const legacy = Buffer.from([0x02, 0x21, 0x4c, 0x18, 0, 0, 0, 0, 0])
    const withDictionary = lz4.compressFrameSync(small)
    withDictionary[4]! |= 1
    assert.strictEqual(await failureOf("lz4", legacy), "unsupported")
    assert.strictEqual(await failureOf("lz4", withDictionary), "unsupported")
  })

  it("inflates what the encoder of tests and demo writes, every codec", async () => {
    for (const codec of [
      "none",
      "gzip",
      "snappy-xerial",
      "snappy-raw",
      "lz4",
      "zstd"
    ] satisfies ReadonlyArray<ProducerCodec>) {
      const record = { offset: 0, key: null, value: large, headers: [], timestamp: 0 }
      const bytes = encodeBatch({ baseOffset: 0, records: [record], codec })
      const batch = {
        ...batchOf("none", large),
        bytes,
        recordsStart: 61,
        end: bytes.length,
        codec: bytes.readInt16BE(21) & 7
      }
      const section = await decompress(batch)
      assert.isTrue(section.includes(large), codec)
    }
  })

  const scribble = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(4)
  )
  it.prop(
    "answers damage with bytes within the bound or with its own failure, never otherwise",
    [scribble, Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: ways.length - 1 }))],
    ([bits, way]) => {
      const [, codec, compress] = ways[way]!
      const section = compress(small)
      for (const bit of bits) section[(bit >> 3) % section.length]! ^= 1 << (bit & 7)
      try {
        const bytes = decompress(batchOf(codec, section), 100_000)
        assert.isTrue(Buffer.isBuffer(bytes) && bytes.length <= 100_000)
      } catch (error) {
        assert.instanceOf(error, DecompressionFailed)
      }
    },
    { arbitrary: { runs: 1000 } }
  )
})

const inPieces = async (codec: Codec, section: Buffer): Promise<ReadonlyArray<Buffer>> => {
  const pieces: Array<Buffer> = []
  for await (const piece of decompressPieces(batchOf(codec, section))) pieces.push(piece)
  return pieces
}

describe("decompressPieces", () => {
  /** Noise, runs and copies from near and far: everything that a codec treats apart. */
  const varied = (() => {
    const out = Buffer.concat([text(70_000, 3), Buffer.alloc(900_000, "ab"), text(200_000, 9), text(70_000, 3)])
    return Buffer.concat([out, out.subarray(0, 333_333), Buffer.alloc(300_000)])
  })()

  for (const [name, codec, compress] of ways) {
    it(`gives what was compressed as ${name}, in pieces of up to 256 KiB`, async () => {
      for (const bytes of [small, large, varied]) {
        const pieces = await inPieces(codec, compress(bytes))
        assert.isTrue(Buffer.concat(pieces).equals(bytes))
        assert.isTrue(pieces.every((piece) => piece.length <= 256 * 1024))
      }
    })

    it(`finds ${name} damaged where it is cut, and never breaks on changed bytes`, async () => {
      const section = compress(varied)
      for (const bytes of [1, 30, section.length >> 1, section.length - 1]) {
        const cut = await inPieces(codec, section.subarray(0, bytes)).then(
          (pieces) => Buffer.concat(pieces),
          (error: unknown) => {
            assert.instanceOf(error, DecompressionFailed)
            return undefined
          }
        )
        assert.isTrue(cut === undefined || cut.length < varied.length)
      }
      for (let at = 5; at < section.length; at += Math.ceil(section.length / 40)) {
        const changed = Buffer.from(section)
        changed[at]! ^= 0x11
        await inPieces(codec, changed).catch((error: unknown) => assert.instanceOf(error, DecompressionFailed))
      }
    })
  }

  it("inflates a thousandfold without holding more than a piece", async () => {
    const mebibytes = 64
    const bombs: ReadonlyArray<readonly [Codec, Buffer]> = [
      ["gzip", zlib.gzipSync(Buffer.alloc(mebibytes << 20))],
      ["snappy", snappy.compressSync(Buffer.alloc(mebibytes << 20))],
      ["lz4", lz4.compressFrameSync(Buffer.alloc(mebibytes << 20))],
      ["zstd", zlib.zstdCompressSync(Buffer.alloc(mebibytes << 20))]
    ]
    for (const [codec, bomb] of bombs) {
      let bytes = 0
      for await (const piece of decompressPieces(batchOf(codec, bomb))) {
        assert.isAtMost(piece.length, 256 * 1024)
        bytes += piece.length
      }
      assert.strictEqual(bytes, mebibytes << 20, codec)
    }
  })
})
