import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import manifest from "../../package.json" with { type: "json" }
import { runInNewContext } from "node:vm"
import { version } from "../../src/version.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const build = join(root, "scripts/build.ts")
let away: string

/** Typed in a directory that knows nothing of the project. */
const kafkaBackup = (...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, [join(away, "moved", "kafka-backup.mjs"), ...args], {
    cwd: away,
    encoding: "utf8",
    env: { ...process.env, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" }
  })

beforeAll(() => {
  away = mkdtempSync(join(tmpdir(), "kafka-backup-dist-"))
  const built = spawnSync(process.execPath, [build, join(away, "dist")], { encoding: "utf8" })
  assert.strictEqual(built.status, 0, built.stderr)
  renameSync(join(away, "dist"), join(away, "moved"))
}, 240_000)
afterAll(() => rmSync(away, { recursive: true, force: true }))

describe("what npm run build makes", () => {
  it("prints its version and help from any folder", () => {
    assert.strictEqual(kafkaBackup("--version").stdout, `kafka-backup ${version}\n`)
    assert.match(kafkaBackup("run", "--help").stdout, /--slot INSTANT/)
    assert.match(kafkaBackup("crd").stdout, /\napiVersion: apiextensions\.k8s\.io\/v1\n/)
  })

  it("has the plugin of kubectl as one file, which says to an old Node that it is too old", () => {
    // Alone: nothing else of the build is needed.
    const file = join(away, "kubectl-kafka_backup")
    copyFileSync(join(away, "moved", "plugin", "kubectl-kafka_backup"), file)
    const { status, stdout } = spawnSync(file, ["--version"], { cwd: away, encoding: "utf8", env: process.env })
    assert.deepStrictEqual([status, stdout], [0, `kubectl kafka-backup ${version}\n`])

    const said: Array<string> = []
    const old = {
      versions: { node: "18.20.0" },
      version: "v18.20.0",
      stderr: { write: (text: string) => said.push(text) },
      exit: (code: number) => {
        throw new Error(`ended with ${code}`)
      }
    }
    const code = readFileSync(file, "utf8").replace(/^#!.*/, "")
    assert.throws(() => runInNewContext(code, { process: old }), "ended with 1")
    assert.deepStrictEqual(said, ["kubectl kafka-backup: Node 24 or newer is needed, this is v18.20.0\n"])
  })

  it("backs up, verifies and reads back with its own compiled libraries", () => {
    const { status, stderr, stdout } = kafkaBackup("demo", "--directory", join(away, "demo"))
    assert.strictEqual(status, 0, stderr)
    assert.match(stdout, /\nOK demo-\S+: 105,216 records in \d+ segments/)
    assert.isTrue(existsSync(join(away, "demo", "volumes", "backups")))
  })

  it("connects to Kafka and S3 with its own modules", () => {
    writeFileSync(
      join(away, "s3.yaml"),
      `apiVersion: kafka.oso.sh/v1alpha1
kind: KafkaBackup
metadata: {name: nobody}
spec:
  kafkaCluster: {bootstrapServers: ["127.0.0.1:1"]}
  topics: ["*"]
  storage: {storageType: s3, s3: {bucket: nowhere, region: eu-west-1, endpoint: "http://127.0.0.1:1"}}
`
    )
    const { status, stderr, stdout } = kafkaBackup("check", "-f", "s3.yaml")
    assert.strictEqual(status, 20, stderr)
    assert.match(stdout, /\nstorage .* failed .*127\.0\.0\.1:1/)
    assert.match(stdout, /\nkafka +reachable +failed .*127\.0\.0\.1:1/)
  })
})

describe("the package, as it is packed", () => {
  const userTest = `import assert from "node:assert/strict"
import { test } from "node:test"
import { faults, kafkaBackup, TestOperator } from "kafka-backup-operator/testing"

test("a backup survives a store that does not answer", async () => {
  await using operator = await TestOperator.start()
  await operator.kafka.createTopic("orders", { records: 10 })
  await operator.kubectl.apply(kafkaBackup({ name: "once", schedule: "@hourly", compression: "lz4" }))
  await (await operator.storage("once")).disturb(faults.storage.unavailable())
  const status = await operator.until("once", ({ phase }) => phase === "Completed")
  assert.equal(status.lastBackupRecords, 10)
})
`
  let project: string
  let ours: string

  /** A user's project with nothing but the packed file in its node_modules. */
  beforeAll(() => {
    project = join(away, "project")
    ours = join(project, "node_modules/kafka-backup-operator")
    const packed = join(away, "packed")
    mkdirSync(ours, { recursive: true })
    mkdirSync(packed)
    copyFileSync(join(root, "package.json"), join(packed, "package.json"))
    for (const name of ["bin", "crds"]) cpSync(join(root, name), join(packed, name), { recursive: true })
    cpSync(join(away, "moved"), join(packed, "dist"), { recursive: true })
    const pack = spawnSync("npm", ["pack", "--ignore-scripts", "--silent"], { cwd: packed, encoding: "utf8" })
    assert.strictEqual(pack.status, 0, pack.stderr)
    const file = join(packed, pack.stdout.trim())
    assert.strictEqual(
      spawnSync("tar", ["--extract", "--gzip", "--strip=1", `--file=${file}`, `--directory=${ours}`]).status,
      0
    )
    writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }))
    writeFileSync(join(project, "backup.test.mts"), userTest)
  })

  it("has the command, which runs below node_modules", () => {
    const { stderr, stdout } = spawnSync(process.execPath, [join(ours, manifest.bin["kafka-backup"]), "--version"], {
      encoding: "utf8"
    })
    assert.strictEqual(stdout, `kafka-backup ${version}\n`, stderr)
  })

  it("runs a user's test with node:test, without other packages", () => {
    const done = spawnSync(process.execPath, ["--test", "--test-reporter", "tap", "backup.test.mts"], {
      cwd: project,
      encoding: "utf8",
      env: { ...process.env, NODE_TEST_CONTEXT: undefined }
    })
    assert.strictEqual(done.status, 0, done.stdout + done.stderr)
    assert.include(done.stdout, "# pass 1\n")
  })

  it("has types that report a user's mistakes", () => {
    for (const name of ["effect", "@types"])
      symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name))
    writeFileSync(
      join(project, "wrong.mts"),
      userTest.replace(
        "assert.equal(status.lastBackupRecords, 10)",
        "const text: string = status.lastBackupRecords ?? 0"
      )
    )
    const options =
      "--ignoreConfig --noEmit --strict --skipLibCheck --module nodenext --target es2024 --lib es2024,esnext.disposable --types node"
    const check = (file: string) =>
      spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...options.split(" "), file], {
        cwd: project,
        encoding: "utf8"
      })
    const right = check("backup.test.mts")
    assert.strictEqual(right.status, 0, right.stdout)
    assert.match(check("wrong.mts").stdout, /^wrong\.mts\(\d+,\d+\): error TS2322: Type 'number'[^\n]*'string'\.\n$/)
  })
})
