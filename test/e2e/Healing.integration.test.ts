import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { RecordDigest } from "../harness/RecordDigest.ts"
import { strangersRecords } from "../harness/StrangersReader.ts"
import { exportTopic, kafkaBackup, onS3, reportOf, succeed, Workspace } from "./product.ts"
import { createBucket, deleteObjects, objectReader, putObject, unique } from "./scenes.ts"

const exitCodeOfDamage = 16
const prefix = "sets"

/** The records of a partition. */
interface Held {
  readonly topic: string
  readonly partition: number
  readonly records: number
  readonly sha256: string
}

describeWith(
  ["kafka", "kafka3", "versitygw", "java"],
  "Backups that share a damaged object",
  ({ java: { classpath }, kafka, kafka3, versitygw }) => {
    const stem = unique("healed")
    const topics = ["plain", "transactions"].map((name) => `${stem}-${name}`)
    const [plain, transactions] = topics as [string, string]
    const workspace = new Workspace()
    const storage = onS3(versitygw, stem, prefix)
    const read = objectReader(versitygw, stem, prefix)
    /** What Kafka's own consumer read when each backup was made. */
    const seen = new Map<string, ReadonlyArray<Held>>()
    let java: JavaKafka
    let files: ReadonlyArray<string>

    /** How the next backups are compressed. */
    const compress = (compression: string) => {
      files = workspace.manifest("healed", {
        kafkaCluster: { bootstrapServers: [kafka.plaintext] },
        topics: [`${stem}-*`],
        storage,
        compression
      })
    }

    beforeAll(async () => {
      workspace.secret("s3-credentials", { accessKey: versitygw.accessKey, secretKey: versitygw.secretKey })
      await createBucket(versitygw, stem)
      java = await JavaKafka.start({ classpath, bootstrap: kafka.plaintext })
      await java.createTopics(...topics.map((name) => ({ name, partitions: 2 })))
      compress("zstd")
    })
    afterAll(async () => {
      await java.close()
      workspace[Symbol.dispose]()
    })

    const consumed = async (cluster: JavaKafka): Promise<ReadonlyArray<Held>> =>
      (await cluster.digest(...topics))
        .filter(({ records }) => records > 0)
        .map(({ partition, records, sha256, topic }) => ({ topic, partition, records, sha256 }))

    const exported = async (backupId: string): Promise<ReadonlyArray<Held>> => {
      const all = topics.map(async (topic) =>
        (await exportTopic(files, backupId, topic)).map(({ partition, records, sha256 }) => ({
          topic,
          partition,
          records,
          sha256
        }))
      )
      return (await Promise.all(all)).flat()
    }

    /** What a program reads that knows the page of the format alone. */
    const strangers = async (backupId: string): Promise<ReadonlyArray<Held>> => {
      const found = new Map<string, Omit<Held, "records" | "sha256"> & { readonly digest: RecordDigest }>()
      for await (const record of strangersRecords(read, backupId)) {
        const { partition, topic } = record
        const place = `${topic}/${partition}`
        const held = found.get(place) ?? { topic, partition, digest: new RecordDigest() }
        found.set(place, held)
        held.digest.add(record)
      }
      return [...found.values()].map(({ digest, partition, topic }) => ({
        topic,
        partition,
        records: digest.records,
        sha256: digest.hex()
      }))
    }

    /** The report of the backup of the n-th hour, before which records came. */
    const backUp = async (n: number) => {
      await java.load({ topic: plain, count: 3000, seed: n, firstIndex: 3000 * n, codec: "rotate", valueBytes: 300 })
      await java.load({ topic: transactions, count: 1200, seed: n, firstIndex: 1200 * n, transactionEvery: 40 })
      const report = reportOf(await succeed("run", ...files, "--slot", `2026-01-01T0${n}:00:00Z`))
      seen.set(report.backupId, await consumed(java))
      return report
    }

    /** The first segment of a partition, as the manifest has it. */
    const firstSegment = async (backupId: string, topic: string, partition: number) => {
      const manifest = JSON.parse((await read(`${backupId}/manifest.json`))!.toString())
      const { partitions } = manifest.topics.find(({ name }: { readonly name: string }) => name === topic)
      return partitions.find((one: any) => one.partition_id === partition).segments[0]
    }

    const damaged = async () =>
      JSON.parse((await succeed("list", ...files, "-o", "json")).stdout)
        .filter(({ state }: { readonly state: string }) => state === "damaged")
        .map(({ backupId }: { readonly backupId: string }) => backupId)

    const assertWhole = async (...ids: ReadonlyArray<string>) => {
      for (const id of ids) {
        await succeed("verify", ...files, id, "--deep")
        assert.sameDeepMembers([...(await strangers(id))], [...seen.get(id)!], id)
      }
      const newest = ids.at(-1)!
      assert.sameDeepMembers([...(await exported(newest))], [...seen.get(newest)!], newest)
    }

    it("are all whole again when the next one has made the same bytes from Kafka", async () => {
      for (const n of [0, 1, 2]) await backUp(n)
      const ids = [...seen.keys()]
      const last = ids.at(-1)!
      const lost = await firstSegment(last, plain, 0)
      const altered = await firstSegment(last, transactions, 1)
      for (const { key } of [lost, altered]) assert.isTrue(key.startsWith(`${ids[0]}/`), "the first one holds it")
      await deleteObjects(versitygw, stem, [`${prefix}/${lost.key}`])
      const bytes = (await read(altered.key))!
      await putObject(versitygw, stem, `${prefix}/${altered.key}`, bytes.with(500, bytes[500]! ^ 1))
      const marked = await kafkaBackup("verify", ...files, last, "--deep", "--mark")
      assert.strictEqual(marked.code, exitCodeOfDamage, marked.stderr)
      assert.sameMembers(await damaged(), ids)

      // As they were compressed then, whatever is wanted now.
      compress("lz4")
      const report = await backUp(3)
      assert.strictEqual(report.base, last)
      assert.sameDeepMembers(
        report.healed.map(({ isPutBack, key }: any) => [key, isPutBack]),
        [
          [lost.key, true],
          [altered.key, true]
        ]
      )
      assert.deepStrictEqual(await damaged(), [])
      assert.deepStrictEqual(await read(altered.key), bytes)
      await assertWhole(...ids, report.backupId)

      await using there = await JavaKafka.start({ classpath, bootstrap: kafka3.bootstrap })
      const restore = workspace.manifest(
        "restored",
        { backupId: report.backupId, targetCluster: { bootstrapServers: kafka3.bootstrap.split(",") }, storage },
        "KafkaRestore"
      )
      await succeed("restore", ...restore)
      assert.deepStrictEqual(await consumed(there), seen.get(report.backupId))
    }, 900_000)

    it("stay damaged where Kafka has only a part of it, and the next one holds that part", async () => {
      const earlier = [...seen.keys()]
      const lost = await firstSegment(earlier.at(-1)!, plain, 1)
      const middle = Math.floor((lost.start_offset + lost.end_offset) / 2)
      await java.deleteRecords(plain, { 1: middle })
      await deleteObjects(versitygw, stem, [`${prefix}/${lost.key}`])

      const report = await backUp(4)
      assert.deepStrictEqual(
        report.healed.map(({ isPutBack, key }: any) => [key, isPutBack]),
        [[lost.key, false]]
      )
      assert.sameMembers(await damaged(), earlier)
      assert.strictEqual((await firstSegment(report.backupId, plain, 1)).start_offset, middle)
      await assertWhole(report.backupId)
    }, 900_000)
  }
)
