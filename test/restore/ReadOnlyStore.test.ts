import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Restore from "../../src/restore/Restore.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { aRestore, assertSame, backUp, inTime, layer, options, systems, worlds } from "./world.ts"

/** Writes end the test: docs/guides/rights.md says that permission to read the store is enough. */
const readOnly = (store: ObjectStoreShape): ObjectStoreShape => {
  const refuse = (key: string) => Effect.die(new Error(`a restore wrote to the store: ${key}`))
  return { ...store, put: refuse, delete: refuse }
}

describe("a restore", () => {
  it.effect("only reads the store, in its dry run, its first attempt and the next one", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders", { partitions: 2 })
      yield* source.produce("orders", 0, [{ key: "a", value: "1", timestamp: 1_600_000_000_000 }])
      const backupId = yield* backUp
      const opened = yield* systems
      const limited = { ...opened, store: readOnly(opened.store) }
      for (let attempt = 0; attempt < 2; attempt++) {
        const prepared = yield* Restore.prepare(limited, aRestore(backupId))
        const { records } = yield* inTime(Restore.run(limited, aRestore(backupId), prepared, options))
        assert.strictEqual(records, 1)
      }
      yield* assertSame(source, target, "orders", 2)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
