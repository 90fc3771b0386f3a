import { mkdir, opendir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { vi } from "vitest"
import * as DirectoryObjectStore from "../../src/storage/DirectoryObjectStore.ts"
import { temporaryVolume } from "./temporaryVolume.ts"

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>()
  return { ...real, opendir: vi.fn(real.opendir) }
})

describe("DirectoryObjectStore on a volume with a directory of another user", () => {
  it.live("leaves that directory out, and lists the others", () =>
    Effect.gen(function* () {
      const volume = yield* temporaryVolume
      const store = yield* DirectoryObjectStore.open({ _tag: "Directory", volume })
      yield* Effect.promise(async () => {
        for (const name of ["lost+found", "nightly"]) {
          await mkdir(join(volume, name))
          await writeFile(join(volume, name, "file"), "x")
        }
      })
      const { opendir: real } = yield* Effect.promise(() =>
        vi.importActual<typeof import("node:fs/promises")>("node:fs/promises")
      )
      // The superuser may read everything, so the refusal has to be played.
      vi.mocked(opendir).mockImplementation(async (path, options) => {
        if (String(path).includes("lost+found")) throw Object.assign(new Error("EACCES"), { code: "EACCES" })
        return real(path, options)
      })
      assert.deepStrictEqual(yield* Stream.runCollect(store.folders), ["nightly"])
    })
  )
})
