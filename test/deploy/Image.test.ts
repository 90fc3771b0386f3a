import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { defaultUser } from "../../src/operator/jobs/JobSettings.ts"
import { program } from "../../scripts/image/Program.ts"
import { version } from "../../src/version.ts"
import { type Json, root } from "./manifests.ts"

const run = (command: string, ...args: ReadonlyArray<string>) => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 2 ** 28 })
  assert.strictEqual(status, 0, `${command} ${args.join(" ")}: ${error?.message ?? stderr}`)
  return stdout
}

/** Nothing of this machine is seen inside; does not work where user namespaces are switched off. */
const inside = (folder: string, ...args: ReadonlyArray<string>) => [
  "--user",
  "--map-root-user",
  "chroot",
  folder,
  ...args
]
const isPossible = spawnSync("unshare", inside("/", "true")).status === 0

describe.skipIf(process.platform !== "linux")("the image", () => {
  let scratch: string
  const folder = (...names: ReadonlyArray<string>) => join(scratch, ...names)
  const blob = (digest: string) => readFileSync(folder("oci", "blobs", ...digest.split(":")))
  const json = (digest: string): Json => JSON.parse(blob(digest).toString()) as Json
  const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

  let described: Json
  let manifest: Json
  let config: Json

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), "kafka-backup-image-test-"))
    const archive = folder("image.tar")
    run(process.execPath, join(root, "scripts/image.ts"), "--name", "example.com/backup:9", "--output", archive)
    for (const name of ["oci", "rootfs"]) mkdirSync(folder(name))
    run("tar", "--extract", `--file=${archive}`, `--directory=${folder("oci")}`)
    const index = JSON.parse(readFileSync(folder("oci", "index.json"), "utf8")) as Json
    described = index["manifests"][0]
    manifest = json(described["digest"])
    config = json(manifest["config"].digest)
    const [layer] = manifest["layers"]
    const layerFile = folder("oci", "blobs", ...layer.digest.split(":"))
    run("tar", "--extract", "--gzip", `--file=${layerFile}`, `--directory=${folder("rootfs")}`)
  }, 120_000)
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  it("is an OCI layout in which every size and digest is true", () => {
    assert.deepStrictEqual(JSON.parse(readFileSync(folder("oci", "oci-layout"), "utf8")), {
      imageLayoutVersion: "1.0.0"
    })
    assert.strictEqual(described["annotations"]["io.containerd.image.name"], "example.com/backup:9")
    assert.strictEqual(described["annotations"]["org.opencontainers.image.ref.name"], "9")
    const named: ReadonlyArray<Json> = [described, manifest["config"], ...manifest["layers"]]
    for (const { digest, size } of named) {
      assert.strictEqual(sha256(blob(digest)), digest)
      assert.strictEqual(blob(digest).length, size)
    }
    assert.strictEqual(readdirSync(folder("oci", "blobs", "sha256")).length, named.length)
    assert.deepStrictEqual(config["rootfs"].diff_ids, [sha256(gunzipSync(blob(manifest["layers"][0].digest)))])
  })

  it("starts kafka-backup, and not as root", () => {
    assert.deepStrictEqual(config["config"].Entrypoint, program.entrypoint)
    assert.strictEqual(config["config"].User, `${defaultUser}:${defaultUser}`)
    const [flag, ...paths] = program.entrypoint.toSorted()
    assert.match(flag!, /^--max-semi-space-size=/u)
    for (const path of paths) assert.isTrue(existsSync(folder("rootfs", path)), path)
    assert.strictEqual(statSync(folder("rootfs", "tmp")).mode & 0o7777, 0o1777)
  })

  it("holds no shell, and nothing that makes a user root", () => {
    const files = readdirSync(folder("rootfs"), { recursive: true, encoding: "utf8" })
    assert.isAbove(files.length, 50)
    assert.deepStrictEqual(
      files.filter((file) => /(^|\/)(sh|bash|dash|busybox|apt|npm|curl)$/.test(file)),
      []
    )
    const isPrivileged = (file: string) => {
      const status = statSync(folder("rootfs", file))
      return status.isFile() && (status.mode & 0o6000) !== 0
    }
    assert.deepStrictEqual(files.filter(isPrivileged), [])
  })

  it("is made by the Containerfile in the same shape", () => {
    const text = readFileSync(join(root, "scripts/image/Containerfile"), "utf8")
    assert.include(text, `ENTRYPOINT ${JSON.stringify(program.entrypoint).replaceAll(",", ", ")}`)
    assert.include(text, `USER ${program.user}:${program.user}`)
    assert.include(text, ` /${program.node}\n`)
    assert.include(text, `/build/dist /${program.folder}\n`)
  })

  it.skipIf(!isPossible)("backs up with nothing around it: it has every library that it needs", () => {
    const kafkaBackup = (...args: ReadonlyArray<string>) =>
      run("unshare", ...inside(folder("rootfs"), ...program.entrypoint, ...args))
    assert.strictEqual(kafkaBackup("--version"), `kafka-backup ${version}\n`)
    assert.match(kafkaBackup("demo", "--directory", "/tmp/demo"), /\nOK demo-/)
    assert.match(kafkaBackup("operator", "--help"), /--max-concurrent-runs/)
  })
})
