import { randomUUID } from "node:crypto"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { afterAll, beforeAll } from "vitest"
import * as Cache from "../../scripts/services/Cache.ts"
import { accepts, Fleet } from "../../scripts/services/Fleet.ts"
import * as Pki from "../../scripts/services/Pki.ts"
import * as Ports from "../../scripts/services/Ports.ts"
import * as Rotation from "../../src/worker/Rotation.ts"
import * as GuardedObjectStore from "../../src/storage/GuardedObjectStore.ts"
import type { ObjectKey } from "../../src/storage/ObjectStore.ts"
import * as S3ObjectStore from "../../src/storage/S3ObjectStore.ts"
import * as StorageBackends from "../../src/storage/StorageBackends.ts"
import type { S3Target } from "../../src/storage/StorageTarget.ts"
import { kafkaBackup, onS3, reportOf, succeed, Workspace } from "../e2e/product.ts"
import { objectStoreContract } from "../contract/objectStore.ts"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"

const binary = join(Cache.versitygw, "versitygw")
const [accessKey, secretKey, region] = ["testkey", "testsecret123", "us-east-1"]
const key = (text: string) => text as ObjectKey
const content = new TextEncoder().encode("the content of a manifest")

/** The working authority once more, with its key and name: only it ended yesterday. */
const expiredAuthority = (folder: string): string => {
  const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" })
  openssl("req", "-new", "-key", "ca.key", "-subj", "/CN=ca", "-out", "lapsed.csr")
  writeFileSync(
    join(folder, "lapsed.ext"),
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
  )
  const signing = ["-signkey", "ca.key", "-days", "-1", "-extfile", "lapsed.ext"]
  openssl("x509", "-req", "-in", "lapsed.csr", ...signing, "-out", "lapsed.crt")
  return join(folder, "lapsed.crt")
}

