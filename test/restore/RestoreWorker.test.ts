import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result } from "effect"
import * as DrillReporting from "../../src/drill/DrillReporting.ts"
import * as DrillWorker from "../../src/DrillWorker.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import * as RestoreReporting from "../../src/restore/RestoreReporting.ts"
import { kafkaBackup } from "../../src/testing/KafkaBackupBuilder.ts"
import * as BackupRef from "../../src/resource/BackupRef.ts"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import * as Restore from "../../src/restore/Restore.ts"
import * as RestoreProgress from "../../src/restore/RestoreProgress.ts"
import * as SpecRequest from "../../src/restore/SpecRequest.ts"
import * as RestoreWorker from "../../src/RestoreWorker.ts"
import * as MountedSecrets from "../../src/secrets/MountedSecrets.ts"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import { ObjectStores } from "../../src/storage/ObjectStore.ts"
import { assertSame, backUp, inTime, layer as ports, options, worlds } from "./world.ts"

/** Whatever storage a resource names, it is the world's. */
const stores = Layer.effect(
  ObjectStores,
  Effect.map(InMemoryObjectStores, (memory) =>
    ObjectStores.of({ open: () => Effect.map(memory.named("backups"), ({ store }) => store) })
  )
)
const layer = Layer.mergeAll(stores, MountedSecrets.layer(undefined)).pipe(
  Layer.provideMerge(ports),
  Layer.provideMerge(NodeServices.layer)
)

const resource = (backupId: string, circuitBreaker: object) =>
  BackupRef.restorable(
    Result.getOrThrow(
      KafkaRestore.parse(
        JSON.stringify({
          apiVersion: "kafka.oso.sh/v1alpha1",
          kind: "KafkaRestore",
          metadata: { name: "back" },
          spec: {
            backupId,
            targetCluster: { bootstrapServers: ["target:9092"] },
            storage: { storageType: "pvc", pvc: { claimName: "backups" } },
            circuitBreaker
          }
        })
      )
    )
  )!

/** A restore whose broker loses connections for a while. */
const disturbed = (circuitBreaker: object) =>
  Effect.gen(function* () {
    const { source, target } = yield* worlds
    yield* source.createTopic("orders")
    for (let at = 0; at < 5; at++) yield* source.produce("orders", 0, [{ key: `${at}`, value: "x".repeat(300) }])
    const progress = RestoreProgress.make()
    const restore = resource(yield* backUp, circuitBreaker)
    const opened = yield* RestoreWorker.open(restore, progress, { volumes: "/volumes", secretPatienceMillis: 0 })
    const request = SpecRequest.request(restore)
    const prepared = yield* Restore.prepare(opened, request)
    yield* target.inject({ _tag: "ConnectionLost" }, { operation: "offsets", after: 1, times: 30 })
    yield* target.inject({ _tag: "ConnectionLost" }, { operation: "metadata", after: 5, times: 30 })
    yield* inTime(Restore.run(opened, request, prepared, { ...options, patienceMillis: opened.patienceMillis }))
    yield* target.clearFaults
    yield* assertSame(source, target, "orders", 1)
    return { ...opened, interruptions: progress.interruptions }
  }).pipe(Effect.scoped)

describe("a restore's circuit breaker", () => {
  it.effect("pauses while brokers do not answer, and goes on", () =>
    Effect.gen(function* () {
      const { interruptions, patienceMillis } = yield* disturbed({ failureThreshold: 3, resetTimeoutSecs: 600 })
      assert.isAbove(interruptions.length, 0)
      assert.strictEqual(patienceMillis, 1_260_000)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is not there when it is disabled", () =>
    Effect.gen(function* () {
      const { interruptions, patienceMillis } = yield* disturbed({ enabled: false })
      assert.deepStrictEqual(interruptions, [])
      assert.strictEqual(patienceMillis, 600_000)
    }).pipe(Effect.provide(layer))
  )
})

describe("the backup that a pod reads", () => {
  const read = Effect.gen(function* () {
    const { calls } = yield* Effect.flatMap(InMemoryObjectStores, (memory) => memory.named("backups"))
    const keys = (yield* calls).filter(({ key }) => key.startsWith(BackupKeys.readersFolder) && key.endsWith(".json"))
    return keys.map(({ operation }) => operation)
  })
  const context = { volumes: "/volumes", secretPatienceMillis: 0 }

  it.effect("is registered while it is restored, and not by a dry run", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, [{ key: "1", value: "x" }])
      const restore = resource(yield* backUp, { enabled: false })
      for (const isDryRun of [true, false]) {
        const reporting = RestoreReporting.context(0, RestoreProgress.make())
        yield* inTime(RestoreWorker.attempt(restore, reporting, { ...context, isDryRun }))
        assert.deepStrictEqual(yield* read, isDryRun ? [] : ["put", "delete"])
      }
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is registered while it is drilled, and not by a dry run", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, [{ key: "1", value: "x" }])
      yield* backUp
      const parsed = yield* Effect.fromResult(
        ManifestParser.fromServer(kafkaBackup({ name: "nightly", bootstrapServers: ["in-memory:9092"] }))
      )
      const backup = { ...parsed, metadata: { ...parsed.metadata, namespace: "kafka", uid: "uid-1" } }
      for (const isDryRun of [true, false]) {
        const reporting = DrillReporting.context(0, RestoreProgress.make())
        yield* inTime(DrillWorker.attempt(backup, reporting, { ...context, isDryRun }))
        assert.deepStrictEqual(yield* read, isDryRun ? [] : ["put", "delete"])
      }
    }).pipe(Effect.provide(layer))
  )
})
