import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import * as FailedRuns from "../../src/backup/FailedRuns.ts"
import * as RunReporting from "../../src/backup/RunReporting.ts"
import type { RunReport } from "../../src/backup/RunReport.ts"
import * as BackupId from "../../src/identity/BackupId.ts"
import type { RunSpec } from "../../src/identity/RunSpec.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import * as MountedSecrets from "../../src/secrets/MountedSecrets.ts"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import { ObjectKey, ObjectStores, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import * as Worker from "../../src/Worker.ts"
import { fill, layer as ports, world } from "./world.ts"

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

const owner = { uid: "uid-1", namespace: "kafka", name: "nightly" }

const runSpec = (slot: string, topics: ReadonlyArray<string>, more: Record<string, unknown> = {}): RunSpec => ({
  backup: Result.getOrThrow(
    ManifestParser.fromServer({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaBackup",
      metadata: owner,
      spec: {
        kafkaCluster: { bootstrapServers: ["in-memory:9092"] },
        topics,
        storage: { storageType: "pvc", pvc: { claimName: "backups" } },
        ...more
      }
    })
  ),
  slot
})

const place = { volumes: "/volumes", host: "test" }

const run = Effect.fnUntraced(function* (spec: RunSpec) {
  const stop = yield* Deferred.make<void>()
  return yield* Worker.run(spec, {
    ...place,
    secretPatienceMillis: 0,
    stop,
    progress: RunProgress.make()
  })
})

/** A report of a run of that slot. */
const failedAt = (slot: string, more: Partial<RunReport> = {}): RunReport => ({
  ...RunReporting.ofFailure({ ...RunReporting.begin(0, RunProgress.make()), identity: { owner, slot } }, 1000, {
    reason: "TopicMissing",
    message: "the cluster has no topic oders",
    advice: "create the topic",
    isRetryable: false,
    exitCode: 13
  }),
  ...more
})

const hour = (n: number) =>
  `2026-11-${String(1 + Math.floor(n / 24)).padStart(2, "0")}T${String(n % 24).padStart(2, "0")}:00:00Z`

