import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Result } from "effect"
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import * as SummaryCodec from "../../src/outcome/SummaryCodec.ts"
import * as RunSpec from "../../src/identity/RunSpec.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import { ObjectStores } from "../../src/storage/ObjectStore.ts"
import { backupId, cluster, desk, jsonLines, layer, manifest, slot, type } from "./terminal.ts"

/** The commands as a Job's container starts them: what to do from the environment, the end into a file. */

const variable = "KAFKA_BACKUP_TEST_RUN_SPEC"

/** Sets the environment variable for as long as the scope lasts. */
const environment = (value: string) =>
  Effect.acquireRelease(
    Effect.sync(() => void (process.env[variable] = value)),
    () => Effect.sync(() => void delete process.env[variable])
  )

const runSpec = (run: { readonly slot: string; readonly trigger?: string }, text = manifest()) =>
  Result.getOrThrow(RunSpec.encode({ backup: Result.getOrThrow(ManifestParser.parse(text)), ...run }))

const summaryIn = (file: string) => Result.getOrThrow(SummaryCodec.decode(readFileSync(file, "utf8")))

/** A cluster with one topic, an empty claim, and a file as long as a termination log may have become. */
const pod = Effect.fnUntraced(function* (text?: string) {
  const kafka = yield* cluster
  yield* kafka.createTopic("orders", { partitions: 1 })
  yield* kafka.produce("orders", 0, [{ key: "k", value: "v" }])
  const made = yield* desk(text)
  const log = join(made.directory, "termination-log")
  writeFileSync(log, "x".repeat(10_000))
  const summary = ["--summary", log] as const
  return { ...made, log, summary, fromEnvironment: ["-f", `env:${variable}`, ...made.options.slice(2)] as const }
})

describe("-f env:NAME", () => {
  it.live("runs the slot of the run spec, and keeps as many backups as the spec in it says", () =>
    Effect.gen(function* () {
      const { claim, fromEnvironment, log, summary } = yield* pod()
      yield* environment(runSpec({ slot }, manifest("retention: {backups: 1}\nincremental: {enabled: false}")))
      const { exitCode } = yield* type("run", ...fromEnvironment, ...summary)
      assert.strictEqual(exitCode, 0)
      assert.isTrue(existsSync(join(claim, backupId, "manifest.json")))
      assert.strictEqual(summaryIn(log).backupId, backupId)
      yield* environment(
        runSpec({ slot: "2026-11-23T13:00:00Z" }, manifest("retention: {backups: 1}\nincremental: {enabled: false}"))
      )
      assert.strictEqual((yield* type("run", ...fromEnvironment, ...summary)).exitCode, 0)
      assert.isFalse(existsSync(join(claim, backupId)))
      assert.strictEqual(summaryIn(log).removed, 1)
      const listed = yield* type("list", ...fromEnvironment, "-o", "json")
      assert.strictEqual(JSON.parse(listed.out)[0].backupId, "nightly-20261123-130000")
    }).pipe(Effect.provide(layer))
  )

  it.live("makes one backup for a trigger, by hand too, whenever it was first seen", () =>
    Effect.gen(function* () {
      const { fromEnvironment, log, options, summary } = yield* pod()
      yield* environment(runSpec({ slot, trigger: "release 7" }))
      assert.strictEqual((yield* type("run", ...fromEnvironment, ...summary)).exitCode, 0)
      const report = jsonLines((yield* type("run", ...options, "--trigger", "release 7", ...summary)).out).at(-1)
      assert.deepStrictEqual([report.alreadyComplete, report.identity.trigger], [true, "release 7"])
      assert.deepInclude(summaryIn(log), { alreadyComplete: true, backupId })
      // The slot of the same instant is another run.
      assert.strictEqual((yield* type("run", ...options, "--slot", slot, ...summary)).exitCode, 0)
      assert.strictEqual(summaryIn(log).backupId, "nightly-20261123-120001")
      assert.strictEqual((yield* type("run", ...options, "--trigger", "")).exitCode, 2)
    }).pipe(Effect.provide(layer))
  )

  it.live("reports what is wrong with the variable, and refuses another slot", () =>
    Effect.gen(function* () {
      const { fromEnvironment, log, summary } = yield* pod()
      const unset = yield* type("list", ...fromEnvironment, ...summary)
      assert.strictEqual(unset.exitCode, 10)
      assert.include(unset.err, `environment variable ${variable} cannot be used:\n  it is not set`)
      assert.deepInclude(summaryIn(log), { command: "list", outcome: "failed", exitCode: 10, reason: "BadManifest" })
      yield* environment(manifest())
      const plain = yield* type("run", ...fromEnvironment, ...summary)
      assert.strictEqual(plain.exitCode, 10)
      assert.include(summaryIn(log).message!, "it does not begin with kafka-backup-run-1:")
      yield* environment(runSpec({ slot }))
      for (const [flag, value] of [
        ["--slot", "2026-11-23T13:00:00Z"],
        ["--trigger", "again"]
      ] as const) {
        const refused = yield* type("run", ...fromEnvironment, flag, value, ...summary)
        assert.deepStrictEqual([refused.exitCode, refused.out], [2, ""])
        assert.match(refused.err, new RegExp(`^error: UsageError: ${flag} cannot be used with -f env:${variable}`))
        assert.deepInclude(summaryIn(log), { command: "run", exitCode: 2, reason: "UsageError" })
      }
    }).pipe(Effect.provide(layer))
  )
})

