import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import type { Fault } from "../../src/kafka/memory/InMemoryFaults.ts"
import * as Restore from "../../src/restore/Restore.ts"
import * as RestoreNotes from "../../src/restore/RestoreNotes.ts"
import { random } from "../segment/arbitraryRecords.ts"
import { aRestore, assertSame, backUp, inTime, layer, plain, restore, systems, worlds } from "./world.ts"

const records = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({ key: `k${from + i}`, value: `v${from + i}` }))

/** Holes of one offset, and of several, in a log that does not begin at 0, and at its end. */
const fill = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  yield* cluster.createTopic("orders", { partitions: 2 })
  yield* cluster.createTopic("plain")
  yield* cluster.produce("plain", 0, records(3))
  for (const partition of [0, 1]) {
    for (const end of ["commit", "abort", "abort", "commit", "abort"] as const) {
      yield* cluster.produce("orders", partition, records(7))
      const transaction = yield* cluster.beginTransaction()
      yield* transaction.produce("orders", partition, records(4, 100))
      yield* transaction[end]
    }
  }
  yield* cluster.deleteRecordsBefore("orders", 1, 3)
  return yield* backUp
})

const soon = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

const renumbered = "a partition has 17 offsets without a record, and the principal lacks Alter on the cluster"

describe("holes in a log, without Alter on the cluster,", () => {
  it.effect("are taken by empty transactions, and a note says so", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      const backupId = yield* fill(source)
      yield* target.deny("Alter")
      const restored = yield* inTime(restore(aRestore(backupId, { offsets: "exact" })))
      assert.include(
        RestoreNotes.notes(restored),
        "the principal lacks Alter on the cluster: 34 offsets without a record are taken by empty transactions instead, some 300 in a second"
      )
      yield* assertSame(source, target, "orders", 2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("are taken at their places whatever happens to the requests", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      const backupId = yield* fill(source)
      yield* target.deny("Alter")
      for (let seed = 1; seed <= 25; seed++) {
        const next = random(seed)
        const below = (n: number) => Math.floor(next() * n)
        const faults: ReadonlyArray<() => Fault> = [
          () => ({ _tag: "ConnectionLost" }),
          () => ({ _tag: "AnswerLost" }),
          () => ({ _tag: "Delayed", millis: below(3000) }),
          () => ({ _tag: "Code", code: [14, 16, 51, 7, 3][below(5)]! })
        ]
        for (let i = 1 + below(5); i > 0; i--) {
          const operation = next() < 0.7 ? "transactions" : "produce"
          yield* target.inject(faults[below(faults.length)]!(), { operation, after: below(60), times: 1 + below(3) })
        }
        const topicMapping = new Map([["orders", `orders-${seed}`]])
        const request = aRestore(backupId, { topics: ["orders"], topicMapping, owner: { name: `r${seed}` } })
        yield* inTime(restore(request))
        yield* target.clearFaults
        yield* assertSame(source, target, "orders", 2, `orders-${seed}`)
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("are none of a topic that gets new offsets where not even transactions are allowed", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      const backupId = yield* fill(source)
      yield* target.deny("Alter")
      yield* target.deny("WriteTransactionalId")
      const opened = yield* systems
      const error = yield* Effect.flip(inTime(Restore.prepare(opened, aRestore(backupId, { offsets: "exact" }))))
      assert.include(error.message, "permission denied: the principal lacks Alter on cluster, and orders needs")
      const restored = yield* inTime(restore(aRestore(backupId)))
      const [orders, other] = restored.plan.topics
      assert.strictEqual(RestoreNotes.because(orders!.renumbered!), renumbered)
      assert.isUndefined(other!.renumbered)
      assert.lengthOf(yield* plain(target, "orders", 0), restored.plan.topics[0]!.partitions[0]!.records)
      yield* assertSame(source, target, "plain", 1)
      // What was begun goes on as it was planned, whatever is granted since then.
      yield* target.allow("Alter")
      const again = yield* inTime(restore(aRestore(backupId)))
      assert.isTrue(again.wasProven)
      assert.include(
        RestoreNotes.notes(again).join("\n"),
        "orders gets new offsets: a partition has 17 offsets without a record, and the principal lacked Alter on the cluster when the restore began"
      )
      assert.match(RestoreNotes.because(again.plan.topics[0]!.renumbered!), /lacked Alter/)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("get no marker of a killed attempt when Alter is granted before the next one", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      const backupId = yield* fill(source)
      yield* target.deny("Alter")
      const hangs = { _tag: "Delayed", millis: 3_600_000 } as const
      for (const after of [1, 4, 12]) {
        yield* target.inject(hangs, { operation: "transactions", after, times: 100 })
        const topicMapping = new Map([["orders", `orders-${after}`]])
        const request = aRestore(backupId, { topics: ["orders"], topicMapping, owner: { name: `r${after}` } })
        const killed = yield* Effect.forkChild(inTime(restore(request)))
        const written = (yield* target.counters).produceRequests + 2
        while ((yield* target.counters).produceRequests < written) yield* soon
        for (let i = 0; i < 50; i++) yield* soon
        assert.isUndefined(killed.pollUnsafe(), "it waits for a transaction")
        yield* Fiber.interrupt(killed)
        yield* target.clearFaults
        yield* target.allow("Alter")
        yield* inTime(restore(request))
        yield* TestClock.adjust("2 minutes")
        yield* assertSame(source, target, "orders", 2, `orders-${after}`)
        yield* target.deny("Alter")
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("still need it where an earlier attempt has used it", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      const backupId = yield* fill(source)
      yield* target.inject({ _tag: "Code", code: 87 }, { operation: "produce", after: 6, times: 100 })
      yield* Effect.flip(inTime(restore(aRestore(backupId))))
      yield* target.clearFaults
      yield* target.deny("Alter")
      yield* target.deny("WriteTransactionalId")
      const error = yield* Effect.flip(inTime(restore(aRestore(backupId))))
      assert.include(error.message, "the principal lacks Alter on cluster")
      yield* target.allow("WriteTransactionalId")
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 2)
    }).pipe(Effect.provide(layer))
  )
})
