import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Result } from "effect"
import type { RunReport } from "../../src/backup/RunReport.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import * as Summarizing from "../../src/backup/Summarizing.ts"
import * as Worker from "../../src/Worker.ts"
import type { RunSpec } from "../../src/identity/RunSpec.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import * as MountedSecrets from "../../src/secrets/MountedSecrets.ts"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import { ObjectStores } from "../../src/storage/ObjectStore.ts"
import { fill, layer as ports, world } from "./world.ts"

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

const runSpec = (hour: number, trigger?: string, more: Record<string, unknown> = {}): RunSpec => ({
  backup: Result.getOrThrow(
    ManifestParser.fromServer({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaBackup",
      metadata: { name: "nightly", namespace: "kafka", uid: "uid-1" },
      spec: {
        kafkaCluster: { bootstrapServers: ["in-memory:9092"] },
        topics: ["payments"],
        storage: { storageType: "pvc", pvc: { claimName: "backups" } },
        retention: { backups: 2 },
        ...more
      }
    })
  ),
  slot: `2026-11-23T0${hour}:00:00Z`,
  ...(trigger === undefined ? {} : { trigger })
})

const place = { volumes: "/volumes", host: "test" }

const carriedOut = Effect.fnUntraced(function* (run: RunSpec) {
  const stop = yield* Deferred.make<void>()
  return yield* Worker.run(run, { ...place, secretPatienceMillis: 0, stop, progress: RunProgress.make() })
})

const ids = (summary: { readonly catalogue?: { readonly sets: ReadonlyArray<{ readonly backupId: string }> } }) =>
  summary.catalogue?.sets.map(({ backupId }) => backupId)

describe("Worker", () => {
  it.live("reports the set that a run made and the sets that retention left, newest first", () =>
    Effect.gen(function* () {
      yield* fill((yield* world).cluster)
      for (const hour of [1, 2]) yield* carriedOut(runSpec(hour))
      const summary = yield* carriedOut(runSpec(3))
      assert.deepInclude(summary, {
        command: "run",
        outcome: "success",
        exitCode: 0,
        backupId: "nightly-20261123-030000",
        records: 2,
        // Nothing is new: it names what the first one has stored.
        addedRecords: 0,
        removed: 1,
        notes: []
      })
      assert.deepStrictEqual(ids(summary), ["nightly-20261123-030000", "nightly-20261123-020000"])
      assert.strictEqual(summary.catalogue!.total, 2)
      const [newest] = summary.catalogue!.sets
      assert.deepInclude(newest!, { records: 2, size: summary.size! })
      assert.isAtMost(newest!.startedMillis, newest!.completedMillis)
    }).pipe(Effect.provide(layer))
  )

  it.live("finds the set of a trigger again, whenever the trigger was first seen, and reports that", () =>
    Effect.gen(function* () {
      yield* fill((yield* world).cluster)
      const first = yield* carriedOut(runSpec(1, "release 7"))
      const again = yield* carriedOut(runSpec(2, "release 7"))
      assert.deepStrictEqual([first.alreadyComplete, first.backupId], [undefined, "nightly-20261123-010000"])
      assert.deepStrictEqual([again.alreadyComplete, again.backupId], [true, "nightly-20261123-010000"])
      assert.deepStrictEqual(ids(again), ids(first))
      const { completedMillis, startedMillis } = first.catalogue!.sets[0]!
      assert.deepStrictEqual([first.made, again.made], [undefined, { startedMillis, completedMillis }])
      const other = yield* carriedOut(runSpec(1, "release 8"))
      assert.strictEqual(other.backupId, "nightly-20261123-010001")
    }).pipe(Effect.provide(layer))
  )

  it.live("reports why there is no set, with a remedy", () =>
    Effect.gen(function* () {
      yield* fill((yield* world).cluster)
      const missing = yield* carriedOut(runSpec(1, undefined, { topics: ["oders"] }))
      assert.deepInclude(missing, { outcome: "failed", exitCode: 13, reason: "TopicMissing" })
      assert.strictEqual(missing.message, "the cluster has no topic oders; did you mean orders?")
      assert.match(missing.advice!, /create the topic/)
      const caSecret = { name: "ca" }
      const s3 = { bucket: "backups", region: "eu-west-1", endpoint: "https://s3.test", caSecret }
      const secret = yield* carriedOut(runSpec(1, undefined, { storage: { storageType: "s3", s3 } }))
      assert.deepInclude(secret, { outcome: "failed", exitCode: 11, reason: "SecretUnusable" })
      assert.match(secret.message!, /^Secret ca, key ca\.crt: /)
    }).pipe(Effect.provide(layer))
  )

  it.live("lists, prunes and removes the sets of its resource alone", () =>
    Effect.gen(function* () {
      yield* fill((yield* world).cluster)
      const all = { retention: undefined }
      for (const hour of [1, 2, 3]) yield* carriedOut(runSpec(hour, undefined, all))
      const other = runSpec(4)
      const { metadata } = other.backup
      yield* carriedOut({ ...other, backup: { ...other.backup, metadata: { ...metadata, uid: "uid-2" } } })

      const listed = yield* Worker.list(runSpec(3), place)
      assert.deepInclude(listed, { command: "list", outcome: "success", exitCode: 0 })
      assert.deepStrictEqual(
        ids(listed),
        [3, 2, 1].map((hour) => `nightly-20261123-0${hour}0000`)
      )
      const unbounded = yield* Worker.prune(runSpec(3, undefined, all), place, { _tag: "Older" })
      assert.deepInclude(unbounded, { outcome: "failed", exitCode: 2, reason: "KeepsEverything" })
      const pruned = yield* Worker.prune(runSpec(3), place, { _tag: "Older" })
      assert.deepInclude(pruned, { command: "prune", outcome: "success", removed: 1 })
      assert.deepStrictEqual(
        ids(pruned),
        [3, 2].map((hour) => `nightly-20261123-0${hour}0000`)
      )
      const cleaned = yield* Worker.prune(runSpec(3), place, { _tag: "All" })
      assert.deepInclude(cleaned, { outcome: "success", removed: 2, catalogue: { total: 0, sets: [] } })
      assert.isTrue((yield* (yield* world).memory.keys).includes("nightly-20261123-040000/manifest.json" as never))
    }).pipe(Effect.provide(layer))
  )
})

describe("Summarizing.ofRun", () => {
  it("notes partitions that end at open transactions, then gaps, then the notes of the report", () => {
    const report: RunReport = {
      version: 1,
      outcome: "success",
      startedAt: "2026-11-24T07:00:00.000Z",
      completedAt: "2026-11-24T07:01:00.000Z",
      openTransactions: [{ topic: "orders", partition: 2, until: 17, highWatermark: 30 }],
      gaps: [
        { topic: "orders", partition: 0, from: 5, until: 10 },
        { topic: "orders", partition: 1, from: 5, until: 6 }
      ],
      exitCode: 0,
      notes: ["topic configs may not be read"]
    }
    assert.deepStrictEqual(Summarizing.ofRun(report).notes, [
      "the backup of orders/2 ends at offset 17: a transaction is open there",
      "orders/0 has a gap: Kafka deleted offsets 5 to 9 before they could be read",
      "orders/1 has a gap: Kafka deleted offset 5 before it could be read",
      "topic configs may not be read"
    ])
  })
})
