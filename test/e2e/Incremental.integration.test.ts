import { once } from "node:events"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka, type PartitionDigest, readDump } from "../harness/JavaKafka.ts"
import { RecordDigest } from "../harness/RecordDigest.ts"
import { describeWith } from "../harness/services.ts"
import { exported, onS3, reportOf, start, succeed, Workspace } from "./product.ts"
import { makeRandom, seed } from "./random.ts"
import { createBucket, unique } from "./scenes.ts"

/** How many backups are made one after the other, each on the one before it. */
const slots = 10

const plain = (found: ReadonlyArray<PartitionDigest>) =>
  found.filter(({ records }) => records > 0).map(({ partition, records, sha256 }) => ({ partition, records, sha256 }))

describeWith(
  ["kafka", "kafka3", "versitygw", "java"],
  `Backups that build on one another (seed ${seed})`,
  ({ java: { classpath }, kafka, kafka3, versitygw }) => {
    const prefix = unique("hourly")
    const bucket = unique("hourly")
    const topic = (name: string) => `${prefix}-${name}`
    const workspace = new Workspace()
    let java: JavaKafka
    let places: ReadonlyArray<string>
    const storage = onS3(versitygw, bucket, "sets")

    beforeAll(async () => {
      console.log(`KBO_SEED=${seed} repeats this`)
      java = await JavaKafka.start({ classpath, bootstrap: kafka.plaintext })
      await createBucket(versitygw, bucket)
      workspace.secret("s3-credentials", { accessKey: versitygw.accessKey, secretKey: versitygw.secretKey })
      places = workspace.manifest("hourly", {
        kafkaCluster: { bootstrapServers: [kafka.plaintext] },
        topics: [`${prefix}-*`],
        storage,
        incremental: { enabled: true },
        checkpointIntervalSecs: 1
      })
      await java.createTopics(
        { name: topic("plain"), partitions: 4 },
        { name: topic("transactions"), partitions: 2 },
        { name: topic("deleted") },
        { name: topic("recreated") },
        { name: topic("idle"), partitions: 2 },
        {
          name: topic("compacted"),
          config: {
            "cleanup.policy": "compact",
            "segment.ms": 1000,
            "min.cleanable.dirty.ratio": 0.01,
            "delete.retention.ms": 86_400_000
          }
        }
      )
      await java.load({ topic: topic("plain"), count: 40_000, seed: 1, codec: "rotate", valueBytes: 500 })
      await java.load({ topic: topic("transactions"), count: 4000, seed: 2, transactionEvery: 40, valueBytes: 500 })
      await java.load({ topic: topic("deleted"), count: 3000, seed: 3 })
      await java.load({ topic: topic("recreated"), count: 3000, seed: 4 })
    })
    afterAll(async () => {
      await java?.close()
      workspace[Symbol.dispose]()
    })

    /** What happens to the topics before the backup of the slot. */
    const hour = async (n: number) => {
      await java.load({ topic: topic("plain"), count: 400, seed: n, firstIndex: 40_000 + n * 400, valueBytes: 500 })
      await java.load({ topic: topic("transactions"), count: 120, seed: n, transactionEvery: 40, valueBytes: 500 })
      await java.produce(
        topic("compacted"),
        Array.from({ length: 300 }, (_, i) => ({
          key: `key-${(i + n * 37) % 200}`,
          value: i % 11 === n % 11 ? null : `value ${n} ${i}`
        }))
      )
      if (n === 2) await java.deleteRecords(topic("deleted"), { 0: 1234 })
      if (n === 3) {
        await java.deleteTopics(topic("recreated"))
        await java.createTopics({ name: topic("recreated") })
        // More than there was: only the id tells.
        await java.load({ topic: topic("recreated"), count: 3500, seed: 44 })
      }
      if (n === 4) {
        await java.addPartitions(topic("plain"), 5)
        await java.produce(topic("plain"), [{ partition: 4, key: "first", value: "of a new partition" }])
      }
      if (n === 5) {
        await java.createTopics({ name: topic("new") })
        await java.load({ topic: topic("new"), count: 500, seed: 5 })
      }
      if (n === 6) await java.deleteRecords(topic("deleted"), { 0: 3000 })
    }

    /** The last value of each key, as an independent consumer sees it; deleted keys are left out. */
    const lastInKafka = async (name: string) => {
      const file = join(workspace.folder, "dump")
      await java.dumpTo(file, name)
      const last = new Map<string, string>()
      const text = (bytes: string) => Buffer.from(bytes, "base64").toString()
      for await (const { key, value } of readDump(file)) {
        if (value === null) last.delete(text(key!))
        else last.set(text(key!), text(value))
      }
      return [...last].toSorted()
    }

    /**
     * These topics of the backup from the log's start on: digests by partition, and what a compacted topic says last.
     */
    const inBackup = async (backupId: string, names: ReadonlyArray<string>, deletedBelow: number) => {
      const digests = new Map<string, RecordDigest>()
      const last = new Map<string, string>()
      for (const name of names) {
        const from = name === "deleted" ? deletedBelow : 0
        for await (const record of exported(...places, backupId, "--topic", topic(name), "--from", String(from))) {
          const place = `${record.topic}/${record.partition}`
          const digest = digests.get(place) ?? new RecordDigest()
          digests.set(place, digest)
          digest.add(record)
        }
      }
      for await (const { key, value } of exported(...places, backupId, "--topic", topic("compacted"))) {
        if (value === null) last.delete(String(key))
        else last.set(String(key), String(value))
      }
      return {
        digests: [...digests]
          .map(([place, digest]) => ({ place, records: digest.records, sha256: digest.hex() }))
          .toSorted((one, other) => (one.place < other.place ? -1 : 1)),
        last: [...last].toSorted()
      }
    }

    const inKafka = async (names: ReadonlyArray<string>) =>
      (await java.digest(...names.map(topic)))
        .filter(({ records }) => records > 0)
        .map(({ partition, records, sha256, topic: name }) => ({ place: `${name}/${partition}`, records, sha256 }))
        .toSorted((one, other) => (one.place < other.place ? -1 : 1))

    const assertSame = async (backupId: string, names: ReadonlyArray<string>, deletedBelow: number) => {
      const found = await inBackup(backupId, names, deletedBelow)
      assert.deepStrictEqual(found.digests, await inKafka(names), backupId)
      assert.deepStrictEqual(found.last, await lastInKafka(topic("compacted")), backupId)
    }

    it("hold what Kafka holds, each by itself, and store what is new", async () => {
      const random = makeRandom(seed)
      const reports: Array<any> = []
      const names = ["plain", "transactions", "deleted", "recreated"]
      for (let n = 0; n < slots; n++) {
        if (n > 0) await hour(n)
        if (n === 5) names.push("new")
        const slot = `2026-01-01T${String(n).padStart(2, "0")}:00:00Z`
        if (n === 7) {
          for (let kill = 0; kill < 4; kill++) {
            const { ended, process } = start(["run", ...places, "--slot", slot])
            await Promise.race([ended, once(process.stderr!, "data")])
            await new Promise((resolve) => setTimeout(resolve, random.between(0, 1500)))
            process.kill("SIGKILL")
            await ended
          }
        }
        const report = reportOf(await succeed("run", ...places, "--slot", slot))
        reports.push(report)
        // Where a topic has not changed, the backups before and after say enough.
        const changed = [0, 2, 3, 5, 6, slots - 1].includes(n) ? names : ["plain", "transactions"]
        await assertSame(report.backupId, changed, n >= 6 ? 3000 : n >= 2 ? 1234 : 0)
        if (n === 4 || n === slots - 1) await succeed("verify", ...places, report.backupId, "--deep")
      }
      const [first, ...others] = reports
      for (const [i, report] of others.entries()) {
        assert.strictEqual(report.base, reports[i].backupId, `slot ${i + 1}`)
        const { newRecords, newStoredBytes, records, storedBytes } = report.totals
        const reread = i + 1 === 3 ? 3500 : 0
        assert.isAtMost(newRecords, 1400 + reread, `slot ${i + 1}: of ${records}`)
        if (reread === 0) assert.isBelow(newStoredBytes, storedBytes / 10, `slot ${i + 1}`)
      }
      assert.deepStrictEqual(
        first.readInFull.map(({ reason }: { readonly reason: string }) => reason),
        ["NoEarlierBackup"]
      )
      const why = (n: number) =>
        (reports[n].readInFull ?? []).map(({ reason }: { readonly reason: string }) => reason).toSorted()
      assert.deepStrictEqual([2, 3, 4, 5, 8].map(why), [[], ["TopicRecreated"], ["PartitionNew"], ["TopicNew"], []])
      const described = await succeed("describe", ...places, reports[3].backupId)
      assert.match(described.stdout, new RegExp(`\\nBuilds on +${reports[2].backupId}\\n`))
      assert.match(described.stdout, /\nNew records +[\d,]+ of [\d,]+\n/)
      assert.match(described.stdout, /read in full: the topic was deleted and created again/)
      const listed = JSON.parse((await succeed("list", ...places, "-o", "json")).stdout)
      assert.deepStrictEqual(
        listed.map(({ newRecords }: { readonly newRecords: number }) => newRecords),
        reports.map(({ totals }) => totals.newRecords)
      )
      await succeed("prune", ...places, "--keep", "1")
      await succeed("verify", ...places, reports.at(-1).backupId, "--deep")

      await using there = await JavaKafka.start({ classpath, bootstrap: kafka3.bootstrap })
      const restore = workspace.manifest(
        "last",
        {
          backupId: reports.at(-1).backupId,
          targetCluster: { bootstrapServers: kafka3.bootstrap.split(",") },
          storage,
          topics: names.filter((name) => name !== "deleted").map(topic)
        },
        "KafkaRestore"
      )
      await succeed("restore", ...restore)
      for (const name of names.filter((one) => one !== "deleted")) {
        assert.deepStrictEqual(plain(await there.digest(topic(name))), plain(await java.digest(topic(name))), name)
      }
    }, 900_000)
  }
)
