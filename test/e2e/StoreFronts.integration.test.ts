import type { IncomingMessage } from "node:http"
import { CreateBucketCommand, PutObjectLockConfigurationCommand, S3Client } from "@aws-sdk/client-s3"
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob"
import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { onS3, reportOf, start, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"
import { type Intercept, page, StoreFront } from "./StoreFront.ts"

const MiB = 1024 * 1024
const until = "2037-01-01T00:00:00Z"

describeWith(
  ["kafka", "java", "minio", "azurite", "fakegcs"],
  "A store behind something that answers in its place",
  ({ azurite, fakegcs, java: tools, kafka, minio }) => {
    const place = unique("front")
    let java: JavaKafka
    let slots = 0
    const slot = () => new Date(Date.UTC(2026, 10, 24, 13, 0, ++slots)).toISOString().replace(".000", "")
    const s3 = new S3Client({
      endpoint: minio.endpoint,
      region: minio.region,
      forcePathStyle: true,
      credentials: { accessKeyId: minio.accessKey, secretAccessKey: minio.secretKey }
    })

    beforeAll(async () => {
      java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
      await java.createTopics({ name: place, partitions: 2 })
      // Bytes that do not compress: a segment is larger than what a proxy may let through.
      await java.load({ topic: place, count: 300, seed: 7, codec: "none", valueBytes: 20_000 })
      await s3.send(new CreateBucketCommand({ Bucket: place }))
      const credential = new StorageSharedKeyCredential(azurite.accountName, azurite.accountKey)
      await new ContainerClient(`${azurite.endpoint}/${place}`, credential).create()
      const made = await fetch(`${fakegcs.endpoint}/storage/v1/b?project=test`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: place })
      })
      assert.isTrue(made.ok, `HTTP ${made.status}`)
    })
    afterAll(async () => {
      await java?.close()
      s3.destroy()
    })

    /** Each store behind a front, as a manifest and an environment name it, and how its lock refuses. */
    const stores = {
      s3: {
        endpoint: minio.endpoint,
        storage: (address: string, prefix: string) => onS3({ ...minio, endpoint: address }, place, prefix),
        environment: () => ({}),
        locked: undefined
      },
      azure: {
        endpoint: azurite.endpoint,
        storage: (address: string, prefix: string) => ({
          storageType: "azure",
          azure: {
            accountName: azurite.accountName,
            container: place,
            prefix,
            endpoint: `${address}/${azurite.accountName}`,
            credentialsSecret: { name: "azure-credentials" }
          }
        }),
        environment: () => ({}),
        locked: {
          status: 409,
          headers: { "content-type": "application/xml", "x-ms-error-code": "BlobImmutableDueToPolicy" },
          body: '<?xml version="1.0" encoding="utf-8"?><Error><Code>BlobImmutableDueToPolicy</Code><Message>This operation is not permitted as the blob is immutable due to a policy.</Message></Error>'
        }
      },
      gcs: {
        endpoint: fakegcs.endpoint,
        storage: (_: string, prefix: string) => ({ storageType: "gcs", gcs: { bucket: place, prefix } }),
        environment: (address: string) => ({ STORAGE_EMULATOR_HOST: address }),
        locked: {
          status: 403,
          headers: { "content-type": "application/json" },
          body: JSON.stringify({
            error: {
              code: 403,
              message: `Object is subject to bucket's retention policy and cannot be deleted or overwritten until ${until}`,
              errors: [{ reason: "retentionPolicyNotMet", domain: "global", message: "locked" }]
            }
          })
        }
      }
    } as const

    const prepared = async (name: keyof typeof stores, prefix: string, more: object = {}) => {
      const { endpoint, environment, storage } = stores[name]
      const front = await StoreFront.before(endpoint)
      const workspace = new Workspace()
      workspace.secret("s3-credentials", { accessKey: minio.accessKey, secretKey: minio.secretKey })
      workspace.secret("azure-credentials", { AZURE_STORAGE_KEY: azurite.accountKey })
      const manifest = workspace.manifest("front", {
        kafkaCluster: { bootstrapServers: [kafka.plaintext] },
        topics: [place],
        compression: "none",
        storage: storage(front.address, `${prefix}-${name}`),
        ...more
      })
      const command = (...args: ReadonlyArray<string>) => start(args, environment(front.address))
      return {
        command,
        front,
        manifest,
        async [Symbol.asyncDispose]() {
          workspace[Symbol.dispose]()
          await front[Symbol.asyncDispose]()
        }
      }
    }

    for (const name of ["s3", "azure", "gcs"] as const) {
      it(`goes on when web pages are gone that answered in mid-run: ${name}`, async () => {
        const slow = { rateLimit: { bytesPerSecond: 600_000 }, checkpointIntervalSecs: 1 }
        await using world = await prepared(name, "page", {
          ...slow,
          circuitBreaker: { failureThreshold: 1, resetTimeoutSecs: 2 }
        })
        const { command, front, manifest } = world
        let uploads = 0
        // An ingress while the pod of the store restarts: permission denied, by whom it does not say.
        front.intercept = ({ method }: IncomingMessage) => {
          if (method !== "PUT" && method !== "POST") return undefined
          return ++uploads > 12 && front.answered.length < 3 ? page(403, "403 Forbidden") : undefined
        }
        const run = command("run", ...manifest, "--slot", slot())
        const ended = await run.ended
        assert.strictEqual(ended.code, 0, ended.stderr)
        const report = reportOf(ended)
        assert.strictEqual(report.attempt, 1)
        assert.isAtLeast(front.answered.length, 3)
        assert.include(report.interruptions[0].cause, "although the store answered before")
        const verified = await command("verify", ...manifest, report.backupId, "--deep").ended
        assert.strictEqual(verified.code, 0, verified.stderr)
      })

      it(`names the limit of a proxy's requests in check and in a run: ${name}`, async () => {
        await using world = await prepared(name, "limit")
        const { command, front, manifest } = world
        const small: Intercept = ({ headers }) =>
          Number(headers["content-length"] ?? 0) > MiB ? page(413, "413 Request Entity Too Large") : undefined
        front.intercept = small
        for (const args of [
          ["check", ...manifest],
          ["run", ...manifest, "--slot", slot()]
        ]) {
          const { code, stderr, stdout } = await command(...args).ended
          assert.strictEqual(code, 14, stderr)
          assert.match(stdout + stderr, /refused an object of \d+ bytes \(HTTP 413\)/u)
          assert.include(stdout + stderr, "raise the body limit of the proxy")
        }
        front.intercept = () => undefined
        const checked = await command("check", ...manifest).ended
        assert.strictEqual(checked.code, 0, checked.stdout)
        assert.include(checked.stdout, "takes an object of 64 MiB, as large as a segment")
      })
    }

    for (const name of ["azure", "gcs"] as const) {
      it(`keeps whole what a retention policy locks, and is no failure: ${name}`, async () => {
        await using world = await prepared(name, "worm", { retention: { backups: 1 } })
        const { command, front, manifest } = world
        front.intercept = ({ method }) => (method === "DELETE" ? stores[name].locked : undefined)
        const ids: Array<string> = []
        for (const again of [false, true, true]) {
          const ended = await command("run", ...manifest, "--slot", slot()).ended
          assert.strictEqual(ended.code, 0, ended.stderr)
          const { backupId, notes, retention } = reportOf(ended)
          assert.deepStrictEqual(notes, [])
          assert.deepStrictEqual(
            (retention.locked ?? []).map((locked: { backupId: string }) => locked.backupId),
            again ? ids : []
          )
          if (again && name === "gcs") assert.include(retention.locked[0].why, "locked until 2037-01-01T00:00:00.000Z")
          ids.push(backupId)
        }
        const pruned = await command("prune", ...manifest, "-o", "json").ended
        assert.strictEqual(pruned.code, 0, pruned.stderr)
        assert.strictEqual(JSON.parse(pruned.stdout).locked.length, 2)
        for (const id of ids) {
          const verified = await command("verify", ...manifest, id).ended
          assert.strictEqual(verified.code, 0, verified.stderr)
        }
        const left = new Set(front.answered.flatMap((line) => /preflight\/[^?]*/u.exec(line)?.[0] ?? []))
        assert.strictEqual(left.size, 1, [...left].join(" "))

        front.intercept = () => undefined
        const last = await command("prune", ...manifest, "-o", "json").ended
        assert.strictEqual(last.code, 0, last.stderr)
        assert.deepStrictEqual(JSON.parse(last.stdout).removed, ids.slice(0, 2))
      })
    }

    it("makes backups in a bucket that locks by default, and keeps in sight what retention may not remove yet", async () => {
      const bucket = `${place}-lock`
      await s3.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }))
      await s3.send(
        new PutObjectLockConfigurationCommand({
          Bucket: bucket,
          ObjectLockConfiguration: {
            ObjectLockEnabled: "Enabled",
            Rule: { DefaultRetention: { Mode: "GOVERNANCE", Days: 1 } }
          }
        })
      )
      using workspace = new Workspace()
      workspace.secret("s3-credentials", { accessKey: minio.accessKey, secretKey: minio.secretKey })
      const manifest = workspace.manifest("locked", {
        kafkaCluster: { bootstrapServers: [kafka.plaintext] },
        topics: [place],
        storage: onS3(minio, bucket, "sets"),
        retention: { backups: 1 }
      })
      const first = reportOf(await succeed("run", ...manifest, "--slot", slot()))
      const second = reportOf(await succeed("run", ...manifest, "--slot", slot()))
      // S3 would hide them behind delete markers and call them removed.
      assert.deepStrictEqual([second.retention.removed, second.notes], [[], []])
      assert.deepStrictEqual(
        second.retention.locked.map(({ backupId }: { readonly backupId: string }) => backupId),
        [first.backupId]
      )
      await succeed("verify", ...manifest, second.backupId, "--deep")
      const { stdout } = await succeed("list", ...manifest)
      assert.include(stdout, first.backupId)
      assert.include(stdout, second.backupId)
    })
  }
)