describe.skipIf(!existsSync(binary))("An S3 endpoint with a private certificate authority", () => {
  let fleet: Fleet
  let pki: Pki.Pki
  const ports = { good: 0, expired: 0, elsewhere: 0 }
  const endpoint = (name: keyof typeof ports) => `https://127.0.0.1:${ports[name]}`
  const pem = (file: string) => readFileSync(file, "utf8")

  beforeAll(async () => {
    fleet = new Fleet()
    const folder = join(fleet.folder, "pki")
    pki = Pki.make(folder)
    const free = await Ports.free(3)
    for (const [index, [name, certificate]] of (
      [
        ["good", "server"],
        ["expired", "server-expired"],
        ["elsewhere", "server-elsewhere"]
      ] as const
    ).entries()) {
      const port = (ports[name] = free[index]!)
      mkdirSync(join(fleet.folder, name))
      const tls = ["--cert", join(folder, `${certificate}.crt`), "--key", join(folder, `${certificate}.key`)]
      const env = { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey }
      const args = ["--port", `127.0.0.1:${port}`, ...tls, "posix", join(fleet.folder, name)]
      await fleet.start(name, binary, args, env).ready(() => accepts("127.0.0.1", port), 60_000)
    }
  }, 120_000)
  afterAll(() => fleet?.stop())

  /** A directory of the gateway is a bucket. */
  const bucketOn = (name: keyof typeof ports) => {
    const bucket = `kafka-backup-${randomUUID()}`
    mkdirSync(join(fleet.folder, name, bucket))
    return bucket
  }

  const target = (name: keyof typeof ports, bucket: string, authorities?: string, prefix = "a"): S3Target => ({
    _tag: "S3",
    bucket,
    region,
    prefix,
    endpoint: endpoint(name),
    credentials: {
      accessKeyId: Redacted.make(accessKey),
      secretAccessKey: Redacted.make(secretKey),
      origin: { secret: "s3-credentials", keys: ["accessKey", "secretKey"] }
    },
    ...(authorities === undefined
      ? {}
      : { authorities: { pem: authorities, origin: { secret: "store-ca", key: "ca.crt" } } })
  })

  objectStoreContract(
    "on versitygw with TLS",
    Effect.sync(() => {
      const bucket = bucketOn("good")
      return { open: (prefix) => S3ObjectStore.open(target("good", bucket, pem(pki.ca), prefix)) }
    }),
    { unfitForRaces: "versitygw 1.7.0 checks If-None-Match before it writes, not as it writes: versity/versitygw#2288" }
  )

  it.live("takes several authorities, with CRLF and text between them", () =>
    Effect.gen(function* () {
      const both = `the stranger:\n${pem(pki.strangerCa)}\nours:\n${pem(pki.ca)}`.replaceAll("\n", "\r\n")
      const store = yield* S3ObjectStore.open(target("good", bucketOn("good"), both))
      yield* store.put(key("x"), [content])
      assert.deepStrictEqual(yield* store.get(key("x")), content)
    })
  )

  const refused = (title: string, of: () => S3Target, says: string, advises: string) =>
    it.live(title, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(S3ObjectStore.open(of()))
        assert.strictEqual(error.reason._tag, "Misconfigured", error.message)
        assert.include(error.message, says)
        assert.include(error.advice, advises)
      })
    )

  const secret = "Secret store-ca, key ca.crt (spec.storage.s3.caSecret)"
  refused(
    "says which field to set when there is no Secret",
    () => target("good", "bucket"),
    "an authority that is not trusted",
    "set spec.storage.s3.caSecret"
  )
  refused(
    "names the Secret whose authority is another",
    () => target("good", "bucket", pem(pki.strangerCa)),
    "not signed by an authority in Secret store-ca",
    `into ${secret}`
  )
  refused(
    "names the authority that has expired",
    () => target("good", "bucket", pem(expiredAuthority(join(fleet.folder, "pki")))),
    "has expired",
    `into ${secret}`
  )
  refused(
    "says when the server's certificate has expired",
    () => target("expired", "bucket", pem(pki.ca)),
    "has expired",
    "renew the store's certificate"
  )
  refused(
    "says for which names the server's certificate is",
    () => target("elsewhere", "bucket", pem(pki.ca)),
    "kafka.example",
    "write a host name that the certificate lists into endpoint"
  )

  it.live("is not taken for a plain endpoint", () =>
    Effect.gen(function* () {
      const plain = { ...target("good", "bucket"), endpoint: endpoint("good").replace("https:", "http:") }
      const error = yield* Effect.flip(S3ObjectStore.open(plain))
      // It hangs up, as a broken line would: that may pass.
      assert.strictEqual(error.reason._tag, "StoreUnavailable", error.message)
      assert.include(error.message, "does endpoint need https://?")
    })
  )

  it.live("reads the Secret anew when the store's certificate is no longer signed by what was read", () =>
    Effect.gen(function* () {
      const folder = join(fleet.folder, "pki")
      const another = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=another"]
      const names = ["-addext", "subjectAltName=IP:127.0.0.1"]
      const files = ["-keyout", "another.key", "-out", "another.crt"]
      execFileSync("openssl", ["req", ...another, ...names, ...files], { cwd: folder, stdio: "pipe" })
      const pair = (name: string) => ({
        key: pem(join(folder, `${name}.key`)),
        cert: pem(join(folder, `${name}.crt`))
      })
      const server = createServer(pair("server"), (request, response) => {
        request.resume()
        const isListing = request.url?.includes("list-type") === true
        response.end(isListing ? "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>" : content)
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.sync(() => server.close(() => undefined).closeAllConnections())
      )
      const to = { endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port}` }
      let current = { ...target("good", "bucket", pem(pki.ca)), ...to }
      const store = yield* Rotation.openStore(
        Effect.sync(() => current),
        GuardedObjectStore.bounded
      )
      assert.deepStrictEqual(yield* store.get(key("x")), content)
      current = { ...target("good", "bucket", `${pem(pki.ca)}${pem(join(folder, "another.crt"))}`), ...to }
      server.setSecureContext(pair("another"))
      server.closeAllConnections()
      assert.deepStrictEqual(yield* store.get(key("x")), content)
    }).pipe(Effect.provide([StorageBackends.layer, NodeServices.layer]))
  )

  describeWith(["kafka", "java"], "with Kafka", ({ java: tools, kafka }) => {
    it("is run to and verified deeply with caSecret, and refused without it", { timeout: 120_000 }, async () => {
      using workspace = new Workspace()
      const topic = `private-authority-${randomUUID()}`
      const java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
      await java.createTopics({ name: topic, partitions: 1 })
      await java.load({ topic, count: 500, seed: 5, codec: "rotate", shape: "mixed" })
      await java.close()
      workspace.secret("s3-credentials", { accessKey, secretKey })
      workspace.secret("store-ca", { "ca.crt": pem(pki.ca) })
      const storage = onS3({ endpoint: endpoint("good"), accessKey, secretKey, region, pid: 0 }, bucketOn("good"), "p")
      const places = (caSecret: object) =>
        workspace.manifest("private", {
          kafkaCluster: { bootstrapServers: [kafka.plaintext] },
          topics: [topic],
          storage: { ...storage, s3: { ...storage.s3, ...caSecret } }
        })
      const without = await kafkaBackup("run", ...places({}))
      assert.strictEqual(without.code, 14, without.stderr)
      assert.include(`${without.stderr}${without.stdout}`, "spec.storage.s3.caSecret")
      const named = places({ caSecret: { name: "store-ca" } })
      const report = reportOf(await succeed("run", ...named))
      await succeed("verify", ...named, report.backupId, "--deep")
    })
  })
})
