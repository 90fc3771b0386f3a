/** Puts objects into a directory for ever and acknowledges each on standard output: to be killed in the middle. */
import { Effect } from "effect"
import * as DirectoryObjectStore from "../../src/storage/DirectoryObjectStore.ts"
import type { ObjectKey } from "../../src/storage/ObjectStore.ts"

const [volume = "", folder = "", size = "0"] = process.argv.slice(2)

await Effect.runPromise(
  Effect.gen(function* () {
    const store = yield* DirectoryObjectStore.open({ _tag: "Directory", volume })
    for (let i = 0; ; i++) {
      const content = new Uint8Array(Number(size)).fill(i % 256)
      yield* store.put(`${folder}/${i}` as ObjectKey, [content], { ifAbsent: i % 2 === 0 })
      process.stdout.write(`${folder}/${i}\n`)
    }
  })
)
