import { assert, describe, it } from "@effect/vitest"
import { sealBatch } from "../../src/kafka/batch/SealedBatch.ts"
import * as Fillers from "../../src/restore/Fillers.ts"
import * as RecordStreaming from "../../src/segment/records/RecordStreaming.ts"
import { decodedRecords } from "../../src/segment/records/decodedRecords.ts"
import { Effect } from "effect"

describe("fillers", () => {
  it.effect.each([1, 63, 64, 8191, 8192, Fillers.recordsPerBatch])(
    "take %d offsets with records that have neither key nor value",
    (count) =>
      Effect.gen(function* () {
        const { batch, section } = Fillers.batch(7, count)
        const bytes = Buffer.concat([...sealBatch(batch, section.codec, section.bytes)])
        const fetched = {
          bytes,
          start: 0,
          recordsStart: 61,
          end: bytes.length,
          codec: section.codec,
          baseOffset: 7,
          lastOffset: 7 + count - 1,
          recordCount: count,
          logAppendTime: false
        }
        const runs: Array<Buffer> = []
        yield* RecordStreaming.make("t", 0).forEachRun([fetched], 0, Number.MAX_SAFE_INTEGER, (run) =>
          runs.push(Buffer.from(run))
        )
        const records = decodedRecords(Buffer.concat(runs))
        assert.lengthOf(records, count)
        assert.deepStrictEqual(records.at(-1), {
          offset: 7 + count - 1,
          timestamp: -1n,
          key: null,
          value: null,
          headers: []
        })
        assert.isTrue(records.every((record, i) => record.offset === 7 + i && record.key === null))
      })
  )
})
