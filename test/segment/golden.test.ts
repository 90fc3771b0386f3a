import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { readFileSync } from "node:fs"
import * as LogReader from "../../src/segment/log/LogReader.ts"
import * as KbakReader from "../../src/segment/kbak/KbakReader.ts"
import { goldenFiles, goldenLogs, goldenRecords } from "../golden/goldenRecords.ts"
import { batchOf, stream, streamOf } from "./plainRecords.ts"
import { readAll } from "./reading.ts"
import { write } from "./writing.ts"

const golden = (compression: keyof typeof goldenFiles) =>
  readFileSync(new URL(`../golden/${goldenFiles[compression]}`, import.meta.url))

describe("segments written in November 2026", () => {
  for (const compression of ["none", "zstd", "lz4"] as const) {
    it.effect(`are read record for record (${compression})`, () =>
      Effect.gen(function* () {
        const file = golden(compression)
        assert.isTrue(streamOf(file).equals(stream(goldenRecords)))
        const batches = yield* Stream.runCollect(KbakReader.reader.provenRecords("golden", Stream.make(file)))
        const records = batches.flat().map(({ headers, key, offset, timestamp, value }) => ({
          offset: BigInt(offset),
          timestamp,
          key: key && Buffer.from(key),
          value: value && Buffer.from(value),
          headers: headers.map((header) => [Buffer.from(header.key), header.value && Buffer.from(header.value)])
        }))
        assert.deepEqual<unknown>(records, goldenRecords)
      })
    )
  }

  for (const compression of ["none", "zstd", "lz4"] as const) {
    it.effect(`are read record for record where they are logs (${compression})`, () =>
      Effect.gen(function* () {
        const file = readFileSync(new URL(`../golden/${goldenLogs[compression]}`, import.meta.url))
        assert.deepStrictEqual(yield* readAll(LogReader.reader, Stream.make(file)), goldenRecords)
        assert.strictEqual((yield* LogReader.reader.inspect("golden", Stream.make(file))).compression, compression)
      })
    )
  }

  it.effect("are what is written today, byte for byte, where no library compresses", () =>
    Effect.gen(function* () {
      const { file } = yield* write([batchOf(goldenRecords.slice(0, 1)), batchOf(goldenRecords.slice(1))])
      assert.isTrue(file.equals(golden("none")))
    })
  )
})
