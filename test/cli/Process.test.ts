import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { spawnSync } from "node:child_process"
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import * as SummaryCodec from "../../src/outcome/SummaryCodec.ts"
import { finished, programs, start } from "./processes.ts"
import { backupId, jsonLines, manifest, slot } from "./terminal.ts"

let directory: string
let options: ReadonlyArray<string>

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "kafka-backup-process-"))
  mkdirSync(join(directory, "volumes", "backups"), { recursive: true })
  options = ["-f", join(directory, "backup.yaml"), "--volumes", join(directory, "volumes")]
  writeFileSync(options[1]!, manifest())
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** A TCP server that accepts connections and never answers. */
const silentServer = async () => {
  const server = createServer(() => {}).listen(0, "127.0.0.1")
  await new Promise((resolve) => server.once("listening", resolve))
  const called = new Promise((resolve) => server.once("connection", resolve))
  return { port: (server.address() as AddressInfo).port, called, close: () => server.close() }
}

/** What a symbolic link leads to; undefined when it has gone meanwhile. */
const linkOf = (path: string) => {
  try {
    return readlinkSync(path, "utf8")
  } catch {
    return undefined
  }
}

describe("the process kafka-backup", () => {
  it("answers a wrong invocation on standard error with 2, and leaves standard output empty", async () => {
    const { err, exitCode, out } = await finished(programs.real, ["lst"])
    assert.deepStrictEqual([exitCode, out], [2, ""])
    assert.strictEqual(err, "error: there is no command lst; did you mean list?\nwhat to do: see kafka-backup --help\n")
  })

  it("reads the manifest from standard input with -f -, and reports every problem in it", async () => {
    const text = "apiVersion: kafka.oso.sh/v1alpha1\nkind: KafkaBackup\nmetadata: {name: A_b}\nspec: {topics: []}\n"
    const { err, exitCode, out } = await finished(programs.real, ["list", "-f", "-"], text)
    assert.deepStrictEqual([exitCode, out], [10, ""])
    assert.match(
      err,
      /^error: BadManifest: standard input cannot be used:\n {2}metadata\.name: must be .* \(got "A_b"\)\n/
    )
    assert.match(err, /\n {2}spec\.kafkaCluster: a backup needs kafkaCluster with bootstrapServers/)
    assert.match(err, /\n {2}spec\.topics: must name at least one topic/)
    assert.notMatch(err, / {4}at .*\.ts:/)
  })

  it("writes only JSON lines to both outputs when a broker refuses, names the broker, and shows no credential", async () => {
    const { close, port } = await silentServer()
    close()
    const secrets = join(directory, "secrets")
    mkdirSync(join(secrets, "kafka"), { recursive: true })
    writeFileSync(join(secrets, "kafka", "username"), "correct-horse")
    writeFileSync(join(secrets, "kafka", "password"), "battery-staple")
    const file = join(directory, "refused.yaml")
    const servers = `bootstrapServers: ["127.0.0.1:${port}"]
    securityProtocol: SASL_PLAINTEXT
    saslSecret: {name: kafka, mechanism: SCRAM-SHA-512}`
    // With a breaker it would wait for the cluster for ten minutes.
    const impatient = "  circuitBreaker: {enabled: false}\n"
    writeFileSync(
      file,
      manifest()
        .replace(/bootstrapServers: .*/, servers)
        .replace(/\n*$/, `\n${impatient}`)
    )
    const report = join(directory, "refused.json")
    const args = [
      "run",
      "-f",
      file,
      ...options.slice(2),
      "--secrets",
      secrets,
      "--report",
      report,
      "--log-level",
      "all"
    ]
    const { err, exitCode, out } = await finished(programs.real, args)
    assert.strictEqual(exitCode, 20)
    const last = jsonLines(out).at(-1)
    assert.include(last.error.message, `127.0.0.1:${port}`)
    assert.isTrue(last.error.isRetryable)
    assert.strictEqual(jsonLines(err).at(-1).exitCode, 20)
    const written = readFileSync(report, "utf8")
    assert.strictEqual(JSON.parse(written).exitCode, 20)
    assert.notMatch(out + err + written, /correct-horse|battery-staple/)
  })

  it("ends with 21 and a report when it is asked to stop while a broker does not answer", async () => {
    const silent = await silentServer()
    const file = join(directory, "silent.yaml")
    writeFileSync(file, manifest().replace("in-memory:9092", `127.0.0.1:${silent.port}`))
    const report = join(directory, "silent.json")
    const log = join(directory, "silent.log")
    const ends = ["--report", report, "--summary", log]
    const { child, ended, out } = start(programs.real, ["run", "-f", file, ...options.slice(2), ...ends])
    await silent.called
    child.kill("SIGINT")
    assert.strictEqual(await ended, 21)
    silent.close()
    assert.strictEqual(jsonLines(out()).at(-1).outcome, "interrupted")
    assert.strictEqual(JSON.parse(readFileSync(report, "utf8")).exitCode, 21)
    assert.strictEqual(Result.getOrThrow(SummaryCodec.decode(readFileSync(log, "utf8"))).exitCode, 21)
  })

  it("stores what it has read on SIGTERM, and the same slot finishes the set, whose reader may leave early", async () => {
    writeFileSync(options[1]!, manifest("rateLimit: {bytesPerSecond: 300000}"))
    const log = join(directory, "termination-log")
    const first = start(programs.inMemory, ["run", ...options, "--slot", slot, "--summary", log])
    const stored = join(directory, "volumes", "backups", backupId, "topics")
    while (!existsSync(stored)) await setTimeout(20)
    first.child.kill("SIGTERM")
    assert.strictEqual(await first.ended, 21)
    const interrupted = jsonLines(first.out()).at(-1)
    assert.deepStrictEqual([interrupted.outcome, interrupted.backupId], ["interrupted", backupId])
    assert.isAbove(interrupted.added.records, 0)
    const summary = Result.getOrThrow(SummaryCodec.decode(readFileSync(log, "utf8")))
    assert.deepInclude(summary, { outcome: "interrupted", exitCode: 21, reason: "Interrupted", backupId })
    assert.strictEqual(summary.addedRecords, interrupted.added.records)

    writeFileSync(options[1]!, manifest())
    const second = await finished(programs.inMemory, ["run", ...options, "--slot", slot])
    assert.strictEqual(second.exitCode, 0, second.err)
    const { added, totals } = jsonLines(second.out).at(-1)
    assert.strictEqual(totals.records, 100_216)
    assert.isBelow(added.records, 100_216)
    assert.strictEqual((await finished(programs.real, ["verify", ...options, backupId, "--deep"])).exitCode, 0)

    const line = `"${process.execPath}" "${programs.real}" export ${options.join(" ")} ${backupId} -t orders; echo "exit $?" >&2`
    const head = spawnSync("sh", ["-c", `(${line}) | head -1`], { encoding: "utf8" })
    assert.strictEqual(head.stdout.split("\n").length, 2)
    assert.strictEqual(head.stderr, "exit 0\n")
  })

  it("serves metrics and progress, and fails for an address in use before it reads", async () => {
    const args = ["run", ...options, "--listen", "127.0.0.1:0"]
    const run = start(programs.inMemory, args, { STUCK_STORE: "1" })
    await run.said("a segment is stuck")
    const line = jsonLines(run.err()).find(({ msg }) => msg === "serving /metrics and /progress")
    const { address } = line
    const metrics = await fetch(`${address}/metrics`)
    assert.match(metrics.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/)
    assert.match(await metrics.text(), /\nkafka_backup_run_step\{step="reading"\} 1\n/)
    const progress = (await (await fetch(`${address}/progress`)).json()) as Record<string, unknown>
    assert.deepInclude(progress, { step: "reading", attempt: 1 })
    assert.strictEqual((await fetch(`${address}/healthz`)).status, 200)
    run.child.kill("SIGTERM")
    await run.said("stop requested")
    await setTimeout(600)
    run.child.kill("SIGTERM")
    assert.strictEqual(await run.ended, 21)

    const taken = await silentServer()
    const refused = await finished(programs.inMemory, ["run", ...options, "--listen", `127.0.0.1:${taken.port}`])
    taken.close()
    assert.deepStrictEqual([refused.exitCode, refused.out], [2, ""])
    assert.match(
      refused.err,
      new RegExp(`^error: UsageError: --listen: cannot listen on 127\\.0\\.0\\.1:${taken.port}`)
    )
  })

  it("reads the manifest from a pipe, as a shell makes one for a command's output", async () => {
    const pipe = join(directory, "written-once")
    assert.strictEqual(spawnSync("mkfifo", [pipe]).status, 0)
    const listing = finished(programs.real, ["list", "-f", pipe, ...options.slice(2), "-o", "json"])
    await writeFile(pipe, manifest())
    const { err, exitCode } = await listing
    assert.strictEqual(exitCode, 0, err)
  })

  it("names the broker that it was waiting for when it is stopped, also to the operator", async () => {
    // Nothing listens on port 1.
    const file = join(directory, "nobody.yaml")
    writeFileSync(file, manifest().replace(/bootstrapServers:.*/u, 'bootstrapServers: ["127.0.0.1:1"]'))
    const log = join(directory, "termination-log")
    const run = start(programs.real, ["run", "-f", file, ...options.slice(2), "--slot", slot, "--summary", log])
    await run.said("paused: the target does not answer")
    run.child.kill("SIGTERM")
    assert.strictEqual(await run.ended, 21)
    const summary = Result.getOrThrow(SummaryCodec.decode(readFileSync(log, "utf8")))
    assert.match(
      summary.message ?? "",
      /before it stored anything, while it waited for .*127\.0\.0\.1:1: the connection/
    )
    assert.match(summary.waitedFor ?? "", /^the kafka cluster \(.*127\.0\.0\.1:1/)
  })

  it("ends with 21 at the first signal although the system never answers a call, as on a hung network drive", async () => {
    const pipe = join(directory, "nobody-writes")
    assert.strictEqual(spawnSync("mkfifo", [pipe]).status, 0)
    // Open for writing, too, and nothing is ever written: who reads waits in the call.
    const writer = openSync(pipe, "r+")
    const run = start(programs.real, ["run", "-f", pipe, ...options.slice(2)])
    const isReading = () => {
      const folder = `/proc/${run.child.pid}/fd`
      return readdirSync(folder).some((fd) => linkOf(join(folder, fd)) === pipe)
    }
    while (!isReading()) await setTimeout(20)
    run.child.kill("SIGTERM")
    assert.strictEqual(await run.ended, 21)
    closeSync(writer)
    assert.strictEqual(jsonLines(run.out()).at(-1).outcome, "interrupted")
  })

  it("stops at once at the second signal, even when the store does not answer", async () => {
    const run = start(programs.inMemory, ["run", ...options], { STUCK_STORE: "1" })
    await run.said("a segment is stuck")
    run.child.kill("SIGTERM")
    await run.said("stop requested")
    // Sooner, it would count as the first one's echo.
    await setTimeout(600)
    run.child.kill("SIGTERM")
    assert.strictEqual(await run.ended, 21)
    assert.match(run.err(), /stopped at once: /)
  })
})
