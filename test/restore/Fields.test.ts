import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Stream } from "effect"
import * as Restore from "../../src/restore/Restore.ts"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import * as SpecRequest from "../../src/restore/SpecRequest.ts"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import { aRestore, assertSame, backUp, inTime, layer, restore, systems, worlds } from "./world.ts"

const records = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: "x".repeat(60), timestamp: 1_600_000_000_000 + i }))

const backupOf = Effect.fnUntraced(function* (
  topics: Readonly<Record<string, Readonly<Record<string, string>>>>,
  count = 20
) {
  const { source } = yield* worlds
  for (const [name, configs] of Object.entries(topics)) {
    yield* source.createTopic(name, { configs })
    for (let at = 0; at < count; at += 10) yield* source.produce(name, 0, records(10))
  }
  return yield* backUp
})

const codecs = (topic: string, until: number) =>
  Effect.gen(function* () {
    const { source } = yield* systems
    const found = new Set<number>()
    yield* source.read({ topic, partition: 0, from: 0, until }).pipe(
      Stream.runForEach((fetched) =>
        Effect.sync(() => {
          for (const { codec } of fetched.batches) found.add(codec)
          fetched.release()
        })
      )
    )
    return [...found]
  }).pipe(Effect.scoped)

const configsOf = (topic: string) =>
  Effect.gen(function* () {
    const { source } = yield* systems
    return (yield* source.topicConfigs([topic])).get(topic)
  }).pipe(Effect.scoped)

const overrides = (some: Readonly<Record<string, Readonly<Record<string, string>>>>, fromBackup = true) => ({
  configs: { fromBackup, overrides: new Map(Object.entries(some)) }
})

/** What stands against a restore. */
const against = Effect.fnUntraced(function* (backupId: string, changes: Partial<RestoreRequest>) {
  const error = yield* Effect.flip(inTime(Restore.prepare(yield* systems, aRestore(backupId, changes))))
  return `${error.message} — ${"advice" in error ? error.advice : ""}`
}, Effect.scoped)

describe("compression", () => {
  it.effect("of a restore is that of the resource, else of configOverrides, else of the source, else lz4", () =>
    Effect.gen(function* () {
      const backupId = yield* backupOf({ plain: {}, packed: { "compression.type": "gzip" } })
      yield* inTime(restore(aRestore(backupId)))
      assert.deepStrictEqual([yield* codecs("plain", 20), yield* codecs("packed", 20)], [[3], [1]])
      for (const [compression, number] of Object.entries({ none: 0, gzip: 1, lz4: 3, zstd: 4 } as const)) {
        const topicMapping = new Map([["packed", `as-${compression}`]])
        yield* inTime(
          restore(
            aRestore(backupId, {
              topics: ["packed"],
              topicMapping,
              compression: compression as "none",
              owner: { name: compression }
            })
          )
        )
        assert.deepStrictEqual(yield* codecs(`as-${compression}`, 20), [number])
      }
      // An override says what the topic is going to have; without configurations the source still shows the data.
      const wanted = { packed: { "compression.type": "zstd" } }
      const as = (name: string, changes: Partial<RestoreRequest>) =>
        aRestore(backupId, {
          topics: ["packed"],
          topicMapping: new Map([["packed", name]]),
          owner: { name },
          ...changes
        })
      yield* inTime(restore(as("overridden", overrides(wanted))))
      yield* inTime(restore(as("bare", overrides({}, false))))
      assert.deepStrictEqual([yield* codecs("overridden", 20), yield* codecs("bare", 20)], [[4], [1]])
    }).pipe(Effect.provide(layer))
  )
})

describe("exact.maxFillerOffsets", () => {
  it.effect("says in the refusal to what it has to be raised", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, records(50))
      yield* source.deleteRecordsBefore("orders", 0, 40)
      const backupId = yield* backUp
      const refused = yield* against(backupId, { offsets: "exact", maxFillerOffsets: 39 })
      assert.include(refused, "orders needs 40 offsets without a record in one partition")
      assert.include(refused, "set exact.maxFillerOffsets to at least 40, or set offsets: Auto or New")
      yield* inTime(restore(aRestore(backupId, { offsets: "exact", maxFillerOffsets: 40 })))
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.provide(layer))
  )
})

