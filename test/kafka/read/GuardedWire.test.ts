import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as Breaker from "../../../src/worker/Breaker.ts"
import * as BreakerGuards from "../../../src/worker/BreakerGuards.ts"
import type { Shown } from "../../../src/worker/BreakerJournal.ts"
import { makeInMemoryCluster } from "../../../src/kafka/memory/InMemoryCluster.ts"
import { makeGuardedSource } from "../../../src/kafka/read/WireKafkaSource.ts"
import { kafkaSourceContract } from "../../contract/kafkaSource.ts"
import { driverOf } from "../inMemoryDriver.ts"
import { collect, offsetsOf, pass, someRecords, within } from "../support.ts"

const settings = { failureThreshold: 5, resetMillis: 60_000, budgetMillis: 600_000 } satisfies Breaker.BreakerSettings

/** A source whose brokers are guarded, its cluster, and what would be shown. */
const guarded = Effect.fnUntraced(function* (brokers = 3) {
  const shown: Shown = { paused: undefined, interruptions: [], outages: [] }
  const cluster = makeInMemoryCluster({ location: "in-memory:9092", brokers })
  const guards = yield* BreakerGuards.make(settings, shown, false)
  const source = makeGuardedSource(cluster.wire, guards.brokers)
  const nothingIsKept = Effect.map(cluster.counters, ({ releasedTwice, unreleased }) =>
    assert.deepStrictEqual([unreleased, releasedTwice], [0, 0])
  )
  return { shown, cluster, source, nothingIsKept }
})

kafkaSourceContract(
  "in memory, with guarded brokers",
  Effect.gen(function* () {
    const { cluster, nothingIsKept, source } = yield* guarded()
    yield* Effect.addFinalizer(() => nothingIsKept)
    return { source, driver: driverOf(cluster) }
  })
)

/** A topic of one partition with 30 records in 10 batches, read with little at a time. */
const orders = Effect.fnUntraced(function* (brokers = 3) {
  const world = yield* guarded(brokers)
  yield* world.cluster.createTopic("orders", { partitions: 1 })
  for (let batch = 0; batch < 10; batch++) yield* world.cluster.produce("orders", 0, someRecords(3, batch * 3))
  const leader = (yield* world.source.cluster).topics[0]!.partitions[0]!.leader
  const read = collect(world.source, { topic: "orders", partition: 0, from: 0, until: 30, fetchBytes: 200 })
  return { ...world, read, leader }
})

const all = Array.from({ length: 30 }, (_, i) => i)

describe("A guarded broker", () => {
  it.effect("that loses its connections is not contacted for a minute, visibly, and is then read from again", () =>
    Effect.gen(function* () {
      const { cluster, leader, nothingIsKept, read, shown } = yield* orders()
      yield* cluster.inject({ _tag: "ConnectionLost" }, { operation: "fetch", after: 2, times: 5 })
      const reading = yield* Effect.forkChild(read)
      yield* pass("30 seconds")
      assert.include(shown.paused?.target, `broker ${leader}`)
      const { fetches } = yield* cluster.counters
      yield* pass("20 seconds")
      assert.strictEqual((yield* cluster.counters).fetches, fetches)
      yield* pass("30 seconds", reading)
      assert.deepStrictEqual(offsetsOf((yield* Fiber.join(reading)).records), all)
      assert.isUndefined(shown.paused)
      assert.deepStrictEqual(
        shown.interruptions.map(({ openings, target }) => [target, openings]),
        [[`kafka broker ${leader}`, 1]]
      )
      yield* nothingIsKept
    })
  )

  it.effect("that is gone delays no read once another broker leads", () =>
    Effect.gen(function* () {
      const { cluster, leader, read, shown } = yield* orders()
      yield* cluster.inject(
        { _tag: "ConnectionLost" },
        { operation: "fetch", node: leader, after: 2, times: 1_000_000 }
      )
      const reading = yield* Effect.forkChild(read)
      yield* pass("15 seconds")
      assert.isDefined(shown.paused)
      yield* cluster.moveLeader("orders", 0, (leader % 3) + 1)
      yield* pass("10 seconds", reading)
      assert.deepStrictEqual(offsetsOf((yield* Fiber.join(reading)).records), all)
      assert.isUndefined(shown.paused, "nobody waits for it any more")
    })
  )

  it.effect("is not paused for moved leaders, throttling or denied topics", () =>
    Effect.gen(function* () {
      const { cluster, read, shown } = yield* orders()
      const notLeader = 6
      yield* cluster.inject({ _tag: "Code", code: notLeader }, { after: 1, times: 12 })
      yield* cluster.inject({ _tag: "Throttled", millis: 100 }, { after: 15, times: 8 })
      assert.deepStrictEqual(offsetsOf((yield* within("5 minutes", read)).records), all)
      yield* cluster.deny("Read", "orders")
      assert.strictEqual((yield* within("1 minute", Effect.flip(read))).reason._tag, "KafkaAuthorizationFailed")
      assert.deepStrictEqual(shown.interruptions, [])
    })
  )

  it.effect("may be down for nine minutes, longer than a read would wait without its guard", () =>
    Effect.gen(function* () {
      const { cluster, leader, read } = yield* orders(1)
      const reading = yield* Effect.forkChild(read)
      yield* cluster.stopBroker(leader)
      yield* pass("9 minutes", reading)
      assert.isUndefined(reading.pollUnsafe())
      yield* cluster.startBroker(leader)
      yield* pass("2 minutes", reading)
      assert.deepStrictEqual(offsetsOf((yield* Fiber.join(reading)).records), all)
    })
  )

  it.effect("that stays down fails the read, retryably, with the cause", () =>
    Effect.gen(function* () {
      const { cluster, leader, read } = yield* orders(1)
      yield* cluster.stopBroker(leader)
      const error = yield* within("25 minutes", Effect.flip(read))
      assert.strictEqual(error.reason._tag, "BrokerUnreachable")
      assert.isTrue(error.isRetryable)
    })
  )

  it.effect("keeps no buffers when a read is interrupted at any moment", () =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 60; steps++) {
        const { cluster, nothingIsKept, read } = yield* orders()
        yield* cluster.inject({ _tag: "ConnectionLost" }, { operation: "fetch", after: 3, times: 3 })
        const reading = yield* Effect.forkChild(read)
        for (let step = 0; step < steps; step++) yield* Effect.yieldNow
        yield* Fiber.interrupt(reading)
        yield* nothingIsKept
      }
    })
  )
})