describe("The report of a failed run", () => {
  it.live("is kept with reason, advice and what was read, and is no backup", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      // Kafka has this record, and the stored format cannot hold it: the run fails after it has read others.
      yield* cluster.createTopic("zz-strange")
      yield* cluster.produce("zz-strange", 0, [{ value: "1", headers: [["k".repeat(70_000), "v"]] }])
      const summary = yield* run(runSpec("2026-11-23T01:00:00Z", ["*"]))
      assert.deepInclude(summary, { outcome: "failed", reason: "RecordNotRepresentable" })
      const { runs, unreadable } = yield* FailedRuns.all(store)
      assert.deepStrictEqual([runs.length, unreadable], [1, []])
      const [{ backupId, report }] = runs as [FailedRuns.FailedRun]
      assert.strictEqual(backupId, "nightly-20261123-010000")
      assert.deepInclude(report.error!, { reason: "RecordNotRepresentable", message: summary.message! })
      assert.strictEqual(report.error!.advice, summary.advice)
      const reached = report.reached!
      assert.strictEqual(reached.step, "reading")
      assert.deepInclude(reached.open, { topic: "zz-strange", partition: 0, next: 0, until: 1 })
      assert.strictEqual(reached.topics[0]!.partitionsDone < reached.topics[0]!.partitions, true)
      assert.strictEqual(reached.partitions - reached.open.length, reached.partitionsDone)
      const entries = yield* Catalogue.entries(store)
      assert.deepStrictEqual(
        entries.map((entry) => [entry._tag, entry.backupId as string]),
        [["Incomplete", "nightly-20261123-010000"]]
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("is kept where the run did not come to open its storage", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const withSecret = {
        kafkaCluster: {
          bootstrapServers: ["in-memory:9092"],
          securityProtocol: "SASL_SSL",
          saslSecret: {
            name: "gone",
            mechanism: "SCRAM-SHA-512",
            usernameKey: "username",
            passwordKey: "password"
          }
        }
      }
      const summary = yield* run(runSpec("2026-11-23T01:00:00Z", ["*"], withSecret))
      assert.strictEqual(summary.reason, "SecretUnusable")
      const found = yield* FailedRuns.find(store, "nightly-20261123-010000")
      assert.strictEqual(found?.report.error?.reason, "SecretUnusable")
      assert.deepInclude(found!.report.reached!, { step: "claiming", partitions: 0 })
    }).pipe(Effect.provide(layer))
  )

  it.live("is replaced by that of the next attempt, and stays when a later one makes the backup", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      const spec = runSpec("2026-11-23T01:00:00Z", ["later"])
      for (const _ of [1, 2]) yield* run(spec)
      const reports = (yield* memory.keys).filter((key) => key.startsWith(BackupKeys.failedFolder))
      assert.strictEqual(reports.length, 1)
      yield* cluster.createTopic("later")
      assert.strictEqual((yield* run(spec)).outcome, "success")
      assert.strictEqual(
        (yield* FailedRuns.find(store, "nightly-20261123-010000"))?.report.error?.reason,
        "TopicMissing"
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("is kept of the newest twenty runs of a resource", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      // Not in the order of their slots.
      const hours = [...Array(25).keys()].toSorted((a, b) => (a % 5) - (b % 5))
      const other = { ...owner, uid: "uid-2" }
      yield* FailedRuns.keep(failedAt(hour(0), { identity: { owner: other, slot: hour(0) } }), Effect.succeed(store))
      for (const n of hours) assert.isUndefined(yield* FailedRuns.keep(failedAt(hour(n)), Effect.succeed(store)))
      const { runs } = yield* FailedRuns.all(store)
      const slots = (uid: string) =>
        runs.flatMap(({ identity }) => (identity.owner.uid === uid ? [identity.slot] : [])).sort()
      assert.deepStrictEqual(slots("uid-2"), [hour(0)])
      assert.deepStrictEqual(
        slots("uid-1"),
        [...Array(20).keys()].map((n) => hour(n + 5))
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("says of a run with several shards why one failed, before those that were interrupted", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      const ended = (index: number, more: Partial<RunReport>) =>
        FailedRuns.keep(failedAt(hour(1), { shard: { index, of: 3 }, ...more }), Effect.succeed(store))
      yield* ended(0, { outcome: "interrupted", completedAt: "2026-11-23T01:10:02.000Z" })
      yield* ended(1, { completedAt: "2026-11-23T01:10:00.000Z" })
      yield* ended(2, { outcome: "interrupted", completedAt: "2026-11-23T01:10:01.000Z" })
      const { runs } = yield* FailedRuns.all(store)
      assert.deepStrictEqual(
        runs.map(({ others, report }) => [report.shard?.index, others.map(({ shard }) => shard?.index)]),
        [[1, [0, 2]]]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("is not kept of a success, nor of a shard that ended, nor where nobody knows whose run it was", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const { identity: _, ...nameless } = failedAt(hour(1))
      for (const report of [
        failedAt(hour(1), { outcome: "success" }),
        failedAt(hour(1), { outcome: "shardEnded" }),
        nameless
      ]) {
        assert.isUndefined(yield* FailedRuns.keep(report, Effect.succeed(store)))
      }
      assert.deepStrictEqual(yield* memory.keys, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is bounded, however long the message is", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      const error = { reason: "TopicMissing", message: "m".repeat(1e6), advice: "a".repeat(1e6), isRetryable: false }
      yield* FailedRuns.keep(failedAt(hour(1), { error }), Effect.succeed(store))
      const [found] = (yield* FailedRuns.all(store)).runs
      assert.deepStrictEqual([found!.report.error!.message.length, found!.report.error!.advice.length], [8192, 8192])
    }).pipe(Effect.provide(layer))
  )

  it.effect("does not hold up a run whose store does not answer, also one that cannot be interrupted", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      const silent: ObjectStoreShape = { ...store, put: () => Effect.never }
      const keeping = yield* Effect.forkChild(
        Effect.uninterruptible(FailedRuns.keep(failedAt(hour(1)), Effect.succeed(silent)))
      )
      yield* TestClock.adjust("5 seconds")
      assert.match(
        (yield* Fiber.join(keeping))!,
        /^this report is not in storage, so list --failed does not show this run: the store did not answer in time; /
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("says why it is not kept where the store refuses it", () =>
    Effect.gen(function* () {
      const note = yield* FailedRuns.keep(failedAt(hour(1)), Effect.fail(new Error("the bucket is gone")))
      assert.include(note!, ": the bucket is gone; ")
    }).pipe(Effect.provide(layer))
  )

  it.effect("that was changed is named, and hides no other one", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      for (const n of [1, 2]) yield* FailedRuns.keep(failedAt(hour(n)), Effect.succeed(store))
      const [first] = yield* memory.keys
      yield* store.put(ObjectKey.make(first!), [Buffer.from("{}")])
      const { runs, unreadable } = yield* FailedRuns.all(store)
      assert.deepStrictEqual(
        runs.map(({ identity }) => identity.slot),
        [hour(2)]
      )
      assert.deepStrictEqual(unreadable, [`${first} cannot be read: not a sealed JSON document`])
    }).pipe(Effect.provide(layer))
  )

  it.effect("goes with the last backup of its resource", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const other = { ...owner, uid: "uid-2" }
      yield* FailedRuns.keep(failedAt(hour(1)), Effect.succeed(store))
      yield* FailedRuns.keep(failedAt(hour(1), { identity: { owner: other, slot: hour(1) } }), Effect.succeed(store))
      yield* Worker.prune(runSpec(hour(2), ["*"]), place, { _tag: "All", isIncludingPinned: false })
      const id = BackupKeys.failedOf("uid-2")
      const kept = (yield* memory.keys).filter((key) => key.startsWith(BackupKeys.failedFolder))
      assert.deepStrictEqual([kept.length, kept[0]?.startsWith(id)], [1, true])
      assert.strictEqual(
        (yield* FailedRuns.all(store)).runs[0]!.backupId,
        BackupId.forSlot("nightly", Date.parse(hour(1)))
      )
    }).pipe(Effect.provide(layer))
  )
})