describe("--summary", () => {
  it.live("writes into the existing file: a mounted one cannot be replaced", () =>
    Effect.gen(function* () {
      const { log, options, summary } = yield* pod()
      const before = statSync(log).ino
      assert.strictEqual((yield* type("run", ...options, "--slot", slot, ...summary)).exitCode, 0)
      assert.strictEqual(statSync(log).ino, before)
      assert.isBelow(statSync(log).size, 4097)
      const { catalogue, ...rest } = summaryIn(log)
      assert.deepInclude(rest, { command: "run", outcome: "success", exitCode: 0, backupId, records: 1 })
      assert.deepStrictEqual([catalogue!.total, catalogue!.sets[0]!.backupId], [1, backupId])
    }).pipe(Effect.provide(layer))
  )

  it.live("reports an unusable manifest, a missing Secret and an address in use", () =>
    Effect.gen(function* () {
      const { file, log, options, summary } = yield* pod("kind: KafkaBackup\nmetadata: {name: A_b}\n")
      assert.strictEqual((yield* type("run", ...options, ...summary)).exitCode, 10)
      assert.deepInclude(summaryIn(log), { outcome: "failed", exitCode: 10, reason: "BadManifest" })
      const withSecret = manifest().replace(
        "    bootstrapServers:",
        "    securityProtocol: SASL_PLAINTEXT\n    saslSecret: {name: kafka, mechanism: PLAIN}\n    bootstrapServers:"
      )
      writeFileSync(file, withSecret)
      assert.strictEqual((yield* type("run", ...options, ...summary)).exitCode, 11)
      assert.deepInclude(summaryIn(log), { outcome: "failed", exitCode: 11, reason: "SecretUnusable" })
      assert.match(summaryIn(log).advice!, /create the Secret/)
      const server = createServer().listen(0, "127.0.0.1")
      yield* Effect.promise(() => new Promise((resolve) => server.once("listening", resolve)))
      const { port } = server.address() as AddressInfo
      const taken = yield* type("run", ...options, ...summary, "--listen", `[127.0.0.1]:${port}`)
      server.close()
      assert.strictEqual(taken.exitCode, 2)
      assert.deepInclude(summaryIn(log), { outcome: "failed", exitCode: 2, reason: "UsageError" })
    }).pipe(Effect.provide(layer))
  )

  it.live("that cannot be written is logged and changes no exit code", () =>
    Effect.gen(function* () {
      const { directory, options } = yield* pod()
      const nowhere = join(directory, "nowhere", "log")
      for (const args of [["run", "--slot", slot], ["list"], ["prune", "--keep", "1"]]) {
        const { err, exitCode } = yield* type(args[0]!, ...options, ...args.slice(1), "--summary", nowhere)
        assert.strictEqual(exitCode, 0)
        assert.include(err, "the summary could not be written")
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("lists and prunes the resource's own sets", () =>
    Effect.gen(function* () {
      const { file, log, options, summary } = yield* pod()
      for (const hour of [1, 2, 3]) yield* type("run", ...options, "--slot", `2026-11-23T0${hour}:00:00Z`)
      writeFileSync(file, manifest("", "other"))
      yield* type("run", ...options, "--slot", "2026-11-23T09:00:00Z")
      writeFileSync(file, manifest())
      yield* type("list", ...options, ...summary)
      const listed = summaryIn(log)
      assert.deepInclude(listed, { command: "list", outcome: "success", exitCode: 0 })
      assert.deepStrictEqual(
        listed.catalogue!.sets.map((set) => set.backupId),
        [3, 2, 1].map((hour) => `nightly-20261123-0${hour}0000`)
      )
      yield* type("prune", ...options, ...summary, "--keep", "1", "--dry-run")
      assert.deepInclude(summaryIn(log), { removed: 0, catalogue: listed.catalogue! })
      yield* type("prune", ...options, ...summary, "--keep", "1")
      assert.deepInclude(summaryIn(log), { command: "prune", outcome: "success", removed: 2 })
      assert.strictEqual(summaryIn(log).catalogue!.total, 1)
      yield* type("prune", ...options, ...summary)
      assert.deepInclude(summaryIn(log), { outcome: "failed", exitCode: 2, reason: "KeepsEverything" })
    }).pipe(Effect.provide(layer))
  )

  it.live("reports that a list or prune was stopped while storage did not answer", () =>
    Effect.gen(function* () {
      const { log, options, summary } = yield* pod()
      for (const command of ["list", "prune"] as const) {
        const asked = yield* Deferred.make<void>()
        const silent = Layer.succeed(ObjectStores, {
          open: () => Effect.andThen(Deferred.succeed(asked, undefined), Effect.never)
        })
        const running = yield* Effect.forkChild(Effect.provide(type(command, ...options, ...summary), silent))
        yield* Deferred.await(asked)
        yield* Fiber.interrupt(running)
        assert.deepInclude(summaryIn(log), { command, outcome: "interrupted", exitCode: 21, reason: "Interrupted" })
      }
    }).pipe(Effect.provide(layer))
  )
})

describe("kafka-backup prune --all", () => {
  it.live("removes every backup of the resource and no other, if the name is given", () =>
    Effect.gen(function* () {
      const { claim, file, log, options, summary } = yield* pod(manifest("retention: {backups: 9}"))
      for (const hour of [1, 2]) yield* type("run", ...options, "--slot", `2026-11-23T0${hour}:00:00Z`)
      writeFileSync(file, manifest("", "other"))
      yield* type("run", ...options, "--slot", "2026-11-23T09:00:00Z")
      writeFileSync(file, manifest("retention: {backups: 9}"))
      const stored = () => readdirSync(claim).filter((name) => /-\d{8}-\d{6}$/.test(name))

      for (const wrong of [[], ["--confirm", "other"], ["--confirm", "nightly", "--keep", "1"]]) {
        const refused = yield* type("prune", ...options, "--all", ...wrong, ...summary)
        assert.strictEqual(refused.exitCode, 2)
        assert.deepInclude(summaryIn(log), { command: "prune", exitCode: 2, reason: "UsageError" })
      }
      assert.strictEqual((yield* type("prune", ...options, "--confirm", "nightly")).exitCode, 2)
      const dry = yield* type("prune", ...options, "--all", "--dry-run")
      assert.match(
        dry.out,
        /^Note: 2 small records of runs stay in [^\n]+\nwould remove nightly-20261123-010000: frees \S+ kB\nwould remove nightly-20261123-020000: frees \S+ kB\n$/u
      )
      assert.lengthOf(stored(), 3)

      yield* environment(runSpec({ slot }))
      const fromEnvironment = ["-f", `env:${variable}`, ...options.slice(2)]
      assert.strictEqual((yield* type("prune", ...fromEnvironment, "--all")).exitCode, 2)
      const done = yield* type("prune", ...fromEnvironment, "--all", "--confirm", "nightly", ...summary)
      assert.strictEqual(done.exitCode, 0)
      assert.deepStrictEqual(stored(), ["other-20261123-090000"])
      assert.deepInclude(summaryIn(log), { outcome: "success", removed: 2, catalogue: { total: 0, sets: [] } })
      const again = yield* type("prune", ...options, "--all", "--confirm", "nightly", ...summary)
      assert.strictEqual(again.exitCode, 0)
      assert.strictEqual(summaryIn(log).removed, 0)
    }).pipe(Effect.provide(layer))
  )
})
