import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as RunSpec from "../../src/identity/RunSpec.ts"
import * as SummaryCodec from "../../src/outcome/SummaryCodec.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import { backupId, cluster, desk, jsonLines, layer, manifest, slot, type, typeAs } from "./terminal.ts"

const topics = Effect.flatMap(cluster, (kafka) =>
  Effect.map(kafka.wire.metadata("all"), ({ topics: found }) => found.map(({ name }) => name).toSorted())
)

/** A cluster with two topics, and a desk for its backup. */
const scene = Effect.fnUntraced(function* (text?: string) {
  const kafka = yield* cluster
  yield* kafka.createTopic("orders", { partitions: 2 })
  yield* kafka.createTopic("empty")
  yield* kafka.produce("orders", 1, [{ key: "a", value: "1" }])
  yield* kafka.deleteRecordsBefore("orders", 1, 1)
  yield* kafka.produce("orders", 1, [
    { key: "b", value: null },
    { key: "c", value: "2" }
  ])
  return { kafka, ...(yield* desk(text)) }
})

const drilled = 'drill:\n  schedule: "@daily"\n  topicPrefix: check.\n  againstLive: false\n'

describe("kafka-backup drill", () => {
  it.live("shows first what it would do, then does it, and leaves the cluster as it was", () =>
    Effect.gen(function* () {
      const { options } = yield* scene()
      yield* type("run", ...options, "--slot", slot)
      const before = yield* typeAs("person", "drill", ...options, "--dry-run")
      assert.strictEqual(before.exitCode, 0, before.err)
      assert.match(before.out, /orders +1 +1 to 2 +2 +_drill-[0-9]{8}-[0-9]{6}-[0-9a-f]{6}-orders\[0\]/)
      assert.match(before.out, /Nothing was written.*A drill would restore 2 records/)
      assert.deepStrictEqual(yield* topics, ["empty", "orders"])
      const done = yield* typeAs("person", "drill", ...options)
      assert.strictEqual(done.exitCode, 0, done.err)
      assert.match(done.out, new RegExp(`Backup +${backupId}, taken at 20`))
      assert.match(done.out, /Live topics +2 records compared: what backup and live topics both have is equal/)
      assert.match(done.out, /Whole restore +about .* at this rate/)
      assert.match(done.out, new RegExp(`^OK ${backupId}: the part above was restored, read back and compared$`, "m"))
      assert.deepStrictEqual(yield* topics, ["empty", "orders"])
    }).pipe(Effect.provide(layer))
  )

  it.live("says where the live topic is another one that nothing could be compared, and names both ids", () =>
    Effect.gen(function* () {
      const { kafka, options } = yield* scene()
      yield* type("run", ...options, "--slot", slot)
      const idOf = Effect.map(kafka.wire.metadata("all"), ({ topics: found }) => {
        const { topicId } = found.find(({ name }) => name === "orders")!
        return topicId!
      })
      const before = yield* idOf
      yield* kafka.deleteTopic("orders")
      yield* kafka.createTopic("orders", { partitions: 2 })
      yield* kafka.produce("orders", 1, [{ key: "n", value: "new" }])
      const done = yield* typeAs("person", "drill", ...options)
      assert.strictEqual(done.exitCode, 0, done.err)
      assert.match(done.out, /Live topics +nothing could be compared; the notes say why/)
      assert.include(
        done.out,
        `Note: the live topic orders is another one than the backup holds (its id is ${yield* idOf}, and was ${before}): nothing of it could be compared`
      )
      const report = JSON.parse((yield* type("drill", ...options, "-o", "json")).out)
      assert.deepInclude(report, { comparedLiveRecords: 0, comparedLiveTopics: 0 })
    }).pipe(Effect.provide(layer))
  )

  it.live("does what spec.drill says, and reports it as JSON", () =>
    Effect.gen(function* () {
      const { directory, options } = yield* scene(manifest(drilled))
      yield* type("run", ...options, "--slot", slot)
      const file = join(directory, "report.json")
      const done = yield* type("drill", ...options, "-o", "json", "--report", file)
      assert.strictEqual(done.exitCode, 0, done.err)
      const report = JSON.parse(done.out)
      assert.deepInclude(report, { result: "Passed", backupId, records: 2, leftOut: [], leftTopics: [] })
      assert.match(report.topics[0].target, /^check\./)
      assert.notProperty(report, "comparedLiveRecords")
      assert.deepStrictEqual(JSON.parse(readFileSync(file, "utf8")), report)
    }).pipe(Effect.provide(layer))
  )

  it.live("ends with a code of its own before the first backup, and says what to do", () =>
    Effect.gen(function* () {
      const { options } = yield* scene()
      const { err, exitCode } = yield* type("drill", ...options)
      assert.strictEqual(exitCode, 17)
      assert.match(err, /^error: NothingToDrill: there is no complete backup of nightly/)
      assert.include(err, "make a backup first")
    }).pipe(Effect.provide(layer))
  )

  it.live("names a topic that the backup lacks, and a cluster with too few brokers", () =>
    Effect.gen(function* () {
      const { directory, options } = yield* scene()
      yield* type("run", ...options, "--slot", slot)
      const other = join(directory, "other.yaml")
      const drillOf = (more: string) =>
        Effect.suspend(() => {
          writeFileSync(other, manifest(`drill:\n  schedule: "@daily"\n${more}`))
          return type("drill", "-f", other, ...options.slice(2))
        })
      const missing = yield* drillOf("  topics: [oders]\n")
      assert.strictEqual(missing.exitCode, 19)
      assert.include(missing.err, `backup ${backupId} has no topic oders; did you mean orders?`)
      const replicas = yield* drillOf("  replicationFactor: 9\n")
      assert.strictEqual(replicas.exitCode, 19)
      const answer = JSON.parse((yield* type("drill", "-f", other, ...options.slice(2), "-o", "json")).out)
      assert.deepInclude(answer, { outcome: "failed", result: "Failed", exitCode: 19, backupId })
      assert.strictEqual(answer.error.reason, "PreflightFailed")
      assert.include(answer.error.problems[0].advice, "spec.drill.replicationFactor")
      assert.include(replicas.err, "spec.drill.replicationFactor")
      assert.deepStrictEqual(yield* topics, ["empty", "orders"])
    }).pipe(Effect.provide(layer))
  )

  it.live("leaves a summary for the operator in a Job, also when it fails", () =>
    Effect.gen(function* () {
      const { directory, options } = yield* scene()
      const log = join(directory, "termination-log")
      const backup = Result.getOrThrow(ManifestParser.parse(manifest(drilled)))
      process.env["KAFKA_BACKUP_TEST_DRILL"] = Result.getOrThrow(RunSpec.encode({ backup, slot }))
      const inJob = ["drill", "-f", "env:KAFKA_BACKUP_TEST_DRILL", ...options.slice(2), "--summary", log] as const
      writeFileSync(log, "x".repeat(10_000))
      assert.strictEqual((yield* type(...inJob)).exitCode, 17)
      const summary = () => Result.getOrThrow(SummaryCodec.decode(readFileSync(log, "utf8")))
      assert.strictEqual(summary().drill?.result, "NothingToDrill")
      yield* type("run", ...options, "--slot", slot)
      const done = yield* type(...inJob)
      assert.strictEqual(done.exitCode, 0, done.err)
      const { drill, ...rest } = summary()
      assert.deepInclude(rest, { command: "drill", outcome: "success", backupId })
      assert.deepInclude(drill, { result: "Passed", topics: 1, partitions: 1, records: 2, leftTopicCount: 0 })
      assert.strictEqual(jsonLines(done.out).at(-1).type, "report")
    }).pipe(
      Effect.ensuring(Effect.sync(() => void delete process.env["KAFKA_BACKUP_TEST_DRILL"])),
      Effect.provide(layer)
    )
  )

  it.live("a backup that runs beside it holds no scratch topic", () =>
    Effect.gen(function* () {
      const { kafka, options } = yield* scene(manifest(drilled))
      yield* kafka.createTopic("check.20261129-030000-0a1b2c-orders")
      yield* kafka.createTopic("_drill-20261129-030000-0a1b2c-orders")
      yield* kafka.createTopic("_drill-results")
      const { exitCode, out } = yield* type("run", ...options, "--slot", slot)
      assert.strictEqual(exitCode, 0)
      assert.strictEqual(jsonLines(out).at(-1).totals.topics, 3)
    }).pipe(Effect.provide(layer))
  )
})
