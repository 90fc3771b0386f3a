import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import { InMemoryKafka } from "../../src/kafka/InMemoryKafka.ts"
import { backupId, bootstrapServer, cluster, desk, layer, slot, type, typeAs } from "./terminal.ts"

const at = (topic: string, partition: number, offset: number) => ({ topic, partition, offset })
const storage = { storageType: "pvc", pvc: { claimName: "backups" } }
const kafkaCluster = { bootstrapServers: [bootstrapServer] }

/** A cluster with groups, and manifests that can be written and given. */
const scene = Effect.gen(function* () {
  const kafka = yield* cluster
  yield* kafka.createTopic("orders", { partitions: 2 })
  yield* kafka.createTopic("mails")
  const records = Array.from({ length: 10 }, (_, i) => ({ value: `${i}`, timestamp: 1_600_000_000_000 + i * 1000 }))
  for (const [topic, partition] of [
    ["orders", 0],
    ["orders", 1],
    ["mails", 0]
  ] as const)
    yield* kafka.produce(topic, partition, records)
  yield* kafka.deleteRecordsBefore("orders", 0, 2)
  yield* kafka.commitGroupOffsets("billing", [{ ...at("orders", 0, 4), metadata: "m" }, at("mails", 0, 5)])
  yield* kafka.commitGroupOffsets("busy", [at("orders", 1, 1)])
  yield* kafka.setGroupActive("busy", true)
  const { claim, directory, options } = yield* desk()
  const manifest = (kind: string, spec: object) => {
    const file = join(directory, "offsets.json")
    const resource = { apiVersion: "kafka.oso.sh/v1alpha1", kind, metadata: { name: "groups" }, spec }
    writeFileSync(file, JSON.stringify(resource))
    return ["-f", file, ...options.slice(2)] as const
  }
  const snapshots = () => readdirSync(join(claim, "_kafka-backup", "offset-snapshots"))
  /** Every file in storage but directories, by its name. */
  const stored = () =>
    readdirSync(claim, { recursive: true, withFileTypes: true }).flatMap((one) => (one.isFile() ? [one.name] : []))
  return { kafka, manifest, options, snapshots, stored }
})

const committed = (kafka: InMemoryCluster, groupId: string) =>
  Effect.map(kafka.wire.groupOffsets(["orders", "mails"]), (groups) =>
    (groups.find((group) => group.groupId === groupId)?.offsets ?? [])
      .map(({ offset, partition, topic }) => `${topic}/${partition} ${offset}`)
      .toSorted()
  )

