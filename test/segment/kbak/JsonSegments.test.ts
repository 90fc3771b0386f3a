import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Formats from "../../../src/segment/Formats.ts"
import { random, scene, Seed } from "../arbitraryRecords.ts"
import { everythingOf } from "../reading.ts"
import { type PlainRecord, stream } from "../plainRecords.ts"
import { files, json } from "./jsonSegments.ts"

const runs = (key: string, file: Buffer, pieceBytes: number) =>
  Formats.reader
    .runs(
      everythingOf(key),
      Stream.fromIterable(
        Array.from({ length: Math.ceil(file.length / pieceBytes) }, (_, i) =>
          file.subarray(i * pieceBytes, (i + 1) * pieceBytes)
        )
      )
    )
    .pipe(
      Stream.runCollect,
      Effect.map((all) => Buffer.concat(all))
    )

/** Header keys are texts in this form. */
const asText = (record: PlainRecord): PlainRecord => ({
  ...record,
  headers: record.headers.map(([key, value]) => [Buffer.from(key.toString()), value] as const)
})

describe("a segment in the JSON form", () => {
  it.effect.prop("gives the same records as in the binary form, however it comes", [Seed], ([seed]) =>
    Effect.gen(function* () {
      const next = random(seed)
      const records = scene(seed).records.map(asText)
      const [suffix, pack] = files[Math.floor(next() * files.length)]!
      const file = pack(json(records, next() < 0.5 ? "" : " \n\t"))
      const found = yield* runs(`set/segment-000001${suffix}`, file, 1 + Math.floor(next() * 5000))
      assert.isTrue(found.equals(stream(records)))
    })
  )

  it.effect.each(files)("is counted and proven like any other (%s)", ([suffix, pack]) =>
    Effect.gen(function* () {
      const records = scene(11).records.map(asText)
      const file = pack(json(records))
      const found = yield* Formats.reader.inspect(everythingOf(`a${suffix}`), Stream.make(file))
      assert.strictEqual(found.recordCount, records.length)
      assert.strictEqual(found.firstOffset, Number(records[0]!.offset))
      assert.strictEqual(found.lastOffset, Number(records.at(-1)!.offset))
      assert.strictEqual(found.storedBytes, file.length)
    })
  )

  it.effect("may leave out headers, and what is null", () =>
    Effect.gen(function* () {
      const file = Buffer.from('[{"timestamp":-1,"offset":7},{"offset":9,"timestamp":9007199254740993,"value":""}]')
      const [first, second] = (yield* Stream.runCollect(
        Formats.reader.records(everythingOf("a.bin"), Stream.make(file))
      )).flat()
      assert.deepStrictEqual(first, { offset: 7, timestamp: -1n, key: null, value: null, headers: [] })
      assert.strictEqual(second?.timestamp, 9_007_199_254_740_993n)
      assert.strictEqual(second?.value?.length, 0)
    })
  )

  it.effect.each([
    ["a cut file", '[{"timestamp":1,"offset":7},', "ends in the middle of its records"],
    ["a cut record", '[{"timestamp":1,"offset":7},{"timestamp"', "1 records were read, up to offset 7"],
    ["something behind the end", '[{"timestamp":1,"offset":7}] x', "is not an array of records"],
    ["a record without an offset", '[{"timestamp":1}]', "without an offset"],
    ["a fraction for a timestamp", '[{"timestamp":1.5,"offset":7}]', "without a timestamp"],
    ["a key that is not base64", '[{"timestamp":1,"offset":7,"key":"a"}]', "whose key is not base64"],
    ["offsets out of order", '[{"timestamp":1,"offset":7},{"timestamp":1,"offset":7}]', "has offset 7 after offset 7"],
    ["broken JSON", '[{"timestamp":1,,"offset":7}]', "not JSON"]
  ] as const)("is damaged with %s", ([, text, says]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Formats.reader.inspect(everythingOf("a.bin"), Stream.make(Buffer.from(text))))
      assert.strictEqual(error.reason._tag, "SegmentDamaged")
      assert.include(error.message, says)
    })
  )

  it.effect("is not what a file is taken for whose beginning is damaged", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Formats.reader.inspect(everythingOf("a.bin.zst"), Stream.make(Buffer.alloc(60, 1)))
      )
      assert.include(error.message, "does not begin with KBAK")
    })
  )
})
