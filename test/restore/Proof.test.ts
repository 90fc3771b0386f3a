import { assert, describe, it } from "@effect/vitest"
import type { RecordBatch } from "../../src/kafka/batch/RecordBatch.ts"
import * as Proof from "../../src/restore/Proof.ts"
import { WindowDigests } from "../../src/segment/records/WindowDigests.ts"

const batch: RecordBatch = {
  bytes: Buffer.alloc(100),
  start: 0,
  recordsStart: 61,
  end: 100,
  codec: 4,
  baseOffset: 0,
  lastOffset: 0,
  recordCount: 1,
  logAppendTime: false
}

describe("stored batches", () => {
  it("are taken as they are for as long as their ranges take little memory: beyond 512 KiB all is compared as records", () => {
    const digests = new WindowDigests(Proof.windowOffsets, 0)
    const takes = Proof.taking({ leastBytes: 0, mostBytes: 1000 }, digests)
    for (let range = 0; range < 32_768; range++) {
      assert.isTrue(takes(batch))
      digests.addBatch(batch, 2 * range)
    }
    assert.isFalse(takes(batch))
  })

  it("are not taken where there are no rules for them", () => {
    assert.isFalse(Proof.taking(undefined, new WindowDigests(Proof.windowOffsets, 0))(batch))
  })
})
