import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import { aRestore, assertSame, backUp, inTime, layer, restore, systems, worlds } from "./world.ts"

const records = Array.from({ length: 90 }, (_, i) => ({ key: `k${i}`, value: `v${i} ${"x".repeat(40)}`, timestamp: 5 }))

const own = {
  "cleanup.policy": "compact",
  "message.timestamp.type": "LogAppendTime",
  "max.message.bytes": "2000000",
  "retention.ms": "5000",
  "flush.ms": "7"
}

const bare: Partial<RestoreRequest> = { configs: { fromBackup: false, overrides: new Map() } }

/** A topic that somebody has made by hand in the target, and a backup with another configuration. */
const prepared = Effect.gen(function* () {
  const { source, target } = yield* worlds
  yield* source.createTopic("orders", { configs: { "retention.ms": "9000", "max.message.bytes": "1500000" } })
  yield* source.produce("orders", 0, records)
  const backupId = yield* backUp
  yield* target.createTopic("orders", { configs: own })
  return { source, target, backupId }
})

const configs = Effect.gen(function* () {
  return (yield* (yield* systems).source.topicConfigs(["orders"])).get("orders")
}).pipe(Effect.scoped)

/** An attempt that fails for good after some batches. */
const stopped = Effect.fnUntraced(function* (request: RestoreRequest) {
  const { target } = yield* worlds
  yield* target.inject({ _tag: "Code", code: 29 }, { operation: "produce", after: 2 })
  yield* Effect.flip(inTime(restore(request)))
  yield* target.clearFaults
})

describe("a topic that existed before the restore", () => {
  it.effect("has again what it had, if the restore is to leave configurations alone", () =>
    Effect.gen(function* () {
      const { backupId, source, target } = yield* prepared
      yield* inTime(restore(aRestore(backupId, bare)))
      assert.deepStrictEqual(yield* configs, { ...own, "retention.ms": "-1", "retention.bytes": "-1" })
      yield* inTime(restore(aRestore(backupId, { ...bare, retentionHold: 0 })))
      assert.deepStrictEqual(yield* configs, own)
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("has it again also after attempts that stopped on their way, and with what overrides change", () =>
    Effect.gen(function* () {
      const { backupId } = yield* prepared
      const overrides = new Map([["*", { "cleanup.policy": "delete" }]])
      const request = aRestore(backupId, { configs: { fromBackup: false, overrides }, retentionHold: 0 })
      yield* stopped(request)
      assert.strictEqual((yield* configs)?.["message.timestamp.type"], "CreateTime")
      yield* stopped(request)
      yield* inTime(restore(request))
      assert.deepStrictEqual(yield* configs, { ...own, "cleanup.policy": "delete" })
    }).pipe(Effect.provide(layer))
  )

  it.effect("has the configuration of the backup otherwise", () =>
    Effect.gen(function* () {
      const { backupId } = yield* prepared
      yield* inTime(restore(aRestore(backupId, { retentionHold: 0 })))
      assert.deepStrictEqual(yield* configs, {
        "retention.ms": "9000",
        "max.message.bytes": "1500000",
        "flush.ms": "7"
      })
    }).pipe(Effect.provide(layer))
  )

  it.effect("has again what it had when the restore fails for good and is asked to leave nothing behind", () =>
    Effect.gen(function* () {
      const { backupId, source, target } = yield* prepared
      yield* stopped(aRestore(backupId))
      assert.strictEqual((yield* configs)?.["cleanup.policy"], "delete")
      yield* stopped(aRestore(backupId, { deletesCreated: true }))
      assert.deepStrictEqual(yield* configs, own)
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.provide(layer))
  )
})
