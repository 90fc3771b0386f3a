import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Restore from "../../src/restore/Restore.ts"
import { aRestore, backUp, inTime, layer, plain, restore, slot, systems, worlds } from "./world.ts"

const fill = Effect.gen(function* () {
  yield* TestClock.setTime(Date.parse(slot))
  const { source } = yield* worlds
  for (const topic of ["orders", "others"]) {
    yield* source.createTopic(topic, { partitions: 3 })
    for (const partition of [0, 1, 2]) {
      yield* source.produce(
        topic,
        partition,
        Array.from({ length: 20 }, (_, i) => ({ key: `${topic} ${partition}`, value: `${i}`, timestamp: i * 1000 }))
      )
      yield* source.deleteRecordsBefore(topic, partition, 5)
    }
  }
  return yield* backUp
})

const chosen = new Map([["orders", new Set([0, 2])]])

describe("sourcePartitions", () => {
  for (const offsets of ["exact", "new"] as const) {
    it.effect(`restores these partitions, and leaves the others empty, with offsets ${offsets}`, () =>
      Effect.gen(function* () {
        const backupId = yield* fill
        const { source, target } = yield* worlds
        const request = aRestore(backupId, { sourcePartitions: chosen, offsets, cut: { last: 15_000 } })
        const opened = yield* systems
        const { plan } = yield* Restore.prepare(opened, request)
        yield* inTime(restore(request))
        for (const topic of ["orders", "others"]) {
          for (const partition of [0, 1, 2]) {
            const isChosen = topic === "others" || partition !== 1
            const kept = (yield* plain(source, topic, partition)).filter(({ timestamp }) => timestamp <= 15_000)
            const expected = isChosen
              ? kept.map((record, i) => ({ ...record, offset: offsets === "new" ? i : record.offset }))
              : []
            assert.deepStrictEqual(yield* plain(target, topic, partition), expected, `${topic}[${partition}]`)
          }
        }
        const ends = yield* opened.sink.offsets([{ topic: "orders", partition: 1 }], "highWatermark")
        assert.strictEqual(ends[0]?.offset, 0)
        assert.lengthOf(plan.topics.find(({ source: name }) => name === "orders")!.partitions, 3)
      }).pipe(Effect.scoped, Effect.provide(layer))
    )
  }

  it.effect("refuses topics that are not restored, and partitions that a topic does not have", () =>
    Effect.gen(function* () {
      const backupId = yield* fill
      const sourcePartitions = new Map([
        ["orders", new Set([1, 3])],
        ["others", new Set([0])],
        ["gone", new Set([0])]
      ])
      const request = aRestore(backupId, { topics: ["orders"], sourcePartitions })
      const { message } = yield* Effect.flip(inTime(restore(request)))
      assert.include(message, "sourcePartitions names partition 3 of orders, which has 3 partitions in the backup")
      assert.include(message, "sourcePartitions names others, which is not restored")
      assert.include(message, "sourcePartitions names gone, which is not restored")
    }).pipe(Effect.provide(layer))
  )
})
