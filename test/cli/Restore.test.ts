import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Result } from "effect"
import { readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { InMemoryKafka } from "../../src/kafka/InMemoryKafka.ts"
import { KafkaSources } from "../../src/kafka/KafkaSource.ts"
import * as RestoreSpec from "../../src/identity/RestoreSpec.ts"
import * as SummaryCodec from "../../src/outcome/SummaryCodec.ts"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import { backupId, cluster, desk, jsonLines, layer, slot, type, typeAs } from "./terminal.ts"

const manifest = (spec: object = {}) =>
  JSON.stringify({
    apiVersion: "kafka.oso.sh/v1alpha1",
    kind: "KafkaRestore",
    metadata: { name: "whole-set" },
    spec: {
      backupId,
      targetCluster: { bootstrapServers: ["target:9092"] },
      storage: { storageType: "pvc", pvc: { claimName: "backups" } },
      ...spec
    }
  })

/** A backup of one topic, and a second cluster. */
const scene = Effect.gen(function* () {
  const source = yield* cluster
  yield* source.createTopic("orders", { partitions: 2, configs: { "retention.ms": "604800000" } })
  yield* source.produce("orders", 0, [{ key: "a", value: "1", timestamp: 1_600_000_000_000 }])
  yield* source.deleteRecordsBefore("orders", 0, 1)
  yield* source.produce("orders", 0, [{ key: "b", value: null, timestamp: 1_600_000_000_000 }])
  for (const group of ["billing", "busy"]) {
    yield* source.commitGroupOffsets(group, [{ topic: "orders", partition: 0, offset: 2 }])
  }
  const { claim, directory, options } = yield* desk()
  assert.strictEqual((yield* type("run", ...options, "--slot", slot)).exitCode, 0)
  const target = yield* (yield* InMemoryKafka).cluster("target:9092")
  const file = join(directory, "restore.yaml")
  const write = (spec: object) => Effect.promise(() => writeFile(file, manifest(spec)))
  yield* write({})
  return { claim, source, target, write, options: ["-f", file, ...options.slice(2)] as const }
})

describe("kafka-backup restore", () => {
  it.live("shows first what it would do, then does it and proves it", () =>
    Effect.gen(function* () {
      const { options, target } = yield* scene
      const before = yield* typeAs("person", "restore", ...options, "--dry-run")
      assert.strictEqual(before.exitCode, 0, before.err)
      assert.match(before.out, /orders +orders +create and write +2 +1 +as in the backup/)
      assert.match(before.out, /Nothing was written\. All checks passed\.\n$/)
      assert.match(before.out, /brokers remove old records within minutes after the retention hold ends, in orders/)
      const done = yield* type("restore", ...options, "-o", "json")
      assert.strictEqual(done.exitCode, 0, done.err)
      const report = JSON.parse(done.out)
      assert.strictEqual(report.records, 1)
      assert.isTrue(report.retentionHold.held)
      assert.match(report.notes.join("\n"), /The hold ends with the first repeat of this restore after 2/)
      const [record] = yield* target.committed("orders", 0)
      assert.strictEqual(record?.offset, 1)
      const again = yield* typeAs("person", "restore", ...options)
      assert.match(again.out, /OK nightly-20261123-120000: already restored. 1 record was compared/)
      assert.match(again.out, /orders +orders +none, compared before +2 +1 /)
      const look = yield* typeAs("person", "restore", ...options, "--dry-run")
      assert.strictEqual(look.exitCode, 0, look.err)
      assert.match(look.out, /orders +orders +none, compared before +2 +1 /)
      assert.match(
        look.out,
        /Nothing was written\. The restore is complete: all records were compared until 20.*Z, and none is written again\. A repeat would only end the retention hold, if its time is over\.\n$/
      )
      assert.notInclude(look.out, "All checks passed")
      const json = JSON.parse((yield* type("restore", ...options, "--dry-run", "-o", "json")).out)
      assert.deepInclude(json, { standing: "complete" })
      assert.strictEqual((yield* type("restore", ...options, "--end-hold")).exitCode, 0)
      assert.include(
        (yield* type("restore", ...options, "--dry-run")).out,
        "none is written again. Nothing is left to do."
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("takes the newest backup of the KafkaBackup that --backup is, or says what to give", () =>
    Effect.gen(function* () {
      const { options, target, write } = yield* scene
      yield* write({ backupId: undefined, storage: undefined, backupRef: { name: "nightly" } })
      const alone = yield* type("restore", ...options)
      assert.strictEqual(alone.exitCode, 2)
      assert.match(alone.err, /spec.backupRef names KafkaBackup nightly, and a command cannot look it up/)
      assert.include(alone.err, "--backup FILE")
      const file = options[1].replace("restore.yaml", "backup.yaml")
      const before = yield* typeAs("person", "restore", ...options, "--backup", file, "--dry-run")
      assert.strictEqual(before.exitCode, 0, before.err)
      assert.include(before.out, `Note: backup ${backupId} was chosen: it is the newest of 1 complete backup`)
      const done = yield* type("restore", ...options, "--backup", file, "-o", "json")
      assert.strictEqual(done.exitCode, 0, done.err)
      assert.strictEqual(JSON.parse(done.out).backupId, backupId)
      assert.lengthOf(yield* target.committed("orders", 0), 1)
      yield* write({ backupId: undefined, storage: undefined, backupRef: { name: "hourly" } })
      const other = yield* type("restore", ...options, "--backup", file)
      assert.match(other.err, /--backup is the KafkaBackup nightly, and the restore refers to hourly/)
      yield* write({})
      assert.match((yield* type("restore", ...options, "--backup", file)).err, /leave out --backup/)
    }).pipe(Effect.provide(layer))
  )

  it.live("of a manifest with dryRun writes nothing, until the same manifest says false", () =>
    Effect.gen(function* () {
      const { options, target, write } = yield* scene
      yield* write({ dryRun: true })
      const dry = yield* typeAs("person", "restore", ...options)
      assert.strictEqual(dry.exitCode, 0, dry.err)
      assert.match(dry.out, /Nothing was written/)
      // The topic does not exist: reading it fails.
      assert.isTrue(Exit.isFailure(yield* Effect.exit(target.committed("orders", 0))))
      yield* write({ dryRun: false })
      assert.strictEqual((yield* type("restore", ...options)).exitCode, 0)
      assert.lengthOf(yield* target.committed("orders", 0), 1)
    }).pipe(Effect.provide(layer))
  )

  it.live("names everything that stands against it at once, and writes nothing", () =>
    Effect.gen(function* () {
      const { options, target, write } = yield* scene
      yield* write({ topics: ["orders", "gone", "oders"], topicMapping: { other: "elsewhere" } })
      const refused = yield* type("restore", ...options)
      assert.strictEqual(refused.exitCode, 19)
      assert.match(refused.err, /^error: PreflightFailed: the restore cannot begin, and nothing was written\n/)
      assert.match(refused.err, /\n {2}NotInBackup: backup .* has no topic gone\n/)
      assert.match(
        refused.err,
        /\n {2}NotInBackup: backup .* has no topic oders; did you mean orders\?\n {4}what to do: choose topics/
      )
      assert.match(
        refused.err,
        /\n {2}MappingUnused: topicMapping names other, which is not restored\n {4}what to do: /
      )
      yield* write({})
      yield* target.createTopic("orders", { partitions: 3 })
      const differs = yield* type("restore", ...options)
      assert.strictEqual(differs.exitCode, 19)
      assert.include(differs.err, "topic orders has 3 partitions, and the backup has 2")
      assert.lengthOf(yield* target.committed("orders", 0), 0)
    }).pipe(Effect.provide(layer))
  )

  it.live("gives one advice once, whatever number of topics it is for", () =>
    Effect.gen(function* () {
      const source = yield* cluster
      yield* source.createTopic("mails")
      yield* source.produce("mails", 0, [{ value: "m" }])
      const { options, target } = yield* scene
      for (const topic of ["orders", "mails"]) {
        yield* target.createTopic(topic, { partitions: topic === "orders" ? 2 : 1 })
        yield* target.produce(topic, 0, [{ value: "theirs" }])
      }
      const text = yield* type("restore", ...options)
      assert.match(text.err, /TargetNotEmpty: topic mails .*\n {2}TargetNotEmpty: topic orders .*\n {4}what to do: /)
      assert.lengthOf(text.err.match(/restore to another name/g)!, 1)
      const { error } = JSON.parse((yield* type("restore", ...options, "-o", "json")).out)
      assert.lengthOf(error.advice.match(/restore to another name/g)!, 1)
    }).pipe(Effect.provide(layer))
  )

  it.live("answers a program with one JSON document, whatever goes wrong", () =>
    Effect.gen(function* () {
      const { options, target, write } = yield* scene
      const answer = Effect.fnUntraced(function* (exitCode: number, ...args: ReadonlyArray<string>) {
        const found = yield* type("restore", ...args)
        assert.strictEqual(found.exitCode, exitCode, found.err)
        const document = JSON.parse(found.out)
        assert.strictEqual(document.exitCode, exitCode)
        return document
      })
      yield* target.createTopic("orders", { partitions: 2 })
      yield* target.produce("orders", 0, [{ value: "theirs" }])
      for (const more of [[], ["--dry-run"]]) {
        const refused = yield* answer(19, ...options, "-o", "json", ...more)
        assert.deepInclude(refused, { backupId, dryRun: more.length === 1 })
        assert.deepInclude(refused.error, { reason: "PreflightFailed", isRetryable: false })
        const [problem] = refused.error.problems
        assert.deepInclude(problem, { reason: "TargetNotEmpty" })
        assert.match(problem.message, /topic orders holds records already/)
        assert.match(problem.advice, /restore to another name/)
      }
      yield* write({ offsets: "exact", pitr: {} })
      const manifest = yield* answer(10, ...options, "--output=json")
      assert.strictEqual(manifest.error.reason, "BadManifest")
      assert.isAbove(manifest.error.problems.length, 1)
      assert.isTrue(
        manifest.error.problems.some(({ message }: { message: string }) => message.startsWith("spec.offsets"))
      )
      yield* write({ backupId: undefined, storage: undefined, backupRef: { name: "nightly" } })
      const usage = yield* answer(2, ...options, "-o", "json")
      assert.strictEqual(usage.error.reason, "UsageError")
      assert.include(usage.error.advice, "--backup FILE")
      const { error: misused } = yield* answer(2, ...options, "-o", "json", "--no-such-option", "--what=now")
      assert.strictEqual(misused.reason, "UsageError")
      assert.match(misused.message, /--no-such-option.*; .*--what/)
      yield* write({ backupId: "nobody-20200101-000000" })
      assert.strictEqual((yield* answer(17, ...options, "-o", "json")).error.reason, "SetNotFound")
      yield* write({})
      assert.strictEqual((yield* answer(17, ...options, "--end-hold", "-o", "json")).error.reason, "RestoreIncomplete")
    }).pipe(Effect.provide(layer))
  )

  it.live("refuses a manifest by field, value and remedy", () =>
    Effect.gen(function* () {
      const { options, write } = yield* scene
      yield* write({
        defaultReplicationFactor: 0,
        offsets: "exact",
        topicMapping: { orders: "__orders" },
        retentionHold: "1 day",
        pitr: {}
      })
      const refused = yield* type("restore", ...options)
      assert.strictEqual(refused.exitCode, 10)
      for (const field of ["defaultReplicationFactor", "offsets", "topicMapping", "retentionHold", "pitr"]) {
        assert.include(refused.err, `spec.${field}`)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("sets the offsets of consumer groups after the records, and says what became of each", () =>
    Effect.gen(function* () {
      const { options, target, write } = yield* scene
      const offsetReset = { enabled: true, strategy: "headerBased", consumerGroups: ["billing", "busy"] }
      yield* write({ offsetReset, rollback: { enabled: true, snapshotId: "before-1" } })
      yield* target.setGroupActive("busy", true)
      const before = yield* typeAs("person", "restore", ...options, "--dry-run")
      assert.match(before.out, /Offsets of consumer groups are stored first, as snapshot before-1/)
      assert.match(before.out, /Consumer groups: billing, busy get the offsets of the backup/)
      const [report, summary] = [`${options[1]}.report.json`, `${options[1]}.summary`]
      const files = ["--report", report, "--summary", summary]
      const done = yield* type("restore", ...options, "-o", "json", ...files)
      assert.strictEqual(done.exitCode, 0, done.err)
      const reported = JSON.parse(yield* Effect.promise(() => readFile(report, "utf8")))
      assert.strictEqual(reported.rollbackSnapshotId, "before-1")
      assert.deepStrictEqual(reported.offsetReset, JSON.parse(done.out).offsetReset)
      assert.include(reported.notes[0], "consumer group busy was left as it is: it has active members (state Stable)")
      assert.deepInclude(JSON.parse(yield* Effect.promise(() => readFile(summary, "utf8"))).restore, {
        rollbackSnapshotId: "before-1",
        groups: {
          reset: 1,
          skipped: 1,
          groupsReset: ["billing"],
          groupsSkipped: [{ group: "busy", reason: "it has active members (state Stable)" }]
        }
      })
      assert.deepInclude(JSON.parse(done.out), {
        rollbackSnapshotId: "before-1",
        offsetReset: {
          groupsReset: [{ group: "billing", offsets: [{ topic: "orders", partition: 0, offset: 2 }] }],
          groupsSkipped: [{ group: "busy", reason: "it has active members (state Stable)", active: true }]
        }
      })
      const repeat = yield* typeAs("person", "restore", ...options)
      assert.match(
        repeat.out,
        /Note: an earlier attempt did not set the offsets of 1 consumer group, and all groups were left as they are/
      )
      assert.notInclude(repeat.out, "was set and read back")
      const look = yield* typeAs("person", "restore", ...options, "--dry-run")
      assert.include(look.out, "Consumer groups: an earlier attempt did not set the offsets of 1 of 2, and all stay as")
      assert.notInclude(look.out, "busy")
      const topicMapping = { orders: "elsewhere" }
      yield* write({ offsetReset, rollback: { enabled: true, snapshotId: "before-2" }, topicMapping })
      const again = yield* typeAs("person", "restore", ...options)
      assert.match(again.out, /Consumer group billing: 1 offset was set and read back/)
      assert.include(again.out, "kafka-backup offsets reset -f FILE --group GROUP sets an active group")
      assert.match(again.out, /Note: consumer group busy was left as it is: it has active members \(state Stable\)/)
      assert.match(
        again.out,
        /OK .*: 1 record was written, read back and compared\. 1 of 2 consumer groups was not set: busy, because it has active members \(state Stable\)\n$/
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("ends the retention hold by command, without the storage", () =>
    Effect.gen(function* () {
      const { options } = yield* scene
      const early = yield* type("restore", ...options, "--end-hold")
      assert.strictEqual(early.exitCode, 17)
      assert.include(early.err, "does not know a restore whole-set")
      assert.strictEqual((yield* type("restore", ...options)).exitCode, 0)
      const manifestOnly = options.slice(0, 2)
      const ended = yield* typeAs("person", "restore", ...manifestOnly, "--end-hold")
      assert.strictEqual(ended.exitCode, 0, ended.err)
      assert.match(ended.out, /orders has the retention of the backup\nOK: the retention hold has ended/)
      const again = yield* typeAs("person", "restore", ...manifestOnly, "--end-hold")
      assert.match(again.out, /had ended already, and nothing was changed/)
      assert.strictEqual((yield* type("restore", ...options, "--dry-run", "--end-hold")).exitCode, 2)
    }).pipe(Effect.provide(layer))
  )

  it.live("ends a hold that is due by a repeat, and keeps the proof, also where the backup is gone by then", () =>
    Effect.gen(function* () {
      const { claim, options, write } = yield* scene
      const report = `${options[1]}.report.json`
      const json = (file: string) => Effect.promise(async () => JSON.parse(await readFile(file, "utf8")))
      const repeat = typeAs("person", "restore", ...options, "--report", report)
      const retention = Effect.gen(function* () {
        const kafka = yield* (yield* KafkaSources).open({ bootstrapServers: ["target:9092"] })
        return (yield* kafka.topicConfigs(["orders"])).get("orders")?.["retention.ms"]
      }).pipe(Effect.scoped)
      assert.strictEqual((yield* repeat).exitCode, 0)
      const proof = yield* json(report)
      yield* Effect.promise(() => rm(join(claim, backupId), { recursive: true }))

      const early = yield* repeat
      assert.strictEqual(early.exitCode, 17)
      assert.match(early.err, /the retention hold of its topics lasts until \d{4}-.*: orders/u)
      assert.include(early.err, "--end-hold")
      assert.strictEqual(yield* retention, "-1")
      assert.deepInclude(yield* json(report), { outcome: "failed", exitCode: 17 })
      assert.deepStrictEqual(
        yield* json(report.replace(/json$/u, `${proof.completedAt.replaceAll(":", "-")}.json`)),
        proof
      )

      yield* write({ retentionHold: "0s" })
      assert.notInclude((yield* typeAs("person", "restore", ...options, "--dry-run")).err, "hold")
      const due = yield* repeat
      assert.match(due.err, /was complete, and its retention hold was ended now: orders/u)
      assert.include(due.err, "nothing is left to do for this restore")
      assert.strictEqual(yield* retention, "604800000")
      assert.match((yield* repeat).err, /the retention hold of its topics has ended: orders/u)
      // Of failures the last report is enough.
      const names = yield* Effect.promise(() => readdir(join(report, "..")))
      assert.lengthOf(
        names.filter((name) => name.includes(".report.")),
        2
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("warns of old records that go at once without a retention hold", () =>
    Effect.gen(function* () {
      const { options, write } = yield* scene
      yield* write({ retentionHold: "0s" })
      const done = yield* typeAs("person", "restore", ...options)
      assert.match(done.out, /there is no retention hold. Brokers remove old records within minutes, in orders/)
    }).pipe(Effect.provide(layer))
  )

  it.live("gives new offsets, and headers with the old ones, where they are asked for", () =>
    Effect.gen(function* () {
      const { options, target, write } = yield* scene
      yield* write({ offsets: "New", topicMapping: { orders: "renumbered" }, includeOriginalOffsetHeader: true })
      assert.strictEqual((yield* type("restore", ...options)).exitCode, 0)
      const [record] = yield* target.committed("renumbered", 0)
      assert.strictEqual(record?.offset, 0)
      assert.strictEqual(record?.key?.toString(), "b")
      assert.deepStrictEqual(
        record?.headers.map(([key]) => key.toString()),
        ["x-original-offset", "x-original-timestamp", "x-source-partition"]
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("reports to a file what it did to each topic, and to another one what the operator needs", () =>
    Effect.gen(function* () {
      const { options } = yield* scene
      const [report, summary] = [`${options[1]}.report.json`, `${options[1]}.summary`]
      const json = Effect.promise(async () => JSON.parse(await readFile(report, "utf8")))
      const left = Effect.promise(async () => Result.getOrThrow(SummaryCodec.decode(await readFile(summary, "utf8"))))
      const ends = ["--report", report, "--summary", summary]
      assert.strictEqual((yield* type("restore", ...options, "--dry-run", ...ends)).exitCode, 0)
      assert.deepInclude(yield* json, { outcome: "success", dryRun: true, records: 1 })
      assert.strictEqual((yield* json).topics[0].topic, "create")
      assert.isUndefined((yield* json).startedWriting)
      const { resolved, ...rest } = (yield* left).restore!
      assert.strictEqual(resolved?.backupId, backupId)
      assert.deepStrictEqual(rest, {
        dryRun: true,
        plan: { records: 1, partitions: 2, exact: 1, renumbered: 0, topics: [{ name: "orders", records: 1 }] }
      })
      assert.isUndefined((yield* left).records)

      assert.strictEqual((yield* type("restore", ...options, ...ends)).exitCode, 0)
      const [topic] = (yield* json).topics
      assert.deepInclude(topic, { source: "orders", target: "orders", topic: "created", offsets: "exact", records: 1 })
      assert.strictEqual(topic.configurations.set["cleanup.policy"], null)
      const [first, second] = topic.compared
      assert.deepInclude(first.ranges[0], { from: 1, until: 2, records: 1 })
      assert.deepStrictEqual(second.ranges, [])
      const { records, restore } = yield* left
      assert.deepStrictEqual([records, restore?.plan?.records], [1, 1])
      assert.isString(restore?.startedWriting)

      assert.strictEqual((yield* type("restore", ...options, ...ends)).exitCode, 0)
      const [again] = (yield* json).topics
      assert.strictEqual(again.topic, "proven")
      assert.deepStrictEqual(again.compared, [])
    }).pipe(Effect.provide(layer))
  )

  it.live("names in the summary of a refusal what stands against it, and that nothing was written", () =>
    Effect.gen(function* () {
      const { options, target } = yield* scene
      yield* target.createTopic("orders", { partitions: 2 })
      yield* target.produce("orders", 0, [{ key: "x", value: "y" }])
      const summary = `${options[1]}.summary`
      assert.strictEqual((yield* type("restore", ...options, "--summary", summary)).exitCode, 19)
      const text = yield* Effect.promise(() => readFile(summary, "utf8"))
      const left = Result.getOrThrow(SummaryCodec.decode(text))
      assert.deepInclude(left, { command: "restore", outcome: "failed", exitCode: 19, reason: "PreflightFailed" })
      assert.deepStrictEqual(left.restore, { objections: ["TargetNotEmpty"] })
    }).pipe(Effect.provide(layer))
  )

  it.live("takes the resource of a Job from the environment, and writes JSON lines only", () =>
    Effect.gen(function* () {
      const { options, target } = yield* scene
      const restore = Result.getOrThrow(KafkaRestore.parse(manifest({ topicMapping: { orders: "back" } })))
      process.env["A_RESTORE"] = Result.getOrThrow(RestoreSpec.encode(restore))
      const done = yield* type("restore", "-f", "env:A_RESTORE", ...options.slice(2))
      assert.strictEqual(done.exitCode, 0, done.err)
      assert.deepInclude(jsonLines(done.out).at(-1), { type: "report", outcome: "success", records: 1 })
      assert.lengthOf(yield* target.committed("back", 0), 1)
      const refused = Result.getOrThrow(KafkaRestore.parse(manifest({ topics: ["gone"] })))
      process.env["A_RESTORE"] = Result.getOrThrow(RestoreSpec.encode(refused))
      const failed = yield* type("restore", "-f", "env:A_RESTORE", ...options.slice(2))
      assert.strictEqual(failed.exitCode, 19)
      assert.strictEqual(jsonLines(failed.err).at(-1).reason, "PreflightFailed")
      process.env["A_RESTORE"] = "kafka-backup-restore-1:AAAA"
      const damaged = yield* type("restore", "-f", "env:A_RESTORE", ...options.slice(2))
      assert.strictEqual(damaged.exitCode, 10)
      assert.include(damaged.out + damaged.err, "its content is damaged or cut off")
    }).pipe(Effect.ensuring(Effect.sync(() => delete process.env["A_RESTORE"])), Effect.provide(layer))
  )
  it.live("shows what a point in time keeps and leaves out, and what is restored empty", () =>
    Effect.gen(function* () {
      const source = yield* cluster
      yield* source.createTopic("late")
      yield* source.produce("late", 0, [{ key: "a", value: "1", timestamp: 1_700_000_000_000 }])
      const { options, target, write } = yield* scene
      yield* write({ pitr: { timestamp: "2020-09-13T12:26:40.000Z" } })
      const before = yield* typeAs("person", "restore", ...options, "--dry-run")
      assert.match(before.out, /LEFT OUT +FIRST +LAST/)
      assert.match(
        before.out,
        /orders +orders +create and write +2 +1 +as in the backup +0 +2020-09-13T12:26:40Z +2020-09-13T12:26:40Z/
      )
      assert.match(before.out, /late +late +create and write +1 +0 +as in the backup +1 +- +-/)
      assert.include(
        before.out,
        "Note: late is restored empty: it has no record until 2020-09-13T12:26:40Z, and its first one is of 2023-11-14T22:13:20Z"
      )
      assert.strictEqual((yield* type("restore", ...options)).exitCode, 0)
      assert.lengthOf(yield* target.committed("late", 0), 0)
      assert.lengthOf(yield* target.committed("orders", 0), 1)
      yield* write({ pitr: { timestamp: "2099-01-01T00:00:00Z" } })
      const refused = yield* type("restore", ...options)
      assert.strictEqual(refused.exitCode, 19)
      assert.include(refused.err, "pitr asks for records until 2099-01-01T00:00:00Z")
      yield* write({ pitr: { enabled: false, timestampMillis: 5 }, topicMapping: { orders: "o2", late: "l2" } })
      const all = yield* type("restore", ...options, "-o", "json")
      assert.include(JSON.parse(all.out).notes.join("\n"), "pitr.enabled is false")
      assert.lengthOf(yield* target.committed("l2", 0), 1)
    }).pipe(Effect.provide(layer))
  )

  it.live("leaves a summary for the operator when it ends the retention hold, also where it cannot", () =>
    Effect.gen(function* () {
      const { options } = yield* scene
      const summary = `${options[1]}.summary`
      const left = Effect.promise(async () => Result.getOrThrow(SummaryCodec.decode(await readFile(summary, "utf8"))))
      const unknown = yield* type("restore", ...options, "--end-hold", "--summary", summary)
      assert.notStrictEqual(unknown.exitCode, 0)
      assert.deepInclude(yield* left, { command: "restore", outcome: "failed", exitCode: unknown.exitCode })
      assert.strictEqual((yield* type("restore", ...options, "--summary", summary)).exitCode, 0)
      assert.isTrue((yield* left).restore?.held)
      const ended = yield* type("restore", ...options, "--end-hold", "--summary", summary)
      assert.strictEqual(ended.exitCode, 0, ended.err)
      assert.deepInclude(yield* left, { command: "restore", outcome: "success", exitCode: 0 })
      assert.strictEqual((yield* type("restore", ...options, "--summary", summary)).exitCode, 0)
      assert.isUndefined((yield* left).restore?.held)
    }).pipe(Effect.provide(layer))
  )
})