describe("rateLimit", () => {
  const seconds = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const before = yield* Clock.currentTimeMillis
      yield* inTime(effect)
      return ((yield* Clock.currentTimeMillis) - before) / 1000
    })

  it.effect("holds for the bytes, and for the records, of all partitions together", () =>
    Effect.gen(function* () {
      const backupId = yield* backupOf({ a: {}, b: {} }, 100)
      const request = (name: string, changes: Partial<RestoreRequest>) =>
        aRestore(backupId, {
          compression: "none",
          topicMapping: new Map([
            ["a", `${name}-a`],
            ["b", `${name}-b`]
          ]),
          owner: { name },
          ...changes
        })
      let written = 0
      const counting = Effect.fnUntraced(function* (wanted: RestoreRequest) {
        const opened = yield* systems
        const prepared = yield* Restore.prepare(opened, wanted)
        const onAppended = (_: number, bytes: number) => void (written += bytes)
        const options = {
          openPartitions: 3,
          batchBytes: 400,
          leastStoredBytes: 0,
          batchMemoryBytes: 32 * 1024 * 1024,
          patienceMillis: 600_000,
          onAppended
        }
        yield* Restore.run(opened, wanted, prepared, options)
      }, Effect.scoped)
      yield* seconds(counting(request("warm", {})))
      const total = written
      assert.isAtLeast(yield* seconds(counting(request("bytes", { bytesPerSecond: total / 20 }))), 17)
      assert.isAtLeast(yield* seconds(counting(request("records", { recordsPerSecond: 10 }))), 17)
    }).pipe(Effect.provide(layer))
  )

  it.effect("counts no filler as a record", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, records(500))
      yield* source.deleteRecordsBefore("orders", 0, 495)
      const backupId = yield* backUp
      // 25 s for the records; with the fillers it would be 2,500. Virtual time goes on while the restore works.
      assert.isBelow(yield* seconds(restore(aRestore(backupId, { recordsPerSecond: 0.2 }))), 1000)
    }).pipe(Effect.provide(layer))
  )
})

describe("configs and configOverrides", () => {
  it.effect("give topics the configuration of the backup, or none, and then what is asked for", () =>
    Effect.gen(function* () {
      const own = { "segment.ms": "1000", "retention.ms": "5000" }
      const backupId = yield* backupOf({ "shop-a": own, "shop-b": own })
      const wanted = {
        "shop-*": { "retention.ms": "7", "flush.ms": "7" },
        "*": { "flush.ms": "1", "segment.ms": "9" },
        "shop-b": { "flush.ms": "8" }
      }
      yield* inTime(restore(aRestore(backupId, overrides(wanted))))
      assert.deepInclude(yield* configsOf("shop-a"), { "segment.ms": "9", "flush.ms": "7", "retention.ms": "-1" })
      assert.deepInclude(yield* configsOf("shop-b"), { "segment.ms": "9", "flush.ms": "8", "retention.ms": "-1" })
      yield* inTime(restore(aRestore(backupId, { ...overrides(wanted), retentionHold: 0 })))
      assert.deepInclude(yield* configsOf("shop-b"), { "retention.ms": "7" })

      const topicMapping = new Map([["shop-a", "bare"]])
      const bare = { topics: ["shop-a"], topicMapping, owner: { name: "bare" }, retentionHold: 0 }
      yield* inTime(restore(aRestore(backupId, { ...overrides({}, false), ...bare })))
      assert.deepStrictEqual(yield* configsOf("bare"), {})
    }).pipe(Effect.provide(layer))
  )

  it.effect(
    "refuse a name that the brokers do not know, and a pattern without a topic, before anything is written",
    () =>
      Effect.gen(function* () {
        const { target } = yield* worlds
        const backupId = yield* backupOf({ orders: {}, payments: {} })
        yield* target.createTopic("payments")
        const refused = yield* against(
          backupId,
          overrides({ orders: { "retention.msec": "1" }, payments: { "flush.msec": "1" }, "order-*": {} })
        )
        assert.include(
          refused,
          "the broker refuses configOverrides of topic orders: Unknown topic config name: retention"
        )
        assert.include(
          refused,
          "the broker refuses configOverrides of topic payments: Unknown topic config name: flush"
        )
        assert.include(refused, "configOverrides names order-*, and no topic of that name is restored")
        assert.deepStrictEqual(yield* configsOf("payments"), {})
      }).pipe(Effect.provide(layer))
  )

  it.effect("can lower min.insync.replicas to the replicas that there are", () =>
    Effect.gen(function* () {
      const backupId = yield* backupOf({ orders: { "min.insync.replicas": "2" } })
      const request = { replicationFactor: 1, ...overrides({ orders: { "min.insync.replicas": "1" } }) }
      yield* inTime(restore(aRestore(backupId, request)))
      assert.strictEqual((yield* configsOf("orders"))?.["min.insync.replicas"], "1")
      const raised = { replicationFactor: 2, ...overrides({ "*": { "min.insync.replicas": "3" } }) }
      assert.include(yield* against(backupId, { ...raised, owner: { name: "other" } }), "min.insync.replicas 3 with")
    }).pipe(Effect.provide(layer))
  )
})

