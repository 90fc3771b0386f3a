import { assert, describe, it } from "@effect/vitest"
import * as RecordMemory from "../../src/restore/RecordMemory.ts"

const MiB = 1024 * 1024
const topic = (largestRecordBytes?: number) => ({
  source: "orders",
  ...(largestRecordBytes === undefined ? {} : { largestRecordBytes })
})

describe("memory for large records", () => {
  it("lets fewer partitions be open at the same time, the larger the records are", () => {
    const open = (mebibytes: number, limit: number) =>
      RecordMemory.openPartitions([topic(10), topic(mebibytes * MiB)], 8, limit * MiB)
    assert.strictEqual(open(0.001, 256), 8)
    assert.strictEqual(open(8, 256), 2)
    assert.strictEqual(open(8, 1024), 8)
    assert.strictEqual(open(48, 512), 1)
    assert.strictEqual(open(48, 1024), 2)
    assert.strictEqual(RecordMemory.openPartitions([topic(48 * MiB)], 8, Number.MAX_SAFE_INTEGER), 8)
    assert.strictEqual(RecordMemory.openPartitions([topic()], 8, 256 * MiB), 8)
  })

  it("refuses by name what does not fit, with the limit that is enough for it", () => {
    const [objection, ...others] = RecordMemory.objections([topic(5), topic(48 * MiB), topic()], 256 * MiB)
    assert.deepStrictEqual(others, [])
    assert.deepStrictEqual(objection, {
      reason: "RecordTooLarge",
      message:
        "topic orders has a record of 48 MiB in the backup, and the memory limit of 256 MiB allows records of up to 16 MiB",
      advice:
        "raise spec.resources.limits.memory to at least 452Mi (by hand: the memory limit of the container), or exclude the topic with excludeTopics to restore the others"
    })
    assert.deepStrictEqual(RecordMemory.objections([topic(48 * MiB)], 452 * MiB), [])
    assert.deepStrictEqual(RecordMemory.objections([topic(16 * MiB)], 256 * MiB), [])
    assert.lengthOf(RecordMemory.objections([topic(5 * MiB)], 150 * MiB), 1)
    // Ordinary records are not what a limit is too small for.
    assert.deepStrictEqual(RecordMemory.objections([topic(1000)], 100 * MiB), [])
  })
})
