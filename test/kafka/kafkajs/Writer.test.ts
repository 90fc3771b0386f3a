import { assert, describe, it } from "@effect/vitest"
import { Reader } from "../../../src/kafka/kafkajs/protocol/Reader.ts"
import { Writer } from "../../../src/kafka/kafkajs/protocol/Writer.ts"

/** Writes after `before` bytes, wherever the writer's memory ends there, and gives what is behind those. */
const behind = (before: number, write: (writer: Writer) => void, flexible = true): Buffer => {
  const writer = new Writer(flexible)
  for (let i = 0; i < before; i++) writer.int8(0x55)
  write(writer)
  const bytes = writer.finish()
  assert.deepStrictEqual(bytes.subarray(0, before), Buffer.alloc(before, 0x55))
  return bytes.subarray(before)
}

/** Everything that a request is made of, with what it is in bytes. */
const parts: ReadonlyArray<readonly [string, (writer: Writer) => void, string]> = [
  ["int8", (w) => w.int8(-2), "fe"],
  ["int16", (w) => w.int16(-2), "fffe"],
  ["int32", (w) => w.int32(-2), "fffffffe"],
  ["int64", (w) => w.int64(Number.MAX_SAFE_INTEGER), "001fffffffffffff"],
  ["boolean", (w) => w.boolean(true), "01"],
  ["unsignedVarint of one byte", (w) => w.unsignedVarint(0x7f), "7f"],
  ["unsignedVarint of two bytes", (w) => w.unsignedVarint(300), "ac02"],
  ["unsignedVarint of five bytes", (w) => w.unsignedVarint(0x7fffffff), "ffffffff07"],
  ["uuid", (w) => w.uuid("01020304-0506-0708-090a-0b0c0d0e0f10"), "0102030405060708090a0b0c0d0e0f10"],
  ["zeroUuid", (w) => w.zeroUuid(), "00".repeat(16)],
  ["string", (w) => w.string("grüße"), "086772c3bcc39f65"],
  ["arrayLength", (w) => w.arrayLength(1), "02"],
  ["absent array", (w) => w.arrayLength(null), "00"],
  ["tags", (w) => w.noTags(), "00"]
]

describe("a request", () => {
  it.each(parts)("holds %s, wherever its memory has to grow", (_, write, hex) => {
    for (let before = 0; before <= 1100; before++) {
      assert.strictEqual(behind(before, write).toString("hex"), hex, `after ${before} bytes`)
    }
  })

  it("holds pieces of bytes without a copy, between what was written before and after", () => {
    for (const flexible of [true, false]) {
      const given = [Buffer.from("ab"), Buffer.alloc(300, 7), Buffer.alloc(0)]
      const writer = new Writer(flexible).int16(1).bytesOf(given).int16(2).bytesOf([]).noTags()
      const pieces = writer.pieces()
      assert.deepStrictEqual(pieces.slice(1, 4), given)
      for (const [i, piece] of given.entries()) assert.strictEqual(pieces[i + 1], piece)
      assert.strictEqual(Buffer.concat(pieces).toString("hex"), writer.finish().toString("hex"))
      const reader = new Reader(writer.finish(), 0, flexible)
      assert.strictEqual(reader.int16(), 1)
      assert.deepStrictEqual(reader.nullableBytes(), Buffer.concat(given))
      assert.strictEqual(reader.int16(), 2)
      assert.strictEqual(reader.nullableBytes().length, 0)
      reader.tags()
      assert.strictEqual(reader.remaining, 0)
    }
  })

  it("holds an absent text", () => {
    for (const flexible of [true, false]) {
      const reader = new Reader(
        new Writer(flexible).nullableString(undefined).nullableString("a").finish(),
        0,
        flexible
      )
      assert.isUndefined(reader.nullableString())
      assert.strictEqual(reader.nullableString(), "a")
      assert.strictEqual(reader.remaining, 0)
    }
  })

  it("that names topics is decoded as it was encoded, for lists and names of every length", () => {
    for (let count = 0; count <= 300; count++) {
      const names = Array.from({ length: count }, (_, i) => "t".repeat(1 + ((i * 7 + count) % 249)))
      for (const flexible of [true, false]) {
        const writer = new Writer(flexible).arrayLength(count)
        for (const name of names) writer.zeroUuid().string(name).noTags()
        const reader = new Reader(writer.finish(), 0, flexible)
        const read = reader.array(18, () => {
          const id = reader.uuid()
          const name = reader.string()
          reader.tags()
          return { id, name }
        })
        assert.deepStrictEqual(
          read.map(({ name }) => name),
          names
        )
        assert.isTrue(read.every(({ id }) => id === undefined))
        assert.strictEqual(reader.remaining, 0)
      }
    }
  })
})
