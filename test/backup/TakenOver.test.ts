import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as TakenOver from "../../src/backup/TakenOver.ts"
import { BackupId } from "../../src/identity/BackupId.ts"
import type { RunPlan } from "../../src/manifest/RunPlan.ts"
import * as RunState from "../../src/manifest/RunState.ts"
import { aRequest, attempt, layer, world } from "./world.ts"

const slots = ["2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z"] as const

/** A partition of a compacted topic, taken over up to 5, with records up to `until` that must be read by 1000. */
const plan = (until: number): RunPlan => ({
  version: 2,
  backupId: BackupId.make("nightly-20261123-130000"),
  identity: { owner: { name: "nightly" }, slot: slots[1] },
  createdMillis: 500,
  bootstrapServers: ["in-memory:9092"],
  settings: { compression: "zstd", compressionLevel: 3, includeOffsetHeaders: false },
  base: { backupId: BackupId.make("nightly-20261123-120000"), manifestSha256: "" },
  topics: [
    {
      name: "t",
      replicationFactor: 1,
      partitions: [{ partition: 0, from: 0, until, reused: { until: 5, logStart: 0, readByMillis: 1000 } }]
    }
  ],
  notes: []
})

const base = {
  backup_id: "nightly-20261123-120000",
  created_at: 0,
  source_cluster_id: null,
  source_brokers: [],
  compression: "zstd" as const,
  topics: []
}

/** Why the partition is given up at 2000, after it was read up to `position` at `readMillis`. */
const reasonsAt2000 = Effect.fnUntraced(function* (until: number, position?: number, readMillis?: number) {
  const { store } = yield* world
  yield* TestClock.setTime(2000)
  const state = RunState.make()
  RunState.reuse(state, plan(until), base)
  if (position !== undefined) {
    const read = readMillis === undefined ? {} : { readMillis }
    RunState.absorb(state, [{ topic: "t", partition: 0, position, segments: [], gaps: [], ...read }])
  }
  return (yield* TakenOver.lost(store, plan(until), state)).givenUp.map(({ reason }) => reason)
})

describe("TakenOver.lost", () => {
  it.effect("judges a partition of a compacted topic by when it was read to its end, not by when it is committed", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* reasonsAt2000(10, 10, 999), [])
      assert.deepStrictEqual(yield* reasonsAt2000(10, 10, 1000), ["TookTooLong"])
      assert.deepStrictEqual(yield* reasonsAt2000(5), [], "there was nothing to read when it was planned")
      assert.deepStrictEqual(yield* reasonsAt2000(10, 9, 999), ["TookTooLong"], "not at its end yet")
      assert.deepStrictEqual(yield* reasonsAt2000(10), ["TookTooLong"], "not begun")
      assert.deepStrictEqual(yield* reasonsAt2000(10, 10), ["TookTooLong"], "an earlier version did not say when")
    }).pipe(Effect.provide(layer))
  )

  it.live("learns from checkpoints when a partition was read: before its last segment was stored", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("t")
      yield* cluster.produce("t", 0, [{ value: "v" }])
      const found: Array<{ readonly readMillis?: number; readonly storedMillis: number }> = []
      yield* attempt(aRequest(slots[0]), {
        store: {
          ...store,
          put: (key, pieces, options) => {
            if (key.includes("/topics/")) return Effect.delay(store.put(key, pieces, options), 100)
            if (!key.includes("/checkpoint/")) return store.put(key, pieces, options)
            const { content } = JSON.parse(Buffer.concat(pieces).toString())
            for (const { position, readMillis, segments } of content.advances) {
              if (position === 1) found.push({ readMillis, storedMillis: segments[0].uploaded_at })
            }
            return store.put(key, pieces, options)
          }
        }
      })
      assert.strictEqual(found.length, 1)
      assert.isAtMost(found[0]!.readMillis!, found[0]!.storedMillis - 50)
    }).pipe(Effect.provide(layer))
  )
})