describe("kafka-backup offsets reset", () => {
  it.live("shows what it would set, then sets it in the topics that a group has offsets in", () =>
    Effect.gen(function* () {
      const { kafka, manifest } = yield* scene
      const reset = manifest("KafkaOffsetReset", { kafkaCluster, strategy: "earliest", consumerGroups: ["bill*"] })
      const dry = yield* typeAs("person", "offsets", "reset", ...reset, "--dry-run")
      assert.strictEqual(dry.exitCode, 0, dry.err)
      assert.match(dry.out, /GROUP +TOPIC +PARTITION +NOW +THEN\nbilling +mails +0 +5 +0\nbilling +orders +0 +4 +2\n/)
      assert.match(dry.out, /billing +orders +1 +none +0\nNothing was changed\./)
      assert.deepStrictEqual(yield* committed(kafka, "billing"), ["mails/0 5", "orders/0 4"])
      const done = yield* typeAs("person", "offsets", "reset", ...reset)
      assert.strictEqual(done.exitCode, 0, done.err)
      assert.include(done.out, "Consumer group billing: 3 offsets set and read back")
      assert.deepStrictEqual(yield* committed(kafka, "billing"), ["mails/0 0", "orders/0 2", "orders/1 0"])
    }).pipe(Effect.provide(layer))
  )

  it.live("names a group that the cluster does not know, and the one that was probably meant", () =>
    Effect.gen(function* () {
      const { manifest } = yield* scene
      const spec = { kafkaCluster, strategy: "earliest", consumerGroups: ["biling", "bsy*"] }
      const reset = manifest("KafkaOffsetReset", spec)
      const dry = yield* type("offsets", "reset", ...reset, "--dry-run")
      assert.strictEqual(dry.exitCode, 0, dry.err)
      assert.include(dry.out, "Note: the cluster does not know consumer group biling. Did you mean billing?")
      assert.include(dry.out, "Note: no consumer group of the cluster matches bsy*. Did you mean busy?")
      const json = JSON.parse((yield* type("offsets", "reset", ...reset, "--dry-run", "-o", "json")).out)
      assert.lengthOf(json.notes, 2)
      const applied = manifest("KafkaOffsetReset", { ...spec, dryRun: true })
      assert.include(
        (yield* type("offsets", "apply", ...applied)).out,
        "Note: the cluster does not know consumer group"
      )
      const first = manifest("KafkaOffsetReset", { ...spec, consumerGroups: ["newcomer"], topics: ["orders"] })
      const done = yield* type("offsets", "reset", ...first)
      assert.strictEqual(done.exitCode, 0, done.err)
      assert.include(done.out, "know consumer group newcomer. Groups of the cluster: billing, busy")
      // By now it has offsets.
      assert.notInclude((yield* type("offsets", "reset", ...first)).out, "Note:")
    }).pipe(Effect.provide(layer))
  )

  it.live("stores the former offsets first where it is asked to, and takes times and topics", () =>
    Effect.gen(function* () {
      const { kafka, manifest, snapshots } = yield* scene
      const reset = manifest("KafkaOffsetReset", {
        kafkaCluster,
        strategy: "timestamp",
        timestamp: "2020-09-13T12:26:43.500Z",
        consumerGroups: ["billing", "new"],
        topics: ["orders"],
        createSnapshot: true,
        snapshotId: "before-reset",
        storage
      })
      const done = yield* type("offsets", "reset", ...reset, "-o", "json")
      assert.strictEqual(done.exitCode, 0, done.err)
      assert.strictEqual(JSON.parse(done.out).snapshotId, "before-reset")
      assert.deepStrictEqual(snapshots(), ["before-reset.json"])
      assert.deepStrictEqual(yield* committed(kafka, "billing"), ["mails/0 5", "orders/0 4", "orders/1 4"])
      assert.deepStrictEqual(yield* committed(kafka, "new"), ["orders/0 4", "orders/1 4"])
    }).pipe(Effect.provide(layer))
  )

  it.live("changes nothing where the snapshot exists, and says how to go on with groups that were active", () =>
    Effect.gen(function* () {
      const { kafka, manifest } = yield* scene
      const spec = { kafkaCluster, strategy: "earliest", consumerGroups: ["*"], storage, snapshotId: "before" }
      const first = manifest("KafkaOffsetReset", { ...spec, createSnapshot: true })
      const left = yield* type("offsets", "reset", ...first)
      assert.strictEqual(left.exitCode, 20, left.err)
      assert.include(left.err, "repeat the command with createSnapshot: false, which keeps the snapshot")
      yield* kafka.setGroupActive("busy", false)
      yield* kafka.commitGroupOffsets("billing", [at("orders", 0, 7)])
      const refused = yield* type("offsets", "reset", ...first)
      assert.strictEqual(refused.exitCode, 19, refused.err)
      assert.match(
        refused.err,
        /^error: OffsetsRefused: no offset was changed\n {2}SnapshotTaken: snapshot before exists in .*: it was stored at 20/
      )
      const { error, exitCode } = JSON.parse((yield* type("offsets", "reset", ...first, "-o", "json")).out)
      assert.deepStrictEqual(
        [exitCode, error.reason, error.problems[0].reason],
        [19, "OffsetsRefused", "SnapshotTaken"]
      )
      assert.include(yield* committed(kafka, "billing"), "orders/0 7")
      const again = yield* type("offsets", "reset", ...manifest("KafkaOffsetReset", spec))
      assert.strictEqual(again.exitCode, 0, again.err)
      assert.include(yield* committed(kafka, "busy"), "orders/1 0")
    }).pipe(Effect.provide(layer))
  )

  it.live("asks in a dry run what stands against the snapshot, and leaves nothing in storage", () =>
    Effect.gen(function* () {
      const { kafka, manifest, stored } = yield* scene
      const spec = { kafkaCluster, strategy: "earliest", consumerGroups: ["billing"], storage, createSnapshot: true }
      const free = manifest("KafkaOffsetReset", { ...spec, snapshotId: "before" })
      const dry = yield* type("offsets", "reset", ...free, "--dry-run")
      assert.strictEqual(dry.exitCode, 0, dry.err)
      assert.include(dry.out, "The present offsets would be stored first, as snapshot before")
      assert.deepStrictEqual(stored(), [])
      assert.strictEqual((yield* type("offsets", "reset", ...free)).exitCode, 0)
      yield* kafka.commitGroupOffsets("billing", [at("orders", 0, 7)])
      const taken = yield* type("offsets", "reset", ...free, "--dry-run")
      assert.strictEqual(taken.exitCode, 19, taken.out)
      assert.match(taken.err, /snapshot before exists in .*: it was stored at 20/)
      assert.include(yield* committed(kafka, "billing"), "orders/0 7")
    }).pipe(Effect.provide(layer))
  )

  it.live("does what the manifest says, whichever it is, and deletes a snapshot", () =>
    Effect.gen(function* () {
      const { kafka, manifest, stored } = yield* scene
      const reset = { kafkaCluster, strategy: "earliest", consumerGroups: ["billing"], storage, createSnapshot: true }
      const apply = (kind: string, fields: object) => type("offsets", "apply", ...manifest(kind, fields), "-o", "json")
      const done = yield* apply("KafkaOffsetReset", { ...reset, snapshotId: "before" })
      assert.strictEqual(done.exitCode, 0, done.err)
      assert.deepInclude(JSON.parse(done.out), { snapshotId: "before", groupsSkipped: [], notes: [] })
      const of = { kafkaCluster, snapshotId: "before", storage }
      assert.strictEqual((yield* apply("KafkaOffsetRollback", of)).exitCode, 0)
      assert.deepStrictEqual(yield* committed(kafka, "billing"), ["mails/0 5", "orders/0 4"])
      const nowhere = yield* apply("KafkaOffsetRollback", { kafkaCluster, snapshotId: "before" })
      assert.strictEqual(nowhere.exitCode, 2)
      assert.deepInclude(JSON.parse(nowhere.out), { exitCode: 2, notes: [] })
      assert.strictEqual(JSON.parse(nowhere.out).error.reason, "UsageError")
      assert.include(nowhere.err, "the manifest does not say where snapshot before is stored")
      assert.deepStrictEqual(stored(), ["before.json"])
      const gone = { operation: "delete", snapshotId: "before", storage }
      assert.strictEqual((yield* apply("KafkaOffsetRollback", gone)).exitCode, 0)
      assert.deepStrictEqual(stored(), [])
      assert.strictEqual((yield* apply("KafkaOffsetRollback", gone)).exitCode, 17)
    }).pipe(Effect.provide(layer))
  )

  it.live("leaves groups with members, says so, and fails so that it is repeated", () =>
    Effect.gen(function* () {
      const { kafka, manifest } = yield* scene
      const spec = { kafkaCluster, strategy: "latest", consumerGroups: ["*"] }
      const done = yield* type("offsets", "reset", ...manifest("KafkaOffsetReset", spec))
      assert.strictEqual(done.exitCode, 20)
      assert.include(done.out, "consumer group busy was left as it is: it has active members (state Stable)")
      assert.include(done.err, "error: GroupsLeft: 1 of 2 consumer groups was left as it is")
      const answer = JSON.parse(
        (yield* type("offsets", "reset", ...manifest("KafkaOffsetReset", spec), "-o", "json")).out
      )
      assert.deepInclude(answer, { exitCode: 20 })
      assert.strictEqual(answer.error.reason, "GroupsLeft")
      assert.strictEqual(answer.groupsSkipped[0].group, "busy")
      assert.include(done.err, "stop the consumers of these groups, then repeat the command")
      assert.deepStrictEqual(yield* committed(kafka, "billing"), ["mails/0 10", "orders/0 10", "orders/1 10"])
      const none = manifest("KafkaOffsetReset", { ...spec, consumerGroups: ["nobody"] })
      const nothing = yield* type("offsets", "reset", ...none)
      assert.strictEqual(nothing.exitCode, 19)
      assert.include(nothing.out, "it has no committed offsets, and spec.topics names no topic for it")
      const absent = manifest("KafkaOffsetReset", { ...spec, topics: ["gone"] })
      const refused = yield* type("offsets", "reset", ...absent)
      assert.strictEqual(refused.exitCode, 19)
      assert.include(refused.err, "no offset was changed: topic gone does not exist")
    }).pipe(Effect.provide(layer))
  )

  it.live("refuses manifests of other kinds, and what cannot be meant", () =>
    Effect.gen(function* () {
      const { manifest, options } = yield* scene
      const other = yield* type("offsets", "reset", ...options)
      assert.strictEqual(other.exitCode, 10)
      assert.include(other.err, "must be KafkaOffsetReset or KafkaRestore")
      const bad = yield* type(
        "offsets",
        "reset",
        ...manifest("KafkaOffsetReset", {
          kafkaCluster,
          strategy: "headerBased",
          consumerGroups: [],
          createSnapshot: true
        })
      )
      assert.strictEqual(bad.exitCode, 10)
      for (const field of ["spec.strategy", "spec.consumerGroups", "spec.storage"]) assert.include(bad.err, field)
      const rollback = yield* type(
        "offsets",
        "rollback",
        ...manifest("KafkaOffsetRollback", { kafkaCluster, snapshotId: "a/b", operation: "snapshot" })
      )
      assert.strictEqual(rollback.exitCode, 10)
      for (const field of ["spec.storage", "spec.consumerGroups", "spec.snapshotId"])
        assert.include(rollback.err, field)
    }).pipe(Effect.provide(layer))
  )
})

