import { assert, describe, it } from "@effect/vitest"
import * as ManifestMemory from "../../src/worker/ManifestMemory.ts"
import * as Memory from "../../src/worker/Memory.ts"

const MiB = 1024 * 1024
const zstd = { compression: "zstd", compressionLevel: 3, includeOffsetHeaders: false } as const
const most = (mebibytes: number, ledgerBytes?: number) =>
  ManifestMemory.mostSegments(zstd, mebibytes * MiB, ledgerBytes)

describe("the segments that a backup may name, for one to build on it", () => {
  it("are as many as the memory limit has room for", () => {
    const smallest = Memory.smallestLimit(zstd) / MiB
    assert.deepStrictEqual(
      [smallest, 256, 512, 1024].map((mebibytes) => Math.round(most(mebibytes) / 1000)),
      [10, 40, 115, 265]
    )
    assert.isAbove(most(Number.MAX_SAFE_INTEGER / MiB), 1e9)
  })

  it("are never fewer with more memory, nor more with a larger record of re-reading", () => {
    for (let mebibytes = 64; mebibytes < 2048; mebibytes += 16) {
      assert.isAtMost(most(mebibytes), most(mebibytes + 16))
      assert.isAtMost(most(mebibytes, 24e6), most(mebibytes))
    }
    // A million objects take what 27,000 segments do.
    assert.closeTo(most(512) - most(512, 24e6), 26_786, 1)
  })

  it("leave a run enough to read from Kafka, whatever the limit", () => {
    const smallest = Memory.smallestLimit(zstd)
    for (let limitBytes = smallest; limitBytes < 4096 * MiB; limitBytes += 16 * MiB) {
      const held = ManifestMemory.heldBytes(ManifestMemory.mostSegments(zstd, limitBytes))
      assert.isAtLeast(limitBytes - held, smallest)
    }
    assert.strictEqual(ManifestMemory.heldBytes(10_000), 0)
  })
})
