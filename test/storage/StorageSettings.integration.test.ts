import { randomUUID } from "node:crypto"
import { join } from "node:path"
import {
  CreateBucketCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  S3Client
} from "@aws-sdk/client-s3"
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob"
import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { afterAll, beforeAll } from "vitest"
import * as Cache from "../../scripts/services/Cache.ts"
import { Fleet } from "../../scripts/services/Fleet.ts"
import * as ObjectStores from "../../scripts/services/ObjectStores.ts"
import * as AzureObjectStore from "../../src/storage/AzureObjectStore.ts"
import * as Requests from "../../src/storage/cloud/Requests.ts"
import * as GcsObjectStore from "../../src/storage/GcsObjectStore.ts"
import type { ObjectKey } from "../../src/storage/ObjectStore.ts"
import { isLocked, lockedText } from "../../src/storage/ObjectStoreError.ts"
import * as S3ObjectStore from "../../src/storage/S3ObjectStore.ts"
import type { S3Target } from "../../src/storage/StorageTarget.ts"
import { onS3, reportOf, succeed, Workspace } from "../e2e/product.ts"
import { unique } from "../e2e/scenes.ts"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"

const key = (text: string) => text as ObjectKey
const content = Buffer.from("a segment")
const kmsKey = "kafka-backup-key"