describe("kafka-backup offsets snapshot, verify and rollback", () => {
  it.live("bring the former offsets back, and forget what was committed since", () =>
    Effect.gen(function* () {
      const { kafka, manifest } = yield* scene
      yield* kafka.setGroupActive("busy", false)
      const snapshot = { kafkaCluster, storage, snapshotId: "monday", operation: "snapshot", consumerGroups: ["*"] }
      const taken = yield* typeAs("person", "offsets", "snapshot", ...manifest("KafkaOffsetRollback", snapshot))
      assert.strictEqual(taken.exitCode, 0, taken.err)
      assert.match(taken.out, /^Snapshot monday in .*: 2 consumer groups, 2 topics/)
      const one = { ...snapshot, snapshotId: "one", consumerGroups: ["busy"] }
      const single = yield* type("offsets", "snapshot", ...manifest("KafkaOffsetRollback", one))
      assert.match(single.out, /^Snapshot one in .*: 1 consumer group, 1 topic$/m)
      const equal = yield* type(
        "offsets",
        "verify",
        ...manifest("KafkaOffsetRollback", { ...one, operation: "verify" })
      )
      assert.include(equal.out, "OK one: 1 consumer group has the offsets of the snapshot")
      const again = yield* type("offsets", "snapshot", ...manifest("KafkaOffsetRollback", snapshot))
      assert.strictEqual(again.exitCode, 19)
      assert.include(again.err, "snapshot monday exists")

      const spec = { kafkaCluster, storage, snapshotId: "monday" }
      const same = yield* typeAs("person", "offsets", "verify", ...manifest("KafkaOffsetRollback", spec))
      assert.strictEqual(same.exitCode, 0, same.err)
      assert.include(same.out, "OK monday: 2 consumer groups have the offsets of the snapshot")

      yield* kafka.commitGroupOffsets("billing", [at("orders", 0, 9), at("orders", 1, 3)])
      const differs = yield* typeAs("person", "offsets", "verify", ...manifest("KafkaOffsetRollback", spec))
      assert.strictEqual(differs.exitCode, 16)
      assert.match(differs.out, /billing +orders +0 +4 +9\nbilling +orders +1 +none +3/)
      const answer = JSON.parse(
        (yield* type("offsets", "verify", ...manifest("KafkaOffsetRollback", spec), "-o", "json")).out
      )
      assert.deepStrictEqual(
        [answer.exitCode, answer.error.reason, answer.differences.length],
        [16, "OffsetsDiffer", 2]
      )

      const dry = yield* typeAs("person", "offsets", "rollback", ...manifest("KafkaOffsetRollback", spec), "--dry-run")
      assert.match(dry.out, /billing +orders +1 +none/)
      assert.deepStrictEqual(yield* committed(kafka, "billing"), ["mails/0 5", "orders/0 9", "orders/1 3"])
      const done = yield* typeAs("person", "offsets", "rollback", ...manifest("KafkaOffsetRollback", spec))
      assert.strictEqual(done.exitCode, 0, done.err)
      assert.include(done.out, "Consumer group billing: 2 offsets set and read back, 1 forgotten")
      assert.deepStrictEqual(yield* committed(kafka, "billing"), ["mails/0 5", "orders/0 4"])
      assert.strictEqual((yield* type("offsets", "verify", ...manifest("KafkaOffsetRollback", spec))).exitCode, 0)
    }).pipe(Effect.provide(layer))
  )

  it.live("take a part of a snapshot, and refuse one that is unknown, of another cluster or for something else", () =>
    Effect.gen(function* () {
      const { kafka, manifest } = yield* scene
      const spec = { kafkaCluster, storage, snapshotId: "monday" }
      const snapshot = manifest("KafkaOffsetRollback", { ...spec, operation: "snapshot", consumerGroups: ["*"] })
      assert.strictEqual((yield* type("offsets", "snapshot", ...snapshot)).exitCode, 0)
      yield* kafka.commitGroupOffsets("billing", [at("orders", 0, 9), at("mails", 0, 9)])
      const part = { ...spec, consumerGroups: ["billing"], topics: ["mail*"] }
      assert.strictEqual((yield* type("offsets", "rollback", ...manifest("KafkaOffsetRollback", part))).exitCode, 0)
      assert.deepStrictEqual(yield* committed(kafka, "billing"), ["mails/0 5", "orders/0 9"])

      const refused = Effect.fnUntraced(function* (exitCode: number, message: string, changes: object) {
        const found = yield* type("offsets", "rollback", ...manifest("KafkaOffsetRollback", { ...spec, ...changes }))
        assert.strictEqual(found.exitCode, exitCode, found.err)
        assert.include(found.err, message)
      })
      yield* refused(17, "there is no snapshot tuesday", { snapshotId: "tuesday" })
      yield* refused(19, "snapshot monday has no consumer group nobody", { consumerGroups: ["nobody"] })
      yield* refused(2, "spec.operation of the manifest is verify, and the command is rollback", {
        operation: "verify"
      })
      yield* (yield* InMemoryKafka).cluster("elsewhere:9092", { clusterId: "elsewhere" })
      yield* refused(19, "was taken of cluster in-memory, and this is cluster elsewhere", {
        kafkaCluster: { bootstrapServers: ["elsewhere:9092"] }
      })
    }).pipe(Effect.provide(layer))
  )
})

