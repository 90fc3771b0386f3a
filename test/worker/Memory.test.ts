import { assert, describe, it, vi } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { ContentSettings } from "../../src/manifest/RunPlan.ts"
import * as Memory from "../../src/worker/Memory.ts"

const MiB = 1024 * 1024

const Settings = Schema.Struct({
  compression: Schema.Literals(["none", "lz4", "zstd"]),
  compressionLevel: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 22 })),
  includeOffsetHeaders: Schema.Boolean
})
const Limit = Schema.Int.check(Schema.isBetween({ minimum: 16 * MiB, maximum: 4096 * MiB }))
const Cores = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 128 }))

const every: ReadonlyArray<ContentSettings> = [
  { compression: "none", compressionLevel: 1, includeOffsetHeaders: false },
  { compression: "lz4", compressionLevel: 1, includeOffsetHeaders: false },
  ...Array.from({ length: 22 }, (_, i) => ({
    compression: "zstd" as const,
    compressionLevel: i + 1,
    includeOffsetHeaders: false
  }))
]

describe("Memory.limitBytes", () => {
  // Without a limit the kernel names a number near 2^63 or 2^64, or Node none at all.
  it.each([0, 2 ** 63 - 4096, 2 ** 64 - 1])("is none in a container without a limit (%s)", (named) => {
    const constrained = vi.spyOn(process, "constrainedMemory").mockReturnValue(named)
    try {
      const none = Memory.limitBytes()
      assert.strictEqual(none, Number.MAX_SAFE_INTEGER)
      assert.strictEqual(Memory.described(Memory.bounds(every[0]!, none), none)["memoryLimitMiB"], "none")
    } finally {
      constrained.mockRestore()
    }
  })
})

describe("Memory.bounds", () => {
  it.prop(
    "gives nothing less when the limit grows",
    [Settings, Limit, Limit, Cores],
    ([settings, a, b, cores]) => {
      const smaller = Memory.bounds(settings, Math.min(a, b), cores)
      const larger = Memory.bounds(settings, Math.max(a, b), cores)
      for (const [name, value] of Object.entries(smaller)) {
        assert.isAtLeast(Number(larger[name as keyof Memory.Bounds]), Number(value), name)
      }
    },
    { arbitrary: { runs: 1000 } }
  )

  it.prop(
    "knows the smallest limit for a record",
    [Settings, Limit, Cores],
    ([settings, recordBytes, cores]) => {
      if (recordBytes > 1024 * MiB) return
      const limit = Memory.limitForRecord(settings, recordBytes, cores)
      assert.isAtLeast(Memory.bounds(settings, limit + 1, cores).recordBytes, recordBytes)
      assert.isBelow(Memory.bounds(settings, limit - MiB, cores).recordBytes, Math.max(recordBytes, 8 * MiB + 1))
    },
    { arbitrary: { runs: 500 } }
  )

  it("works with 256, 512 and 1,024 MiB for every compression and level, and with more for whatever is asked", () => {
    for (const settings of every) {
      for (const limit of [256, 512, 1024]) {
        assert.isAtMost(Memory.smallestLimit(settings), limit * MiB)
        const { inflateBytes, openPartitions, wholeBytes } = Memory.bounds(settings, limit * MiB)
        assert.isAtLeast(openPartitions, limit === 256 ? 4 : limit === 512 ? 4 : 8)
        assert.isAtLeast(inflateBytes, 2 * wholeBytes)
      }
    }
  })

  it("compresses fewer chunks at once where the encoder's tables are large", () => {
    const at = (compressionLevel: number, limit: number) =>
      Memory.bounds({ compression: "zstd", compressionLevel, includeOffsetHeaders: false }, limit * MiB, 8)
    assert.isBelow(at(22, 400).compressions * at(22, 400).chunkBytes, at(3, 400).compressions * at(3, 400).chunkBytes)
    assert.deepStrictEqual(at(22, 4096), { ...at(3, 4096), recordBytes: at(22, 4096).recordBytes })
  })

  it.effect("refuses a limit that no run survives, and names one that is enough", () =>
    Effect.gen(function* () {
      for (const settings of every) {
        const enough = Memory.smallestLimit(settings)
        yield* Memory.assertEnough(settings, enough)
        const error = yield* Effect.flip(Memory.assertEnough(settings, enough - 1))
        assert.strictEqual(error.reason._tag, "MemoryTooSmall")
        const named = Number(/at least (\d+)Mi$/.exec(error.advice)?.[1])
        yield* Memory.assertEnough(settings, named * MiB)
      }
      const error = yield* Effect.flip(Memory.assertEnough(every.at(-1)!, 96 * MiB))
      assert.match(
        error.message,
        /^the memory limit is 96 MiB, and a run with compression zstd at level 22 needs at least \d+ MiB$/
      )
    })
  )
})
