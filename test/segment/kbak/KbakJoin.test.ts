import { assert, describe, it } from "@effect/vitest"
import { crc32 } from "@node-rs/crc32"
import { Effect } from "effect"
import zlib from "node:zlib"
import * as Formats from "../../../src/segment/Formats.ts"
import * as Kbak from "../../../src/segment/kbak/Kbak.ts"
import * as KbakReader from "../../../src/segment/kbak/KbakReader.ts"
import type { JoinPart } from "../../../src/segment/SegmentJoin.ts"
import { random, scene, Seed } from "../arbitraryRecords.ts"
import { type PlainRecord, stream } from "../plainRecords.ts"
import { pieces, readAll } from "../reading.ts"
import { write, type Written } from "../writing.ts"

const codecs = ["none", "zstd", "lz4"] as const

const partOf = (
  codec: Kbak.Compression,
  { file, firstOffset, lastOffset, recordCount, sha256 }: Written
): JoinPart => ({
  key: `set/topics/orders/partition=3/segment-${firstOffset}-000001${Kbak.suffix(codec)}`,
  file,
  recordCount,
  firstOffset,
  lastOffset,
  sha256
})

/** Every batch that holds a record as a segment of its own. */
const parts = (seed: number, codec: Kbak.Compression) =>
  Effect.gen(function* () {
    const { batches, records } = scene(seed)
    const full = batches.filter(({ recordCount }) => recordCount > 0)
    const written = yield* Effect.forEach(full, (batch) => write([batch], { compression: codec }))
    return { all: written.map((one) => partOf(codec, one)), records }
  })

const joined = (all: ReadonlyArray<JoinPart>) =>
  Effect.map(Formats.join(all), ({ pieces: found, sha256, storedBytes }) => {
    const file = Buffer.concat(found)
    assert.strictEqual(file.length, storedBytes)
    return { file, sha256: sha256() }
  })

const assertSame = (found: ReadonlyArray<PlainRecord>, records: ReadonlyArray<PlainRecord>) =>
  assert.isTrue(stream(found).equals(stream(records)), "other records came out than went in")

/** A seed whose scene has several segments. */
const several = Array.from({ length: 100 }, (_, seed) => seed + 1).find(
  (seed) => scene(seed).batches.filter(({ recordCount }) => recordCount > 0).length > 2
)!

describe("segments that are joined", () => {
  for (const codec of codecs) {
    it.effect.prop(
      `${codec}: hold the records of all parts, in order, and nothing else`,
      [Seed],
      ([seed]) =>
        Effect.gen(function* () {
          const { all, records } = yield* parts(seed, codec)
          if (all.length === 0) return
          const { file, sha256 } = yield* joined(all)
          const step = 100 + Math.floor(random(seed)() * 50_000)
          assertSame(yield* readAll(KbakReader.reader, pieces(file, step)), records)
          const content = yield* KbakReader.reader.inspect(all[0]!.key, pieces(file, step))
          assert.strictEqual(content.sha256, sha256)
          assert.strictEqual(content.compression, codec)
          assert.strictEqual(content.recordCount, records.length)
        }),
      { arbitrary: { runs: 20 } }
    )

    it.effect(`${codec}: are joined again like any other`, () =>
      Effect.gen(function* () {
        const { all, records } = yield* parts(several, codec)
        const [first, ...others] = all
        const rest = yield* joined(others)
        const last = {
          ...others[0]!,
          file: rest.file,
          recordCount: others.reduce((sum, { recordCount }) => sum + recordCount, 0),
          lastOffset: others.at(-1)!.lastOffset,
          sha256: rest.sha256
        }
        const { file } = yield* joined([first!, last])
        assertSame(yield* readAll(KbakReader.reader, pieces(file)), records)
      })
    )

    it.effect.prop(
      `${codec}: are not joined when a bit of one of them is wrong, and the damaged one is named`,
      [Seed, Seed],
      ([seed, where]) =>
        Effect.gen(function* () {
          const { all } = yield* parts(seed, codec)
          if (all.length === 0) return
          const next = random(where)
          const at = Math.floor(next() * all.length)
          const file = Buffer.from(all[at]!.file)
          const byte = Math.floor(next() * file.length)
          file[byte]! ^= 1 << Math.floor(next() * 8)
          const error = yield* Effect.flip(Formats.join(all.with(at, { ...all[at]!, file })))
          assert.strictEqual(error.reason._tag, "SegmentDamaged")
          assert.include(error.message, all[at]!.key)
        }),
      { arbitrary: { runs: 20 } }
    )
  }

  it.effect("refuse one that is right, but not the one that the manifest means", () =>
    Effect.gen(function* () {
      const { all } = yield* parts(several, "none")
      const [first, second] = all
      for (const other of [
        { ...second!, firstOffset: second!.firstOffset - 1 },
        { ...second!, recordCount: second!.recordCount + 1 },
        { ...second!, sha256: first!.sha256 },
        { ...second!, file: second!.file.subarray(0, 39) },
        { ...second!, file: Buffer.concat([second!.file, Buffer.from("x")]) }
      ]) {
        const error = yield* Effect.flip(Formats.join([first!, other]))
        assert.strictEqual(error.reason._tag, "SegmentDamaged")
        assert.include(error.message, second!.key)
      }
    })
  )

  it.effect("refuse two codecs", () =>
    Effect.gen(function* () {
      const [plain, zstd] = [yield* parts(several, "none"), yield* parts(several, "zstd")]
      const error = yield* Effect.flip(Formats.join([plain.all[0]!, zstd.all[1]!]))
      assert.include(error.message, zstd.all[1]!.key)
    })
  )

  it.effect("take frames without content size, as other tools write them", () =>
    Effect.gen(function* () {
      const { all, records } = yield* parts(several, "none")
      const streamed = yield* Effect.forEach(all, (part) =>
        Effect.promise(async () => {
          const body = part.file.subarray(Kbak.headerBytes, -Kbak.footerBytes)
          const frame = await new Promise<Buffer>((resolve) => {
            const stream = zlib.createZstdCompress()
            const found: Array<Buffer> = []
            stream.on("data", (piece: Buffer) => found.push(piece)).on("end", () => resolve(Buffer.concat(found)))
            stream.write(body.subarray(0, 10))
            stream.end(body.subarray(10))
          })
          const front = Buffer.concat([Kbak.header({ ...part, compression: "zstd" }), frame])
          return {
            ...part,
            key: part.key.replace(/\.bin$/u, ".bin.zst"),
            file: Buffer.concat([front, Kbak.footer(crc32(front))]),
            sha256: undefined
          }
        })
      )
      const { file } = yield* joined(streamed)
      assertSame(yield* readAll(KbakReader.reader, pieces(file)), records)
    })
  )
})