describe("the fields of a KafkaRestore", () => {
  const parsed = (spec: object) =>
    KafkaRestore.parse(
      JSON.stringify({
        apiVersion: "kafka.oso.sh/v1alpha1",
        kind: "KafkaRestore",
        metadata: { name: "back" },
        spec: {
          backupId: "shop-20260301-020000",
          targetCluster: { bootstrapServers: ["kafka:9092"] },
          storage: { storageType: "pvc", pvc: { claimName: "backups" } },
          ...spec
        }
      })
    )

  const requested = (spec: object) => {
    const result = parsed(spec)
    if (result._tag === "Failure") throw result.failure
    return SpecRequest.request(result.success)
  }

  const problems = (spec: object) => {
    const result = parsed(spec)
    return result._tag === "Failure" ? result.failure.problems.map(({ field, message }) => `${field} ${message}`) : []
  }

  it("have these defaults", () => {
    assert.deepInclude(requested({}), {
      retentionHold: 86_400_000,
      maxFillerOffsets: 2_000_000_000,
      configs: { fromBackup: true, overrides: new Map() },
      bytesPerSecond: undefined,
      recordsPerSecond: undefined
    })
    assert.notProperty(requested({}), "compression")
  })

  it("reach the restore", () => {
    assert.deepInclude(
      requested({
        retentionHold: "1d12h",
        exact: { maxFillerOffsets: 5 },
        compression: "zstd",
        configs: "BrokerDefaults",
        configOverrides: { "a*": { "retention.ms": "1" } },
        rateLimit: { bytesPerSecond: 1000, recordsPerSecond: 2 }
      }),
      {
        retentionHold: 129_600_000,
        maxFillerOffsets: 5,
        compression: "zstd",
        configs: { fromBackup: false, overrides: new Map([["a*", { "retention.ms": "1" }]]) },
        bytesPerSecond: 1000,
        recordsPerSecond: 2
      }
    )
    assert.strictEqual(requested({ retentionHold: "forever" }).retentionHold, "forever")
    assert.strictEqual(requested({ retentionHold: "0s" }).retentionHold, 0)
  })

  it("are refused with a remedy", () => {
    const bad: ReadonlyArray<readonly [spec: object, problem: RegExp]> = [
      [{ retentionHold: "1 day" }, /retentionHold .*24h, 90m or 7d, 0s for no hold, or forever/],
      [{ retentionHold: "" }, /retentionHold .*must be a duration/],
      [{ retentionHold: "-1h" }, /retentionHold .*must be a duration/],
      [{ retentionHold: 24 }, /retentionHold /],
      [{ exact: { maxFillerOffsets: -1 } }, /exact.maxFillerOffsets /],
      [{ exact: { maxFiller: 1 } }, /exact.maxFiller .*maxFillerOffsets/],
      [{ compression: "snappy" }, /compression .*none.*gzip.*lz4.*zstd/],
      [{ configs: "None" }, /configs .*FromBackup.*BrokerDefaults/],
      [{ configOverrides: { "a b": {} } }, /configOverrides .*topic names or wildcard patterns as keys/],
      [{ configOverrides: { a: { "Retention Ms": "1" } } }, /configOverrides.*names of topic configurations as keys/],
      [{ configOverrides: { a: { "retention.ms": 1 } } }, /configOverrides/],
      [{ rateLimit: { bytesPerSecond: 0 } }, /rateLimit.bytesPerSecond .*remove it for no limit/],
      [{ rateLimit: { recordsPerSecond: 0.5 } }, /rateLimit.recordsPerSecond /],
      [{ circuitBreaker: { failureThreshold: 0 } }, /circuitBreaker.failureThreshold /]
    ]
    for (const [spec, problem] of bad) assert.match(problems(spec).join("\n"), problem, JSON.stringify(spec))
  })
})
