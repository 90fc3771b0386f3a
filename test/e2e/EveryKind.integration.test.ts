import { afterAll, assert, beforeAll, it } from "vitest"
import type { S3Store } from "../../scripts/services/ObjectStores.ts"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { exportTopic, onS3, onVolume, reportOf, succeed, Workspace } from "./product.ts"
import { createBucket, eventually, everyKind, unique } from "./scenes.ts"

describeWith(["kafka", "versitygw", "minio", "java"], "A backup of every kind of topic from real Kafka", (services) => {
  const prefix = unique("every")
  let java: JavaKafka
  let topics: ReadonlyArray<string>
  let expected: ReadonlyArray<PartitionDigest>

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
    topics = await everyKind(java, prefix)
    const compacted = `${prefix}-compacted`
    await eventually("the broker compacts", async () => {
      const [partition] = await java.digest(compacted)
      return partition!.records < 6500
    })
    // Compaction would go on between our reading and the consumer's: from here on the log stays as it is.
    await java.alterTopic(compacted, { "cleanup.policy": "delete", "segment.ms": 604800000 })
    expected = await java.digest(...topics)
  })
  afterAll(() => java?.close())

  const holdsAll = async (spec: object, workspace: Workspace) => {
    const places = workspace.manifest("every", {
      kafkaCluster: { bootstrapServers: [services.kafka.plaintext] },
      topics: [`${prefix}-*`],
      ...spec
    })
    const report = reportOf(await succeed("run", ...places))
    assert.strictEqual(
      report.totals.records,
      expected.reduce((n, p) => n + p.records, 0)
    )
    assert.deepStrictEqual(
      report.openTransactions.map((held: { topic: string }) => held.topic),
      [`${prefix}-transactions`]
    )
    await succeed("verify", ...places, report.backupId, "--deep")
    for (const topic of topics) {
      const found = await exportTopic(places, report.backupId, topic)
      assert.deepStrictEqual(
        found.map(({ partition, records, sha256 }) => ({ partition, records, sha256 })),
        expected
          .filter((digest) => digest.topic === topic && digest.records > 0)
          .map(({ partition, records, sha256 }) => ({ partition, records, sha256 })),
        topic
      )
    }
  }

  for (const compression of ["zstd", "lz4", "none"] as const) {
    it(`equals an independent consumer's records on a volume, stored with ${compression}`, async () => {
      using workspace = new Workspace()
      await holdsAll({ storage: onVolume, compression }, workspace)
    })
  }

  it("equals them with headers added by the backup, which export leaves out", async () => {
    using workspace = new Workspace()
    await holdsAll({ storage: onVolume, includeOffsetHeaders: true, sourceClusterId: "here" }, workspace)
  })

  const servers: ReadonlyArray<readonly [string, S3Store]> = [
    ["versitygw", services.versitygw],
    ["MinIO", services.minio]
  ]
  for (const [name, store] of servers) {
    it(`equals them in a bucket of ${name}`, async () => {
      using workspace = new Workspace()
      workspace.secret("s3-credentials", { accessKey: `${store.accessKey}\n`, secretKey: store.secretKey })
      await createBucket(store, prefix)
      await holdsAll({ storage: onS3(store, prefix, "some/prefix") }, workspace)
    })
  }
})
