import { once } from "node:events"
import { afterAll, assert, beforeAll, it } from "vitest"
import { type Acl, JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { kafkaBackup, onVolume, reportOf, start, succeed, Workspace } from "./product.ts"
import { makeRandom, seed } from "./random.ts"
import { eventually, unique } from "./scenes.ts"

/** How often a restore is ended on its way: 8 in CI; `npm run soak` does 50. */
const points = Number(process.env["KBO_KILLS"] ?? 8)

/** How often two attempts of a restore work at once: 3 in CI; `npm run soak` does 10. */
const overlaps = Number(process.env["KBO_OVERLAPS"] ?? 3)

/** Records of 2017: their brokers would remove them at the first opportunity. */
const long = 1_500_000_000_000

describeWith(
  ["kafka", "kafkaSecurity", "kafka3", "java"],
  `A restore that is disturbed (seed ${seed}, ${points} points)`,
  (services) => {
    const topic = unique("disturbed")
    const workspace = new Workspace()
    let java: JavaKafka
    let there: JavaKafka
    let expected: ReadonlyArray<PartitionDigest>
    let backupId: string

    beforeAll(async () => {
      java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
      there = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka3.bootstrap })
      await java.createTopics({ name: topic, partitions: 3 })
      await java.load({ topic, count: 12_000, seed: 21, codec: "rotate", firstTimestamp: long })
      await java.load({ topic, count: 600, seed: 22, transactionEvery: 20, firstIndex: 12_000, firstTimestamp: long })
      await java.deleteRecords(topic, { 1: 500 })
      expected = await java.digest(topic)
      const places = workspace.manifest("disturbed", {
        kafkaCluster: { bootstrapServers: [services.kafka.plaintext] },
        topics: [topic],
        storage: onVolume
      })
      backupId = reportOf(await succeed("run", ...places)).backupId
    })
    afterAll(async () => {
      await Promise.all([java?.close(), there?.close()])
      workspace[Symbol.dispose]()
    })

    const digests = (found: ReadonlyArray<PartitionDigest>) =>
      found.map(({ partition, records, sha256 }) => ({ partition, records, sha256 }))

    const assertRestored = async (target: string, cluster = there) =>
      assert.deepStrictEqual(digests(await cluster.digest(target)), digests(expected))

    /** A restore to a topic of its own on three brokers, slow enough that something can happen to it. */
    const restoreTo = (target: string, spec: object = {}) =>
      workspace.manifest(
        target,
        {
          backupId,
          targetCluster: { bootstrapServers: services.kafka3.bootstrap.split(",") },
          storage: onVolume,
          topicMapping: { [topic]: target },
          defaultReplicationFactor: 3,
          configOverrides: { "*": { "min.insync.replicas": "2" } },
          compression: "none",
          rateLimit: { bytesPerSecond: 1_500_000 },
          ...spec
        },
        "KafkaRestore"
      )

    /** Until some of the records are there. */
    const underWay = (target: string) =>
      eventually(`records in ${target}`, async () => {
        const found = await there.digest(target).catch(() => [])
        return found.some(({ records }) => records > 200)
      })

    it("is complete although leaders move and a broker is away for longer than its session", async () => {
      const target = unique("moving")
      const { ended } = start(["restore", ...restoreTo(target)])
      await underWay(target)
      for (let partition = 0; partition < 3; partition++) {
        const leader = (await there.describeTopics(target))[0]!.partitions[partition]!.leader
        await there.moveLeader(target, partition, (leader % 3) + 1)
      }
      const hung = services.kafka3.brokers?.[1]?.pid
      if (hung !== undefined) {
        process.kill(hung, "SIGSTOP")
        setTimeout(() => process.kill(hung, "SIGCONT"), 12_000)
      }
      const { code, stderr } = await ended
      assert.strictEqual(code, 0, stderr)
      await assertRestored(target)
    })

    it("names the offset at which somebody else wrote, and leaves those records alone", async () => {
      const target = unique("foreign")
      const { ended } = start(["restore", ...restoreTo(target)])
      await underWay(target)
      const { records } = await there.produce(target, [{ partition: 0, key: "foreign", value: "record" }])
      const { code, stderr } = await ended
      assert.strictEqual(code, 19, stderr)
      assert.match(stderr, new RegExp(`${target}\\[0\\] offset ([0-9]+)`))
      const held = (await there.digest(target)).find(({ partition }) => partition === 0)
      assert.isAbove(held!.end, records[0]!.offset)
      const again = await kafkaBackup("restore", ...restoreTo(target))
      assert.strictEqual(again.code, 19, again.stderr)
    })

    it("never mixes a topic with its re-created namesake", async () => {
      const target = unique("recreated")
      const { ended } = start(["restore", ...restoreTo(target)])
      await underWay(target)
      await there.deleteTopics(target)
      await there.createTopics({ name: target, partitions: 3, replicas: 3 })
      await there.produce(target, [{ partition: 0, key: "other", value: "topic" }])
      const { code, stderr } = await ended
      assert.strictEqual(code, 13, stderr)
      assert.include(stderr, target)
      const found = await there.digest(target)
      assert.strictEqual(
        found.reduce((sum, { records }) => sum + records, 0),
        1
      )
    })

    const asUser = (user: "backup" | "limited", target: string, spec: object = {}) => {
      const { security } = services.kafka
      workspace.secret("kafka-credentials", { username: user, password: security.users[user] })
      return restoreTo(target, {
        targetCluster: {
          bootstrapServers: [security.saslPlaintext],
          securityProtocol: "SASL_PLAINTEXT",
          saslSecret: { name: "kafka-credentials", mechanism: "SCRAM-SHA-512" }
        },
        defaultReplicationFactor: 1,
        configOverrides: { "*": { "min.insync.replicas": "1" } },
        ...spec
      })
    }

    it("is slow and complete under a producer quota", async () => {
      const target = unique("quota")
      await java.limitWrites({ user: "backup" }, 1_000_000)
      try {
        const places = asUser("backup", target, { rateLimit: {} })
        await succeed("restore", ...places)
        await assertRestored(target, java)
      } finally {
        await java.limitWrites({ user: "backup" }, null)
      }
    })

    it("names every permission that it lacks before it creates anything", async () => {
      const target = unique("rights")
      const granted: ReadonlyArray<Acl> = [
        { user: "limited", resource: "TOPIC", name: target, operations: ["CREATE", "DESCRIBE"] },
        {
          user: "limited",
          resource: "GROUP",
          name: "kafka-backup-restore",
          pattern: "PREFIXED",
          operations: ["READ"]
        }
      ]
      await java.grant(...granted)
      const { code, stderr } = await kafkaBackup("restore", ...asUser("limited", target)).finally(() =>
        java.revoke(...granted)
      )
      assert.strictEqual(code, 19, stderr)
      for (const right of ["Write", "AlterConfigs", "Read"]) {
        assert.include(stderr, `the principal lacks ${right} on topic ${target}`)
      }
      // Without Alter on the cluster, records get new offsets, and a log that begins at 0 needs no Delete.
      assert.notInclude(stderr, "lacks Alter on cluster")
      assert.deepStrictEqual(await java.digest(target).catch(() => []), [])
    })

    it("names the replication factor that is possible, and a configuration that brokers do not know", async () => {
      const target = unique("refused")
      const { code, stderr } = await kafkaBackup(
        "restore",
        ...restoreTo(target, {
          defaultReplicationFactor: 4,
          configOverrides: { [topic]: { "min.insync.replicas": "5" } }
        })
      )
      assert.strictEqual(code, 19, stderr)
      assert.include(stderr, "replication factor 4 is not possible with 3 live brokers")
      assert.include(stderr, "set defaultReplicationFactor to 3")
      assert.include(stderr, "min.insync.replicas 5 with 4 replicas")
      const unknown = await kafkaBackup(
        "restore",
        ...restoreTo(target, { configOverrides: { [topic]: { "retention.msec": "5" } } })
      )
      assert.match(unknown.stderr, /refuses configOverrides of topic .*retention\.msec/)
    })

    it("keeps old records until its retention hold ends, and finds itself complete when they are gone", async () => {
      const target = unique("held")
      const spec = { configOverrides: { "*": { "retention.ms": "1000" } }, rateLimit: {} }
      const places = restoreTo(target, spec)
      await succeed("restore", ...places)
      // Brokers look for old records every 5 s.
      await new Promise((resolve) => setTimeout(resolve, 12_000))
      await assertRestored(target)
      await succeed("restore", ...places, "--end-hold")
      await eventually("the old records are gone", async () => {
        // A consumer fails while records go that it is about to read.
        const found = await there.digest(target).catch(() => undefined)
        return found?.every(({ records }) => records === 0) ?? false
      })
      await there.produce(target, [{ partition: 0, key: "new", value: "record", timestamp: Date.now() }])
      const again = await succeed("restore", ...places)
      assert.include(again.stdout, "already restored")
      assert.include((await succeed("restore", ...places, "--end-hold")).stdout, "had ended already")
    })

    it("never says that it is complete where it is not, when two attempts work at once", async () => {
      const random = makeRandom(seed + 1)
      console.log(`KBO_SEED=${seed} repeats this`)
      const outcomes: Array<string> = []
      for (let round = 0; round < overlaps; round++) {
        const target = unique(`overlap-${round}`)
        const places = restoreTo(target, { compression: random.choose(["none", "lz4", "zstd"]) })
        const first = start(["restore", ...places])
        await new Promise((resolve) => setTimeout(resolve, random.between(500, 7000)))
        // As a pod on a node that is cut off: it stands still, and knows nothing of its successor when it goes on.
        const standsStill = random.between(0, 1) === 1 && first.process.exitCode === null
        if (standsStill) first.process.kill("SIGSTOP")
        const second = start(["restore", ...places])
        if (standsStill) setTimeout(() => first.process.kill("SIGCONT"), random.between(500, 12_000))
        const ends = [first, second].map(async ({ ended }) => {
          const { code, stderr } = await ended
          assert.include([0, 19, 20, 22], code, stderr)
          if (code === 0) await assertRestored(target)
          return code
        })
        outcomes.push(`${standsStill ? "stood still: " : ""}${(await Promise.all(ends)).join(" and ")}`)
        await succeed("restore", ...places)
        await assertRestored(target)
      }
      console.log(`exit codes of both attempts: ${outcomes.join("; ")}`)
    }, 1_800_000)

    it("leaves no hole and no double when it is ended at random moments", async () => {
      const random = makeRandom(seed)
      console.log(`KBO_SEED=${seed} repeats this`)
      for (let done = 0, round = 0; done < points; round++) {
        const target = unique(`killed-${round}`)
        const places = restoreTo(target, { compression: random.choose(["none", "lz4", "zstd"]) })
        for (let kills = 0; kills < 4 && done < points; kills++, done++) {
          const attempt = start(["restore", ...places])
          const signal = random.choose(["SIGKILL", "SIGTERM"] as const)
          const delayMillis = random.between(500, 9000)
          const timer = setTimeout(() => attempt.process.kill(signal), delayMillis)
          if (attempt.process.exitCode === null) await once(attempt.process, "exit")
          clearTimeout(timer)
          const { code, stderr } = await attempt.ended
          if (signal === "SIGTERM") assert.include([0, 21, undefined], code, stderr)
        }
        await succeed("restore", ...places)
        await assertRestored(target)
      }
    }, 1_800_000)
  }
)
