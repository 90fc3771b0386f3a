import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as DemoCluster from "../../src/cli/demo/DemoCluster.ts"
import { backupId, bootstrapServer, cluster, desk, jsonLines, layer, manifest, slot, type, typeAs } from "./terminal.ts"

const reportIn = (file: string): any => JSON.parse(readFileSync(file, "utf8"))

describe("kafka-backup run", () => {
  it.live("prints JSON lines for a program, the last one the report that --report keeps", () =>
    Effect.gen(function* () {
      yield* DemoCluster.fill(yield* cluster)
      const { claim, directory, options } = yield* desk()
      const file = join(directory, "report.json")
      const { err, exitCode, out } = yield* type("run", ...options, "--slot", slot, "--report", file)
      assert.strictEqual(exitCode, 0, err)
      const { type: kind, ...report } = jsonLines(out).at(-1)
      assert.strictEqual(kind, "report")
      assert.deepStrictEqual(report, reportIn(file))
      assert.deepStrictEqual(report, reportIn(join(claim, backupId, "report.json")).content)
      assert.strictEqual(report.outcome, "success")
      assert.strictEqual(report.totals.records, 100_216)
      assert.deepStrictEqual(report.openTransactions, [
        { topic: "payments", partition: 0, until: 20, highWatermark: 21 }
      ])
      assert.strictEqual(jsonLines(err).find(({ msg }) => msg === "run claimed")?.backupId, backupId)
    }).pipe(Effect.provide(layer))
  )

  it.live("closes with a table for a person, and says when an earlier run completed the slot", () =>
    Effect.gen(function* () {
      yield* DemoCluster.fill(yield* cluster)
      const { options } = yield* desk()
      const first = yield* typeAs("person", "run", ...options, "--slot", slot)
      assert.match(first.out, /^Backup +nightly-20261123-120000\nOutcome +success\n/)
      assert.match(first.out, /\nRecords +100,216\nKeys and values +6\.98 MB\n/)
      assert.match(first.out, /note: payments\[0\]: an open transaction holds back offset 20/)
      const second = yield* typeAs("person", "run", ...options, "--slot", slot)
      assert.strictEqual(second.exitCode, 0)
      assert.match(second.out, /\nOutcome +success \(completed by an earlier run\)\n/)
    }).pipe(Effect.provide(layer))
  )

  it.live("makes one backup by several processes, each with its shard, and says which of them made it", () =>
    Effect.gen(function* () {
      yield* DemoCluster.fill(yield* cluster)
      const { claim, options } = yield* desk()
      const one = (reader: "person" | "program", shard: string) =>
        typeAs(reader, "run", ...options, "--slot", slot, "--shard", shard)
      const first = yield* one("person", "0/3")
      assert.strictEqual(first.exitCode, 0)
      assert.match(first.out, /\nOutcome +shard 0 of 3 ended\n/)
      assert.match(first.out, /note: 2 of 3 shards are not at their ends yet: the last one commits the backup/)
      const second = jsonLines((yield* one("program", "1/3")).out).at(-1)
      assert.deepStrictEqual([second.outcome, second.shard], ["shardEnded", { index: 1, of: 3 }])
      assert.isFalse(existsSync(join(claim, backupId, "manifest.json")))
      const last = jsonLines((yield* one("program", "2/3")).out).at(-1)
      assert.deepStrictEqual([last.outcome, last.totals.records], ["success", 100_216])
      assert.strictEqual(last.added.records, 100_216)
      assert.isBelow(second.added.records, 100_216)
      assert.strictEqual((yield* type("verify", backupId, ...options, "--deep")).exitCode, 0)
    }).pipe(Effect.provide(layer))
  )

  it.live("refuses a shard without a slot or a trigger, with which each process would make a backup of its own", () =>
    Effect.gen(function* () {
      const { options } = yield* desk()
      const { err, exitCode } = yield* type("run", ...options, "--shard", "0/2")
      assert.strictEqual(exitCode, 2)
      assert.match(err, /--shard needs --slot or --trigger: without them each process would make a backup of its own/)
      assert.match(err, /give all 2 processes the same --slot, such as \d{4}-/)
    }).pipe(Effect.provide(layer))
  )

  it.live("refuses a shard that is none", () =>
    Effect.gen(function* () {
      const { options } = yield* desk()
      for (const wrong of ["4/4", "1", "0/65", "-1/2"]) {
        const { err, exitCode } = yield* type("run", ...options, `--shard=${wrong}`)
        assert.strictEqual(exitCode, 2, wrong)
        assert.match(err, /I\/N, with N processes, up to 64, and I from 0 to below N, such as 0\/4/)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("names the format of batches in its report, in list and in describe, and gives their records", () =>
    Effect.gen(function* () {
      yield* DemoCluster.fill(yield* cluster)
      const { options } = yield* desk(manifest("format: batches"))
      const { out } = yield* typeAs("person", "run", ...options, "--slot", slot)
      assert.match(out, /\nRecords +100,216\nBatches in Kafka +\d/)
      assert.match((yield* type("list", ...options)).out, /nightly-20261123-120000 +complete, batches /)
      const listed = JSON.parse((yield* type("list", ...options, "-o", "json")).out)
      assert.strictEqual(JSON.stringify(listed).includes('"format":"batches"'), true)
      assert.match((yield* type("describe", ...options, backupId)).out, /\nFormat +batches\n/)
      const verified = yield* type("verify", ...options, backupId, "--deep")
      assert.strictEqual(verified.exitCode, 0, verified.err)
      const exported = yield* type("export", ...options, backupId, "-t", "payments")
      assert.lengthOf(exported.out.trim().split("\n"), 16)
    }).pipe(Effect.provide(layer))
  )

  it.live("exits with 13 and names the topics that the cluster does not have", () =>
    Effect.gen(function* () {
      yield* DemoCluster.fill(yield* cluster)
      const { options } = yield* desk(manifest().replace('["*"]', '["orders", "oders"]'))
      const { err, exitCode } = yield* type("run", ...options)
      assert.strictEqual(exitCode, 13)
      const logged = jsonLines(err).find(({ msg }) => msg === "run failed")
      assert.strictEqual(logged.error, "the cluster has no topic oders; did you mean orders?")
      assert.match(logged.advice, /create the topic, correct its name/)
    }).pipe(Effect.provide(layer))
  )

  it.live("exits with 10 and every problem of the manifest at once, also in the report", () =>
    Effect.gen(function* () {
      const { directory, file } = yield* desk("kind: KafkaBackup\nmetadata: {name: A_b}\nspec: {topics: []}\n")
      const report = join(directory, "report.json")
      const { exitCode, out } = yield* type("run", "-f", file, "--report", report)
      assert.strictEqual(exitCode, 10)
      const { error, exitCode: reported, identity } = reportIn(report)
      assert.deepStrictEqual([reported, identity, error.reason], [10, undefined, "BadManifest"])
      assert.match(error.message, /apiVersion: is required: write apiVersion: kafka\.oso\.sh\/v1alpha1/)
      assert.strictEqual(jsonLines(out).length, 1)
    }).pipe(Effect.provide(layer))
  )

  it.live("exits with 11 and names Secret, key and file, never a value", () =>
    Effect.gen(function* () {
      const { directory, options } = yield* desk(
        manifest().replace(
          `bootstrapServers: ["${bootstrapServer}"]`,
          `bootstrapServers: ["${bootstrapServer}"]
    securityProtocol: SASL_PLAINTEXT
    saslSecret: {name: kafka-credentials, mechanism: PLAIN}`
        )
      )
      const secrets = join(directory, "secrets")
      const without = yield* type("run", ...options)
      assert.strictEqual(without.exitCode, 11)
      assert.match(without.err, /Secret kafka-credentials, key username: .*--secrets DIR/)
      yield* Effect.promise(() => mkdir(join(secrets, "kafka-credentials"), { recursive: true }))
      yield* Effect.promise(() => writeFile(join(secrets, "kafka-credentials", "username"), "hunter2-the-user"))
      const half = yield* type("run", ...options, "--secrets", secrets)
      assert.strictEqual(half.exitCode, 11)
      assert.match(half.err, /Secret kafka-credentials, key password: there is no file/)
      assert.notInclude(half.err + half.out, "hunter2")
    }).pipe(Effect.provide(layer))
  )

  it.live("exits with 14 where the claim's directory is missing, and with 2 where --volumes is missing", () =>
    Effect.gen(function* () {
      const { directory, file } = yield* desk()
      const elsewhere = yield* type("run", "-f", file, "--volumes", join(directory, "nowhere"))
      assert.strictEqual(elsewhere.exitCode, 14)
      assert.match(elsewhere.err, /nowhere\/backups does not exist/)
      const unsaid = yield* type("run", "-f", file)
      assert.strictEqual(unsaid.exitCode, 2)
      assert.match(unsaid.err, /give --volumes DIR, where DIR\/backups is the claim's directory/)
    }).pipe(Effect.provide(layer))
  )
})

describe("an interrupted run", () => {
  const slow = manifest("rateLimit: {bytesPerSecond: 400000}")

  /** Lets the run read for a while; then interrupts it as a signal does. */
  const interrupted = Effect.fnUntraced(function* (isDue: () => boolean, ...args: ReadonlyArray<string>) {
    const running = yield* Effect.forkChild(type("run", ...args))
    while (!isDue()) yield* Effect.sleep("20 millis")
    yield* Fiber.interrupt(running)
  })

  it.live("stores what it has read, reports, and is finished by the same slot", () =>
    Effect.gen(function* () {
      yield* DemoCluster.fill(yield* cluster)
      const { claim, directory, options } = yield* desk(slow)
      const file = join(directory, "report.json")
      const args = [...options, "--slot", slot, "--report", file]
      yield* interrupted(() => existsSync(join(claim, backupId, "topics", "orders")), ...args)
      const first = reportIn(file)
      assert.deepStrictEqual([first.outcome, first.exitCode, first.backupId], ["interrupted", 21, backupId])
      assert.isAbove(first.added.records, 0)
      assert.include(first.error.advice, `--slot ${slot}`)
      assert.isTrue(existsSync(join(claim, backupId, "checkpoint", "000001-000001.json")))

      yield* Effect.promise(() => writeFile(options[1], manifest()))
      const { exitCode, out } = yield* type("run", ...args)
      assert.strictEqual(exitCode, 0)
      const second = jsonLines(out).at(-1)
      assert.deepStrictEqual([second.attempt, second.totals.records], [2, 100_216])
      assert.isBelow(second.added.records, 100_216)
      assert.strictEqual((yield* type("verify", ...options, backupId, "--deep")).exitCode, 0)
    }).pipe(Effect.provide(layer))
  )

  it.live("of a shard is to be repeated as that shard", () =>
    Effect.gen(function* () {
      yield* DemoCluster.fill(yield* cluster)
      const { claim, directory, options } = yield* desk(slow)
      const file = join(directory, "report.json")
      const args = [...options, "--slot", slot, "--shard", "0/2", "--report", file]
      yield* interrupted(() => existsSync(join(claim, backupId, "topics")), ...args)
      const { error, exitCode } = reportIn(file)
      assert.strictEqual(exitCode, 21)
      assert.strictEqual(error.advice, `repeat the run with --slot ${slot} and --shard 0/2`)
    }).pipe(Effect.provide(layer))
  )

  it.live("does not wait for brokers that do not answer", () =>
    Effect.gen(function* () {
      const kafka = yield* cluster
      yield* DemoCluster.fill(kafka)
      yield* kafka.inject({ _tag: "ConnectionLost" }, { topic: "orders", after: 1, times: 1_000_000 })
      const { claim, directory, options } = yield* desk()
      const file = join(directory, "report.json")
      yield* interrupted(
        () => existsSync(join(claim, backupId, "topics", "customers")),
        ...options,
        "--slot",
        slot,
        "--report",
        file
      )
      assert.strictEqual(reportIn(file).outcome, "interrupted")
      yield* kafka.clearFaults
      assert.strictEqual((yield* type("run", ...options, "--slot", slot)).exitCode, 0)
      assert.strictEqual((yield* type("verify", ...options, backupId, "--deep")).exitCode, 0)
    }).pipe(Effect.provide(layer))
  )
})
