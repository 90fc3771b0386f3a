import { mkdir, open, rmdir } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { vi } from "vitest"
import * as Paths from "../../../src/storage/directory/Paths.ts"
import { temporaryVolume } from "../temporaryVolume.ts"

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>()
  return { ...real, open: vi.fn(real.open) }
})

describe("writers who sync one directory at the same time", () => {
  it.live("share a sync that begins after all of them asked", () =>
    Effect.gen(function* () {
      const root = Paths.rootAt(yield* temporaryVolume)
      yield* Effect.promise(async () => {
        vi.mocked(open).mockClear()
        const first = Paths.syncedTogether(root, root.path)
        const others = Array.from({ length: 9 }, () => Paths.syncedTogether(root, root.path))
        assert.strictEqual(vi.mocked(open).mock.calls.length, 1)
        let done = 0
        for (const each of others) void each.then(() => done++)
        await first
        assert.strictEqual(done, 0)
        await Promise.all(others)
        assert.strictEqual(vi.mocked(open).mock.calls.length, 2)
        await Paths.syncedTogether(root, root.path)
        assert.strictEqual(vi.mocked(open).mock.calls.length, 3)
      })
    })
  )

  it.live("hear what failed, and whoever asks later does not", () =>
    Effect.gen(function* () {
      const root = Paths.rootAt(yield* temporaryVolume)
      const folder = join(root.path, "folder")
      yield* Effect.promise(async () => {
        const failures = await Promise.allSettled([1, 2, 3].map(() => Paths.syncedTogether(root, folder)))
        assert.deepStrictEqual(
          failures.map(({ status }) => status),
          ["rejected", "rejected", "rejected"]
        )
        await mkdir(folder)
        await Paths.syncedTogether(root, folder)
        await rmdir(folder)
        assert.strictEqual(root.syncing.size, 0)
      })
    })
  )
})
