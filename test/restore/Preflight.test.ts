import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Restore from "../../src/restore/Restore.ts"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import { aRestore, assertSame, backUp, inTime, layer, options, restore, systems, worlds } from "./world.ts"

const records = (count: number) => Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: `v${i}` }))

/** What stands against a restore: `message — advice` of each objection. */
const against = Effect.fnUntraced(function* (backupId: string, changes: Partial<RestoreRequest> = {}) {
  const opened = yield* systems
  const error = yield* Effect.flip(inTime(Restore.prepare(opened, aRestore(backupId, changes))))
  const { reason } = error as { readonly reason: { readonly objections?: ReadonlyArray<Record<string, string>> } }
  return (reason.objections ?? []).map(({ advice, message }) => `${message} — ${advice}`)
}, Effect.scoped)

describe("before anything is written, a restore", () => {
  it.effect("names the number of replicas that is possible", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      for (const name of ["orders", "payments"]) yield* source.createTopic(name)
      const backupId = yield* backUp
      yield* target.stopBroker(2)
      yield* target.stopBroker(3)
      assert.deepStrictEqual(yield* against(backupId), [
        "replication factor 3 is not possible with 1 live broker: orders, payments — set defaultReplicationFactor to 1, or start more brokers"
      ])
      assert.lengthOf(yield* against(backupId, { replicationFactor: 2 }), 1)
      yield* inTime(restore(aRestore(backupId, { replicationFactor: 1 })))
    }).pipe(Effect.provide(layer))
  )

  it.effect("refuses topics that nobody could write to afterwards, if configOverrides asks for them", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      const backupId = yield* backUp
      const overrides = new Map([["*", { "min.insync.replicas": "2" }]])
      const configs = { fromBackup: true, overrides }
      assert.deepStrictEqual(yield* against(backupId, { replicationFactor: 1, configs }), [
        "min.insync.replicas 2 with 1 replica would make topics read-only: orders — set defaultReplicationFactor to 2, or set min.insync.replicas to 1 in configOverrides"
      ])
      yield* target.createTopic("orders", { replicationFactor: 1 })
      assert.deepStrictEqual(yield* against(backupId, { configs }), [
        "min.insync.replicas 2 with 1 replica would make topics read-only: orders — set min.insync.replicas to 1 in configOverrides"
      ])
    }).pipe(Effect.provide(layer))
  )

  it.effect("refuses new names that Kafka takes for the same", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      for (const name of ["a.b", "a_b", "a-b"]) yield* source.createTopic(name)
      const backupId = yield* backUp
      assert.deepStrictEqual(yield* against(backupId), [
        "the names of a.b, a_b differ only in '.' and '_', so Kafka refuses to create all of them — give all but one of them another name in topicMapping"
      ])
      for (const name of ["a.b", "a_b"]) yield* target.createTopic(name)
      yield* inTime(restore(aRestore(backupId)))
    }).pipe(Effect.provide(layer))
  )

  it.effect("names every permission that it would miss later, and changes nothing", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, records(20))
      yield* source.deleteRecordsBefore("orders", 0, 5)
      const transaction = yield* source.beginTransaction()
      yield* transaction.produce("orders", 0, records(3))
      yield* transaction.commit
      yield* source.produce("orders", 0, records(3))
      yield* source.createTopic("plain")
      yield* source.produce("plain", 0, records(3))
      const backupId = yield* backUp
      for (const operation of ["Write", "AlterConfigs", "Delete", "Read"] as const) {
        yield* target.deny(operation, "orders")
        yield* target.deny(operation, "plain")
      }
      const lacks = (right: string, purpose: string, more = "") =>
        `permission denied: the principal lacks ${right}, needed ${purpose} — grant the principal ${right}${more}`
      const withoutHoles = [
        lacks("Write on topic plain", "to write records"),
        lacks("AlterConfigs on topic plain", "to set the configuration"),
        lacks("Read on topic plain", "to compare records")
      ]
      assert.sameMembers(yield* against(backupId, { topics: ["plain"] }), withoutHoles)
      assert.sameMembers(yield* against(backupId), [
        ...withoutHoles,
        lacks("Write on topic orders", "to write records"),
        lacks("AlterConfigs on topic orders", "to set the configuration"),
        lacks("Delete on topic orders", "to move the start of the log"),
        lacks("Read on topic orders", "to compare records")
      ])
      assert.strictEqual((yield* target.counters).produceRequests, 0)
      for (const operation of ["Write", "AlterConfigs", "Delete", "Read"] as const) {
        yield* target.allow(operation, "orders")
        yield* target.allow(operation, "plain")
      }
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("says what it had done when another topic appears after the checks", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      for (const name of ["orders", "payments"]) yield* source.createTopic(name)
      const request = aRestore(yield* backUp)
      const opened = yield* systems
      const prepared = yield* inTime(Restore.prepare(opened, request))
      yield* target.createTopic("payments")
      yield* target.produce("payments", 0, records(1))
      const error = yield* Effect.flip(inTime(Restore.run(opened, request, prepared, options)))
      assert.strictEqual(
        error.message,
        "the restore cannot go on, and no record was written; it created orders, without a record so far: topic payments holds records already, or did once"
      )
      // The next attempt remembers the topic that this one created.
      const next = yield* Effect.flip(inTime(Restore.prepare(opened, request)))
      assert.match(next.message, /^the restore cannot go on, and this attempt wrote nothing: topic payments holds/)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("does not claim that nothing was written when an earlier attempt has", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      for (const name of ["orders", "payments"]) {
        yield* source.createTopic(name)
        yield* source.produce(name, 0, records(20))
      }
      const request = aRestore(yield* backUp)
      yield* target.inject({ _tag: "Code", code: 29 }, { operation: "produce", after: 1 })
      yield* Effect.flip(inTime(restore(request)))
      yield* target.clearFaults
      const { sink } = yield* systems
      yield* sink.deleteTopics([{ name: "payments" }])
      yield* target.createTopic("payments")
      yield* target.produce("payments", 0, records(1))
      const error = yield* Effect.flip(inTime(restore(request)))
      assert.match(error.message, /^the restore cannot go on, and this attempt wrote nothing: topic payments holds/)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
