import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { kafkaBackup, onS3, reportOf, succeed, Workspace } from "./product.ts"
import { createBucket, unique } from "./scenes.ts"

describeWith(
  ["kafka", "versitygw", "java"],
  "verify --against-cluster",
  ({ java: { classpath }, kafka, versitygw }) => {
    const bucket = unique("compared")
    const topic = unique("compared")
    const workspace = new Workspace()
    let java: JavaKafka

    beforeAll(async () => {
      await createBucket(versitygw, bucket)
      workspace.secret("s3-credentials", { accessKey: versitygw.accessKey, secretKey: versitygw.secretKey })
      java = await JavaKafka.start({ classpath, bootstrap: kafka.plaintext })
    })
    afterAll(async () => {
      await java.close()
      workspace[Symbol.dispose]()
    })

    it("compares a backup with the live topics, record by record, as far as Kafka has them", async () => {
      await java.createTopics({ name: topic, partitions: 2 })
      await java.load({ topic, count: 2000, seed: 6, codec: "rotate", transactionEvery: 40 })
      const files = workspace.manifest("compared", {
        kafkaCluster: { bootstrapServers: [kafka.plaintext] },
        topics: [topic],
        storage: onS3(versitygw, bucket, "sets")
      })
      const { backupId, totals } = reportOf(await succeed("run", ...files, "--slot", "2026-11-28T00:00:00Z"))
      const verify = ["verify", ...files, backupId, "--against-cluster", "-o", "json"]
      const compare = async () => JSON.parse((await succeed(...verify)).stdout).cluster
      const equal = (found: ReadonlyArray<{ readonly equal: number }>) => found.reduce((n, one) => n + one.equal, 0)

      assert.isAbove(totals.records, 0)
      assert.strictEqual(equal(await compare()), totals.records)

      await java.deleteRecords(topic, { 0: 500 })
      const [first, second] = await compare()
      assert.deepStrictEqual([first.from, first.differing, second.differing], [500, 0, 0])
      assert.deepStrictEqual(first.notes, ["Kafka has deleted offsets 0-499"])
      assert.strictEqual(equal([first, second]) + first.removed, totals.records)
      assert.isBelow(equal([first, second]), totals.records)

      await java.deleteTopics(topic)
      await java.createTopics({ name: topic, partitions: 2 })
      const nothing = await kafkaBackup(...verify)
      assert.strictEqual(nothing.code, 17, nothing.stderr)
      assert.match(nothing.stderr, /NothingToCompare/)
      const [again] = JSON.parse(nothing.stdout).cluster
      assert.match(again.notes[0], /^topic \S+ was deleted and created again/)
    }, 300_000)
  }
)
