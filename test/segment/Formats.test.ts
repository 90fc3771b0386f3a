import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Formats from "../../src/segment/Formats.ts"
import { batchOf } from "./plainRecords.ts"
import { everythingOf } from "./reading.ts"
import { write } from "./writing.ts"

const record = { offset: 5n, timestamp: 1n, key: null, value: Buffer.from("v"), headers: [] }

describe("the table of segment formats", () => {
  it.effect("reads a file by the ending of its key, whatever stands before it", () =>
    Effect.gen(function* () {
      const { file } = yield* write([batchOf([record])])
      for (const key of [
        "set/topics/a.log/partition=0/segment-00000000000000000005-000001.bin",
        "segment-000001.bin"
      ]) {
        assert.strictEqual((yield* Formats.reader.inspect(everythingOf(key), Stream.make(file))).firstOffset, 5)
        for (const method of ["records", "provenRecords"] as const) {
          const found = yield* Stream.runCollect(Formats.reader[method](everythingOf(key), Stream.make(file)))
          assert.strictEqual(found.flat()[0]?.offset, 5)
        }
      }
    })
  )

  it.effect("says what it knows where a key ends in something else, and reads nothing", () =>
    Effect.gen(function* () {
      const unread = Stream.die(new Error("the file was read"))
      for (const [key, said] of [
        ["set/topics/a.bin/partition=0/segment-00000000000000000005-000001.avro.zst", "its name ends in .avro.zst"],
        ["set/topics/a/partition=0/segment", "its name has no ending"]
      ] as const) {
        const failures = [
          yield* Effect.flip(Formats.reader.inspect(everythingOf(key), unread)),
          yield* Effect.flip(Stream.runDrain(Formats.reader.records(everythingOf(key), unread))),
          yield* Effect.flip(Stream.runDrain(Formats.reader.provenRecords(everythingOf(key), unread)))
        ]
        for (const error of failures) {
          assert.strictEqual(error.reason._tag, "UnknownFormat")
          assert.strictEqual(
            error.message,
            `${key} has an unknown format: ${said}; known endings are .bin, .bin.zst, .bin.lz4, .log, .log.zst, .log.lz4`
          )
          assert.include(error.advice, "written by a newer version or by another tool")
          assert.isFalse(error.isRetryable)
        }
      }
    })
  )
})