describeWith(
  ["kafka", "java", "minio", "azurite", "fakegcs"],
  "Settings for stored objects on real stores",
  (services) => {
    const { azurite, fakegcs, java: tools, kafka } = services
    let fleet: Fleet
    let minio: ObjectStores.S3Store
    let admin: S3Client
    const locked = `locked-${randomUUID()}`
    const plain = `plain-${randomUUID()}`

    beforeAll(async () => {
      fleet = new Fleet()
      minio = await ObjectStores.minio(fleet, join(Cache.minio, "minio"), {
        MINIO_KMS_SECRET_KEY: `${kmsKey}:${Buffer.alloc(32, 7).toString("base64")}`
      })
      const { accessKey, endpoint, region, secretKey } = minio
      const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey }
      admin = new S3Client({ endpoint, region, forcePathStyle: true, credentials })
      await admin.send(new CreateBucketCommand({ Bucket: locked, ObjectLockEnabledForBucket: true }))
      await admin.send(new CreateBucketCommand({ Bucket: plain }))
    }, 120_000)
    afterAll(() => {
      admin?.destroy()
      return fleet?.stop()
    })

    const open = (bucket: string, settings: Partial<S3Target>) =>
      Effect.suspend(() =>
        S3ObjectStore.open({
          _tag: "S3",
          bucket,
          region: minio.region,
          endpoint: minio.endpoint,
          credentials: {
            accessKeyId: Redacted.make(minio.accessKey),
            secretAccessKey: Redacted.make(minio.secretKey),
            origin: { secret: "s3-credentials", keys: ["accessKey", "secretKey"] }
          },
          ...settings
        })
      )

    it.live("MinIO encrypts with the key, and has class, tags and lock as they were asked for", () =>
      Effect.gen(function* () {
        const store = yield* open(locked, {
          encryption: { algorithm: "aws:kms", kmsKeyId: kmsKey },
          storageClass: "REDUCED_REDUNDANCY",
          lock: { mode: "GOVERNANCE", days: 2 },
          tags: { team: "data platform", "kafka/cluster": "a+b" },
          requesterPays: true
        })
        yield* store.put(key("trial"), [content], { role: "trial" })
        yield* store.put(key("data"), [content], { role: "data" })
        yield* store.put(key("bookkeeping"), [content])
        const head = (name: string) =>
          Effect.promise(() => admin.send(new HeadObjectCommand({ Bucket: locked, Key: name })))
        const data = yield* head("data")
        assert.strictEqual(data.ServerSideEncryption, "aws:kms")
        assert.include(data.SSEKMSKeyId, kmsKey)
        assert.strictEqual(data.StorageClass, "REDUCED_REDUNDANCY")
        assert.strictEqual(data.ObjectLockMode, "GOVERNANCE")
        assert.closeTo(data.ObjectLockRetainUntilDate?.getTime() ?? 0, Date.now() + 2 * 86_400_000, 60_000)
        const bookkeeping = yield* head("bookkeeping")
        assert.strictEqual(bookkeeping.ServerSideEncryption, "aws:kms")
        assert.isUndefined(bookkeeping.ObjectLockRetainUntilDate)
        const { TagSet = [] } = yield* Effect.promise(() =>
          admin.send(new GetObjectTaggingCommand({ Bucket: locked, Key: "data" }))
        )
        assert.sameDeepMembers(TagSet, [
          { Key: "team", Value: "data platform" },
          { Key: "kafka/cluster", Value: "a+b" }
        ])
        assert.deepStrictEqual(Buffer.from(yield* store.get(key("data"))), content)
        assert.isTrue(isLocked(yield* Effect.flip(store.delete(key("data"), { role: "data" }))))
        // Whatever the target asks for: the bucket says that it locks, and the object that it is locked.
        const other = yield* open(locked, {})
        assert.isTrue(isLocked(yield* Effect.flip(other.delete(key("data"), { role: "data" }))))
        yield* Effect.promise(() =>
          admin.send(new PutObjectLegalHoldCommand({ Bucket: locked, Key: "bookkeeping", LegalHold: { Status: "ON" } }))
        )
        const held = yield* Effect.flip(other.delete(key("bookkeeping"), { role: "data" }))
        assert.strictEqual(lockedText(held), "locked by a hold")
        yield* store.delete(key("bookkeeping"))
        assert.include(yield* store.afterlife!, "noncurrent versions")
        yield* store.rehearse!(key("rehearsed"), [Buffer.alloc(6 * 1024 * 1024, 7)])
        const { Versions: rehearsed = [] } = yield* Effect.promise(() =>
          admin.send(new ListObjectVersionsCommand({ Bucket: locked, Prefix: "rehearsed" }))
        )
        assert.deepStrictEqual(rehearsed, [], "nothing of it was stored, not even a version")
        const free = yield* open(plain, {})
        yield* free.put(key("data"), [content], { role: "data" })
        yield* free.delete(key("data"), { role: "data" })
        assert.isUndefined(yield* free.afterlife!)
      })
    )

    it.live("MinIO refuses a class, a key and a lock that it has not, and the refusal says what to correct", () =>
      Effect.gen(function* () {
        for (const [settings, advice] of [
          [{ storageClass: "STANDARD_IA" }, "choose a storage class"],
          [{ encryption: { algorithm: "aws:kms", kmsKeyId: "no-such-key" } }, "serverSideEncryption.kmsKeyId"],
          [{ lock: { mode: "COMPLIANCE", days: 1 } }, "enable object lock"]
        ] as const) {
          const store = yield* open(plain, settings)
          const error = yield* Effect.flip(store.put(key("a"), [content], { role: "trial" }))
          assert.strictEqual(error.reason._tag, "Misconfigured", error.message)
          assert.include(error.advice, advice, error.message)
        }
      })
    )

    it.live("Azurite has the tier that was asked for", () =>
      Effect.gen(function* () {
        const { accountKey, accountName, endpoint } = azurite
        const container = `settings-${randomUUID()}`
        const client = new ContainerClient(
          `${endpoint}/${container}`,
          new StorageSharedKeyCredential(accountName, accountKey)
        )
        yield* Effect.promise(() => client.create())
        const origin = { secret: "azure-credentials", keys: ["AZURE_STORAGE_KEY"] }
        const store = yield* AzureObjectStore.open({
          _tag: "Azure",
          accountName,
          container,
          endpoint,
          credentials: { _tag: "AccountKey", accountKey: Redacted.make(accountKey), origin },
          accessTier: "Cool",
          tags: { team: "data" }
        })
        yield* store.put(key("trial"), [content], { role: "trial" })
        // Of two blocks.
        yield* store.put(key("large"), [Buffer.alloc(9 * 1024 * 1024)], { role: "data" })
        for (const name of ["trial", "large"]) {
          const { accessTier, tagCount } = yield* Effect.promise(() => client.getBlobClient(name).getProperties())
          assert.deepStrictEqual([accessTier, tagCount], ["Cool", 1], name)
        }
      })
    )

    it.live("fake-gcs-server has the class that was asked for", () =>
      Effect.gen(function* () {
        const bucket = `settings-${randomUUID()}`
        yield* Effect.promise(() =>
          fetch(`${fakegcs.endpoint}/storage/v1/b?project=test`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ name: bucket })
          })
        )
        const env = { STORAGE_EMULATOR_HOST: fakegcs.endpoint }
        const store = yield* GcsObjectStore.open(
          { _tag: "Gcs", bucket, storageClass: "COLDLINE" },
          Requests.timeOuts,
          env
        )
        yield* store.put(key("trial"), [content], { role: "trial" })
      })
    )

    it("A bucket that locks by its default keeps backups whole, in sight, and lets them go after the lock", async () => {
      const place = unique("lock")
      const java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
      try {
        await java.createTopics({ name: place, partitions: 1 })
        await java.load({ topic: place, count: 50, seed: 7, codec: "none", valueBytes: 100 })
      } finally {
        await java.close()
      }
      await admin.send(
        new PutObjectLockConfigurationCommand({
          Bucket: locked,
          ObjectLockConfiguration: {
            ObjectLockEnabled: "Enabled",
            Rule: { DefaultRetention: { Mode: "GOVERNANCE", Days: 2 } }
          }
        })
      )
      using workspace = new Workspace()
      workspace.secret("s3-credentials", { accessKey: minio.accessKey, secretKey: minio.secretKey })
      const { s3, storageType } = onS3(minio, locked, "sets")
      const spec = (more: object) => ({
        kafkaCluster: { bootstrapServers: [kafka.plaintext] },
        topics: [place],
        storage: { storageType, s3: { ...s3, ...more } },
        incremental: { enabled: false },
        retention: { backups: 1 }
      })
      const asked = workspace.manifest("locked", spec({ objectLock: { mode: "GOVERNANCE", days: 3 } }))
      const { stdout } = await succeed("check", ...asked)
      assert.include(stdout, "stores data as the resource says (objectLock GOVERNANCE for 3 days)")
      const first = reportOf(await succeed("run", ...asked, "--slot", "2026-11-24T13:00:00Z"))

      // The resource asks for no lock any more: what is locked stays so, and new objects are by the bucket's default.
      const manifest = workspace.manifest("locked", spec({}))
      await succeed("check", ...manifest)
      const second = reportOf(await succeed("run", ...manifest, "--slot", "2026-11-24T14:00:00Z"))
      assert.deepStrictEqual(second.retention.removed, [])
      assert.strictEqual(second.retention.locked[0].backupId, first.backupId)
      assert.match(second.retention.locked[0].why, /^locked until \d{4}-\d\d-\d\dT/u)
      const planned = await succeed("prune", ...manifest, "--dry-run")
      assert.match(planned.stdout, new RegExp(`${first.backupId} would stay: the store keeps it locked until`, "u"))
      const kept = await succeed("prune", ...manifest)
      assert.match(
        kept.stdout,
        new RegExp(`${first.backupId} is not removed yet: the store keeps it locked until`, "u")
      )
      assert.match((await succeed("describe", ...manifest, second.backupId)).stdout, /^In the store +locked until \d/mu)
      await succeed("verify", ...manifest, first.backupId)

      const versionsBelow = async (prefix: string) => {
        const { DeleteMarkers = [], Versions = [] } = await admin.send(
          new ListObjectVersionsCommand({ Bucket: locked, Prefix: `sets/${prefix}` })
        )
        return { markers: DeleteMarkers, versions: Versions }
      }
      const { markers, versions } = await versionsBelow(`${first.backupId}/`)
      assert.deepStrictEqual(
        markers.filter(({ Key = "" }) => !Key.includes("/checkpoint/")).map(({ Key }) => Key),
        [],
        "nothing of the set was hidden"
      )
      const bookkeeping = await versionsBelow("_kafka-backup/locks/")
      assert.isNotEmpty(bookkeeping.markers, "bookkeeping goes, locked or not")
      const preflight = await versionsBelow("_kafka-backup/preflight/")
      assert.isBelow(Math.max(...preflight.versions.map(({ Size = 0 }) => Size)), 1024, "no check left a large object")

      // Somebody who may bypass the lock ends it: nobody waits three days here.
      for (const { Key, VersionId } of versions) {
        await admin.send(
          new PutObjectRetentionCommand({
            Bucket: locked,
            Key,
            VersionId,
            BypassGovernanceRetention: true,
            Retention: {}
          })
        )
      }
      const { exitCode = 0, ...pruned } = JSON.parse((await succeed("prune", ...manifest, "-o", "json")).stdout)
      assert.deepStrictEqual([pruned.removed, pruned.locked, exitCode], [[first.backupId], [], 0])
      assert.include(pruned.afterlife, "noncurrent versions")
      assert.isTrue(
        (await versionsBelow(`${first.backupId}/`)).markers.some(({ Key = "" }) => Key.endsWith("manifest.json"))
      )
    }, 240_000)
  }
)
