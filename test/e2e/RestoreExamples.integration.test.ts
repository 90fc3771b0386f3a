import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { CreateBucketCommand, DeleteObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3"
import { afterAll, assert, beforeAll, it } from "vitest"
import { parse, stringify } from "yaml"
import { JavaKafka, readDump } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { restoreSamples } from "../resource/samples.ts"
import { reportOf, start, Workspace } from "./product.ts"

/*
 * The samples of restores, as their users run them: only addresses differ. The backup that they name is made from one
 * cluster, and each of them is restored into another one.
 */

const backupId = "shop-20260301-020000"
const topics = ["orders", "invoices"]
const groups = ["billing", "shipping", "mailer"]
/** Where the samples look for the backup. */
const places = [
  { bucket: "shop-backups" },
  { bucket: "shop-backups", prefix: "nightly" },
  { bucket: "shop-backups-replica", prefix: "eu-central-1" }
]
/** The point in time of one of them, and records of half a minute's distance around it. */
const cut = Date.parse("2026-03-01T01:15:00Z")
const count = 40
const timestampOf = (index: number) => cut + (index - count / 2) * 30_000

describeWith(["kafka", "kafkaSecurity", "kafka3", "minio", "java"], "The samples of restores", (services) => {
  const { kafka, kafka3, minio } = services
  const { security } = kafka
  const workspace = new Workspace()
  let there: JavaKafka
  let here: JavaKafka

  const succeed = async (...args: ReadonlyArray<string>) => {
    const env = {
      AWS_ACCESS_KEY_ID: minio.accessKey,
      AWS_SECRET_ACCESS_KEY: minio.secretKey,
      // The authority of the system, which signed the brokers' certificates.
      NODE_EXTRA_CA_CERTS: security.caPem
    }
    const ended = await start(args, env).ended
    assert.strictEqual(ended.code, 0, `kafka-backup ${args.join(" ")}\n${ended.stderr}\n${ended.stdout.slice(-2000)}`)
    return ended
  }

  /** Writes the sample with other addresses, and gives the arguments that name it. */
  const adapted = (name: string): ReadonlyArray<string> => {
    const sample = parse(restoreSamples.find((one) => one.name === `restore-${name}.yaml`)!.text)
    const { securityProtocol } = sample.spec.targetCluster
    sample.spec.targetCluster.bootstrapServers = [securityProtocol === undefined ? kafka.plaintext : security.saslSsl]
    sample.spec.storage.s3.endpoint = minio.endpoint
    const file = join(workspace.folder, `${name}.yaml`)
    writeFileSync(file, stringify(sample))
    return ["-f", file, ...workspace.places]
  }

  /** Nothing of these names is in the target. */
  const cleared = async (...more: ReadonlyArray<string>) => here.deleteTopics(...topics, ...more)

  /** The groups of the samples are not in the target. */
  const withoutGroups = async () => {
    for (const group of groups)
      await here.deleteGroup(group).catch((error: unknown) => {
        if (!/GroupIdNotFound/.test(String(error))) throw error
      })
  }

  const endsOf = async (java: JavaKafka, ...names: ReadonlyArray<string>) => {
    const found = await java.offsets(...names)
    return names.map((name) => found[name]!.map(({ end, start: first }) => [first, end]))
  }

  beforeAll(async () => {
    here = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: kafka.plaintext })
    there = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: kafka3.bootstrap })
    await there.deleteTopics(...topics)
    for (const name of topics) {
      await there.createTopics({ name, replicas: 1, config: { "min.insync.replicas": "2" } })
      const records = Array.from({ length: count }, (_, index) => ({
        partition: 0,
        key: `k${index}`,
        value: `${name} ${index}`,
        timestamp: timestampOf(index)
      }))
      await there.produce(name, records)
    }
    for (const [at, group] of groups.entries()) await there.commitOffsets(group, { orders: { 0: 10 + at } })
    const client = new S3Client({
      endpoint: minio.endpoint,
      region: minio.region,
      forcePathStyle: true,
      credentials: { accessKeyId: minio.accessKey, secretAccessKey: minio.secretKey }
    })
    for (const Bucket of new Set(places.map(({ bucket }) => bucket))) {
      await client.send(new CreateBucketCommand({ Bucket })).catch((error: Error) => {
        if (!error.name.startsWith("BucketAlready")) throw error
      })
      // Of an earlier round of these tests: a run makes its backup once.
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }))
      for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket, Key }))
    }
    client.destroy()
    for (const place of places) {
      const spec = {
        kafkaCluster: { bootstrapServers: kafka3.bootstrap.split(",") },
        topics,
        sourceClusterId: "shop-eu-central-1",
        storage: { storageType: "s3", s3: { ...place, region: minio.region, endpoint: minio.endpoint } }
      }
      const named = workspace.manifest("shop", spec)
      const made = reportOf(await succeed("run", ...named, "--slot", "2026-03-01T02:00:00Z"))
      assert.strictEqual(made.backupId, backupId)
    }
    for (const name of ["kafka-credentials", "dr-kafka-credentials"])
      workspace.secret(name, { username: "backup", password: security.users.backup })
  })
  afterAll(async () => {
    await cleared("staging-orders", "staging-invoices")
    await withoutGroups()
    await Promise.all([here?.close(), there?.close()])
    workspace[Symbol.dispose]()
  })

  it("1, the whole backup, restores every record at its old offset", async () => {
    await cleared()
    await succeed("restore", ...adapted("simple"))
    const plain = async (java: JavaKafka) =>
      (await java.digest(...topics)).map(({ sha256, start: first, topic }) => ({ topic, first, sha256 }))
    assert.deepStrictEqual(await plain(here), await plain(there))
  })

  it("2, before the bad deploy, restores the records until then, with their original offsets in headers", async () => {
    await cleared()
    await succeed("restore", ...adapted("before-the-bad-deploy"))
    const kept = count / 2 + 1
    assert.deepStrictEqual(await endsOf(here, ...topics), [[[0, kept]], [[0, kept]]])
    const file = join(workspace.folder, "dump.jsonl")
    assert.strictEqual(await here.dumpTo(file, "orders"), kept)
    for await (const { headers, timestamp } of readDump(file)) {
      assert.isAtMost(timestamp, cut)
      assert.sameMembers(
        headers.map(([name]) => Buffer.from(name, "base64").toString()),
        ["x-original-offset", "x-original-timestamp", "x-source-partition"]
      )
    }
  })

  it.each([
    ["3, with groups", "with-groups", groups],
    ["5, in another region", "other-region", ["billing", "shipping"]]
  ])("%s, continues the groups at their next records", async (_, name, names) => {
    await cleared()
    await withoutGroups()
    await succeed("restore", ...adapted(name))
    assert.deepStrictEqual(await endsOf(here, ...topics), [[[0, count]], [[0, count]]])
    for (const group of names) assert.deepStrictEqual(await here.groupOffsets(group), await there.groupOffsets(group))
  })

  it("4, into staging, restores under the other names alone", async () => {
    await cleared("staging-orders", "staging-invoices")
    const { stdout } = await succeed("restore", ...adapted("into-staging"))
    assert.match(stdout, /get min\.insync\.replicas 1 instead of the 2 of the backup: .*staging-orders/)
    assert.deepStrictEqual(await endsOf(here, "staging-orders", "staging-invoices"), [[[0, count]], [[0, count]]])
  })
})
