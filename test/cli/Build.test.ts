import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { version } from "../../src/version.ts"

const build = fileURLToPath(new URL("../../scripts/build.ts", import.meta.url))
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
})
afterAll(() => rmSync(away, { recursive: true, force: true }))

describe("what npm run build makes", () => {
  it("says its version and helps, wherever it has been moved", () => {
    assert.strictEqual(kafkaBackup("--version").stdout, `kafka-backup ${version}\n`)
    assert.match(kafkaBackup("run", "--help").stdout, /--slot INSTANT/)
    assert.match(kafkaBackup("crd").stdout, /\napiVersion: apiextensions\.k8s\.io\/v1\n/)
  })

  it("backs up, verifies and reads back: its compiled libraries came along", () => {
    const { status, stderr, stdout } = kafkaBackup("demo", "--directory", join(away, "demo"))
    assert.strictEqual(status, 0, stderr)
    assert.match(stdout, /\nOK demo-\S+: 100,216 records in 7 segments/)
    assert.isTrue(existsSync(join(away, "demo", "volumes", "backups")))
  })

  it("asks Kafka and S3 with the modules inside it", () => {
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