describe("kafka-backup offsets with the manifest of a restore", () => {
  it.live("sets the groups that were active when it completed, and takes all of them back", () =>
    Effect.gen(function* () {
      const { kafka, manifest, options } = yield* scene
      yield* kafka.commitGroupOffsets("busy", [at("orders", 1, 7)])
      assert.strictEqual((yield* type("run", ...options, "--slot", slot)).exitCode, 0)
      const target = yield* (yield* InMemoryKafka).cluster("target:9092", { clusterId: "target" })
      const spec = {
        backupId,
        targetCluster: { bootstrapServers: ["target:9092"] },
        storage,
        offsets: "New",
        offsetReset: { enabled: true, strategy: "headerBased", consumerGroups: ["billing", "busy"] },
        rollback: { enabled: true }
      }
      const early = yield* type("offsets", "reset", ...manifest("KafkaRestore", spec))
      assert.strictEqual(early.exitCode, 19)
      assert.include(early.err, "topic mails does not exist")
      yield* target.setGroupActive("busy", true)
      const restored = yield* type("restore", ...manifest("KafkaRestore", spec))
      assert.strictEqual(restored.exitCode, 0, restored.err)
      assert.deepStrictEqual(yield* committed(target, "billing"), ["mails/0 5", "orders/0 2"])
      assert.deepStrictEqual(yield* committed(target, "busy"), [])

      // Producers and consumers go on meanwhile: the restore itself could not be repeated.
      yield* target.produce("orders", 1, [{ value: "new" }])
      yield* target.setGroupActive("busy", false)
      const dry = yield* typeAs("person", "offsets", "reset", ...manifest("KafkaRestore", spec), "--dry-run")
      assert.match(dry.out, /busy +orders +1 +7/)
      yield* target.commitGroupOffsets("billing", [at("mails", 0, 6)])
      const done = yield* type("offsets", "reset", ...manifest("KafkaRestore", spec), "--group", "busy")
      assert.strictEqual(done.exitCode, 0, done.err)
      assert.deepStrictEqual(yield* committed(target, "busy"), ["orders/1 7"])
      assert.deepStrictEqual(yield* committed(target, "billing"), ["mails/0 6", "orders/0 2"])
      const other = yield* type("offsets", "reset", ...manifest("KafkaRestore", spec), "--group", "nobody")
      assert.deepStrictEqual([other.exitCode, other.err.includes("selects no group nobody")], [2, true])

      const back = yield* type("offsets", "rollback", ...manifest("KafkaRestore", spec))
      assert.strictEqual(back.exitCode, 0, back.err)
      assert.deepStrictEqual(yield* committed(target, "billing"), [])
      assert.deepStrictEqual(yield* committed(target, "busy"), [])

      const without = { ...spec, offsetReset: undefined, rollback: { enabled: false } }
      const off = yield* type("offsets", "reset", ...manifest("KafkaRestore", without))
      assert.deepStrictEqual([off.exitCode, off.err.includes("no offsetReset that is enabled")], [2, true])
      assert.strictEqual((yield* type("offsets", "rollback", ...manifest("KafkaRestore", without))).exitCode, 2)
    }).pipe(Effect.provide(layer))
  )
})
