import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { KafkaError, ProtocolFailure } from "../../src/kafka/KafkaError.ts"
import type { KafkaSinkShape } from "../../src/kafka/KafkaSink.ts"
import * as Restore from "../../src/restore/Restore.ts"
import * as RestoreNotes from "../../src/restore/RestoreNotes.ts"
import { aRestore, assertSame, backUp, inTime, layer, options, systems, worlds } from "./world.ts"

type Refuses = (configs: Readonly<Record<string, string | null>>) => boolean

/** A cluster with a policy for configurations, such as `alter.config.policy.class.name`. */
const governed = (sink: KafkaSinkShape, code: number, refuses: Refuses): KafkaSinkShape => ({
  ...sink,
  alterConfigs: (topic, configs) =>
    refuses(configs)
      ? Effect.fail(
          new KafkaError({
            operation: "configs",
            reason: new ProtocolFailure({ detail: "not by the policy", code, transient: false })
          })
        )
      : sink.alterConfigs(topic, configs),
  validateConfigs: (topic, configs) =>
    refuses(configs)
      ? Effect.succeed({ errorCode: code, detail: "not by the policy" })
      : sink.validateConfigs(topic, configs),
  createTopics: (topics, asked) =>
    Effect.map(sink.createTopics(topics, asked), (outcomes) =>
      outcomes.map((outcome, at) =>
        refuses(topics[at]!.configs) ? { ...outcome, errorCode: code, detail: "not by the policy" } : outcome
      )
    )
})

const records = Array.from({ length: 20 }, (_, i) => ({ key: `k${i}`, value: `v${i}`, timestamp: 1_600_000_000_000 }))

describe("a policy of the brokers for configurations", () => {
  it.effect.each([44, 42])("costs a restore the configurations that it refuses, and names them: code %i", (code) =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders", { configs: { "segment.ms": "1000", "flush.ms": "9" } })
      yield* source.produce("orders", 0, records)
      const opened = yield* systems
      // It wants a value of segment.ms, and one that each topic sets itself.
      const refuses: Refuses = (configs) =>
        configs["segment.ms"] === "1000" || configs["message.timestamp.type"] === null
      const systemsThere = { ...opened, sink: governed(opened.sink, code, refuses) }
      const request = aRestore(yield* backUp)
      const prepared = yield* inTime(Restore.prepare(systemsThere, request))
      assert.deepStrictEqual(prepared.expectedRefusals, [
        { topic: "orders", name: "segment.ms", detail: "not by the policy" }
      ])
      const restored = yield* inTime(Restore.run(systemsThere, request, prepared, options))
      yield* assertSame(source, target, "orders", 1)
      assert.deepStrictEqual(restored.refusedConfigs.map(({ name }) => name).toSorted(), [
        "message.timestamp.type",
        "segment.ms"
      ])
      assert.deepInclude((yield* opened.source.topicConfigs(["orders"])).get("orders"), { "flush.ms": "9" })
      const notes = RestoreNotes.notes(restored)
      assert.include(
        notes,
        "orders does not get the configuration segment.ms: the brokers refuse it (not by the policy)"
      )
      assert.include(
        notes,
        "orders keeps the configuration message.timestamp.type of the time of the restore: the brokers refuse it (not by the policy)"
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect.each([44, 42])("is asked about configOverrides before anything is written: code %i", (code) =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      for (const name of ["orders", "payments"]) {
        yield* source.createTopic(name)
        yield* source.produce(name, 0, records)
      }
      const backupId = yield* backUp
      yield* target.createTopic("payments")
      const opened = yield* systems
      const sink = governed(opened.sink, code, (configs) => configs["segment.ms"] === "1000")
      const overrides = new Map([["*", { "segment.ms": "1000" }]])
      const request = aRestore(backupId, { configs: { fromBackup: true, overrides } })
      const { message } = yield* Effect.flip(inTime(Restore.prepare({ ...opened, sink }, request)))
      for (const name of ["orders", "payments"]) {
        assert.include(message, `the broker refuses configOverrides of topic ${name}: not by the policy`)
      }
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect.each([44, 42])("leaves topics the retention that they have when their hold ends: code %i", (code) =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      for (const name of ["orders", "payments"]) {
        yield* source.createTopic(name, { configs: { "retention.ms": name === "orders" ? "1000" : "2000" } })
        yield* source.produce(name, 0, records)
      }
      const request = aRestore(yield* backUp, { retentionHold: 0 })
      const opened = yield* systems
      const held = { ...request, retentionHold: "forever" as const }
      const prepared = yield* inTime(Restore.prepare(opened, held))
      yield* inTime(Restore.run(opened, held, prepared, options))
      const there = { ...opened, sink: governed(opened.sink, code, (configs) => configs["retention.ms"] === "1000") }
      const restored = yield* inTime(
        Restore.run(there, request, yield* inTime(Restore.prepare(there, request)), options)
      )
      const notes = RestoreNotes.notes(restored)
      assert.include(
        notes,
        "orders keeps retention.ms -1 although its hold has ended: the brokers refuse it (not by the policy)"
      )
      assert.include(notes, "the retention hold has ended. 1 topics have the retention of the backup")
      const configs = yield* opened.source.topicConfigs(["orders", "payments"])
      assert.strictEqual(configs.get("orders")?.["retention.ms"], "-1")
      assert.strictEqual(configs.get("payments")?.["retention.ms"], "2000")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("stops a restore that could not write to an existing topic, before anything is written", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, records)
      const backupId = yield* backUp
      yield* target.createTopic("orders")
      const opened = yield* systems
      const sink = governed(opened.sink, 44, (configs) => configs["retention.ms"] === "-1")
      const { message } = yield* Effect.flip(inTime(Restore.prepare({ ...opened, sink }, aRestore(backupId))))
      assert.include(
        message,
        "the broker refuses the configuration that topic orders needs while it is written: not by the policy"
      )
      assert.deepStrictEqual((yield* opened.source.topicConfigs(["orders"])).get("orders"), {})
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("is not taken for a fault of configOverrides where it refuses the topic anyway", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, records)
      const backupId = yield* backUp
      const opened = yield* systems
      const sink = governed(opened.sink, 44, (configs) => configs["retention.ms"] === "-1")
      const overrides = new Map([["*", { "segment.ms": "1000" }]])
      const request = aRestore(backupId, { configs: { fromBackup: true, overrides } })
      const { message } = yield* Effect.flip(inTime(Restore.prepare({ ...opened, sink }, request)))
      assert.include(message, "the broker refuses topic orders: not by the policy")
      assert.notInclude(message, "configOverrides")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
