import { link } from "node:fs/promises"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { vi } from "vitest"
import * as DirectoryObjectStore from "../../src/storage/DirectoryObjectStore.ts"
import type { ObjectKey } from "../../src/storage/ObjectStore.ts"
import { temporaryVolume } from "./temporaryVolume.ts"

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>()
  return { ...real, link: vi.fn(real.link) }
})

const failing = (code: string) => Object.assign(new Error(`${code}: operation not permitted, link`), { code })
const key = (text: string) => text as ObjectKey
const bytes = (text: string) => new TextEncoder().encode(text)

describe("DirectoryObjectStore on a network file system", () => {
  it.live("refuses create-if-absent where there are no hard links, instead of risking an overwrite", () =>
    Effect.gen(function* () {
      const store = yield* DirectoryObjectStore.open({ _tag: "Directory", volume: yield* temporaryVolume })
      for (const code of ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]) {
        vi.mocked(link).mockRejectedValueOnce(failing(code))
        const error = yield* Effect.flip(store.put(key("claim"), [bytes("x")], { ifAbsent: true }))
        assert.strictEqual(error.reason._tag, "Misconfigured")
        assert.include(error.message, "hard links")
        assert.include(error.advice, "ext4")
      }
      assert.deepStrictEqual(yield* Stream.runCollect(store.list("")), [])
      yield* store.put(key("plain"), [bytes("x")])
    })
  )

  it.live("recognises its own success when a repeated link request answers that the name exists", () =>
    Effect.gen(function* () {
      const store = yield* DirectoryObjectStore.open({ _tag: "Directory", volume: yield* temporaryVolume })
      const { link: real } = yield* Effect.promise(() =>
        vi.importActual<typeof import("node:fs/promises")>("node:fs/promises")
      )
      vi.mocked(link).mockImplementationOnce(async (from, to) => {
        await real(from, to)
        throw failing("EEXIST")
      })
      yield* store.put(key("claim"), [bytes("mine")], { ifAbsent: true })
      assert.deepStrictEqual(yield* store.get(key("claim")), bytes("mine"))
      const second = yield* Effect.flip(store.put(key("claim"), [bytes("theirs")], { ifAbsent: true }))
      assert.strictEqual(second.reason._tag, "ObjectExists")
    })
  )
})
