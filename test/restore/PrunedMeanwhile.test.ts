import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
import * as BackupWorld from "../backup/world.ts"
import * as Restore from "../../src/restore/Restore.ts"
import * as RestoreMemory from "../../src/restore/RestoreMemory.ts"
import { aRestore, backUp, inTime, layer, options, systems, worlds } from "./world.ts"

describe("a backup that retention removes while it is restored", () => {
  it.effect(
    "fails the restore with the object that is missing; nothing counts as proven, and a repeat names the backup",
    () =>
      Effect.gen(function* () {
        const { source, target } = yield* worlds
        const { memory } = yield* BackupWorld.world
        yield* source.createTopic("orders", { partitions: 4 })
        for (const partition of [0, 1, 2, 3]) {
          for (let at = 0; at < 20; at++) {
            yield* source.produce("orders", partition, [{ key: `${at}`, value: "x".repeat(200) }])
          }
        }
        const backupId = yield* backUp
        const request = aRestore(backupId)
        const opened = yield* systems
        const prepared = yield* Restore.prepare(opened, request)
        // One partition at a time: the others are still to be read when the first batch is there.
        let isRemoved = false
        const removal = Effect.gen(function* () {
          for (const key of yield* memory.keys) {
            if (key.startsWith(`${backupId}/`)) yield* memory.store.delete(ObjectKey.make(key))
          }
          isRemoved = true
        })
        const { append } = opened.sink
        const systemsOf: Restore.Systems = {
          ...opened,
          sink: {
            ...opened.sink,
            append: (batch) => Effect.tap(append(batch), () => (isRemoved ? Effect.void : Effect.orDie(removal)))
          }
        }
        const error = yield* Effect.flip(
          inTime(Restore.run(systemsOf, request, prepared, { ...options, openPartitions: 1 }))
        )
        assert.isTrue(isRemoved)
        assert.match(error.message, new RegExp(`${backupId}/.*segment`))
        const known = yield* RestoreMemory.load(opened.sink, request.owner)
        assert.isUndefined(known?.get("orders")?.provenMillis)
        assert.isBelow((yield* target.committed("orders", 3)).length, 20)
        const again = yield* Effect.flip(inTime(Restore.prepare(opened, request)))
        assert.match(again.message, new RegExp(`there is no backup ${backupId}`))
      }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
