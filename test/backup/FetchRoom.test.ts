import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as FetchRoom from "../../src/backup/FetchRoom.ts"
import type { KafkaWire } from "../../src/kafka/KafkaWire.ts"
import * as BufferPool from "../../src/kafka/kafkajs/BufferPool.ts"
import { makeKafkaSource } from "../../src/kafka/read/WireKafkaSource.ts"
import { inTime } from "./inTime.ts"
import { aRequest, assertHoldsAll, attempt, layer, world } from "./world.ts"

const MiB = 1024 * 1024
const besideRecords = MiB / 64

describe("room for answers", () => {
  it("is that of all open partitions, shared by those that are left, and at most 8 MiB for one", () => {
    const limits = (partitions: number, open: number) => {
      const room = FetchRoom.make(partitions, open, MiB)
      return Array.from({ length: partitions }, () => {
        const limit = room.limit()
        room.ended()
        return limit < 8 * MiB ? limit + besideRecords : limit
      })
    }
    assert.deepStrictEqual(
      limits(10, 4),
      [2, 2, 2, 2, 2, 2, 2, 2, 2, 4].map((n) => n * MiB)
    )
    assert.deepStrictEqual(limits(4, 8), [2 * MiB, Math.floor((8 / 3) * MiB), 4 * MiB, 8 * MiB])
    assert.deepStrictEqual(limits(1, 64), [8 * MiB])
  })

  it("takes no more memory than two buffers of twice its size for each open partition, nor gives less than one", () => {
    for (let open = 1; open <= 16; open++) {
      for (let partitions = 1; partitions <= 40; partitions++) {
        const room = FetchRoom.make(partitions, open, MiB)
        for (let left = partitions; left > 0; left--) {
          const buffer = 2 ** Math.ceil(Math.log2(room.limit() + 1000))
          assert.isAtMost(buffer * Math.min(left, open), 2 * open * MiB)
          assert.isAtLeast(room.limit(), MiB)
          room.ended()
        }
      }
    }
  })

  it("fits the buffers of answers", () => {
    const pool = BufferPool.make({ maxIdleBytes: 0, maxBufferBytes: 16 * MiB })
    const room = FetchRoom.make(100, 8, MiB)
    assert.strictEqual(pool.take(room.limit() + 1000).buffer.length, 2 * MiB)
    assert.strictEqual(pool.take(MiB + 1000).buffer.length, 2 * MiB, "what an answer to 1 MiB takes")
  })

  it.effect("halves the round trips to a far broker while all partitions are open", () =>
    Effect.gen(function* () {
      const partitions = 3
      const fetchesFrom = Effect.fnUntraced(function* (millis: number) {
        const { cluster } = yield* world
        yield* cluster.createTopic("orders", { partitions })
        for (let i = 0; i < 100 * partitions; i++) {
          yield* cluster.produce("orders", i % partitions, [{ key: `${i}`, value: "x".repeat(900) }])
        }
        const wire: KafkaWire = {
          ...cluster.wire,
          fetch: (request) => Effect.delay(cluster.wire.fetch(request), `${millis} millis`)
        }
        const before = (yield* cluster.counters).fetches
        const run = attempt(aRequest("2026-11-23T12:00:00Z"), {
          openPartitions: partitions,
          kafka: () => makeKafkaSource(wire)
        })
        const { facts } = yield* yield* inTime(run, 300)
        yield* assertHoldsAll(cluster, (yield* world).store, facts.backupId, { orders: partitions })
        return (yield* cluster.counters).fetches - before
      }, Effect.provide(layer))
      const [near, far] = [yield* fetchesFrom(1), yield* fetchesFrom(50)]
      assert.isAtMost(far, near * 0.6)
    })
  )
})
