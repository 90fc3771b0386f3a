import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { type BrokerId, OwnBrokers } from "./OwnBrokers.ts"
import { exported, onVolume, reportOf, start, succeed, Workspace } from "./product.ts"
import { eventually, unique } from "./scenes.ts"
import { dumped, Viewing } from "./Views.ts"

/**
 * Two replicas of three brokers. The follower is down while records are written to the leader alone; then the leader is
 * lost and the follower leads without them: an unclean election. Other records take their offsets, and more.
 */

/** Records that both replicas have, that the lost leader alone had, and that the next one got in their place. */
const common = 5000
const lost = 15_000
const others = 16_000

describeWith("java", "A backup of a log whose records an unclean election replaced", ({ java: { classpath } }) => {
  const workspace = new Workspace()
  let brokers: OwnBrokers
  let java: JavaKafka

  beforeAll(async () => {
    brokers = await OwnBrokers.start(classpath)
    java = await JavaKafka.start({ classpath, bootstrap: brokers.bootstrap })
  })
  afterAll(async () => {
    await java?.close()
    await brokers?.stop()
    workspace[Symbol.dispose]()
  })

  const described = async (topic: string) => (await java.describeTopics(topic))[0]!.partitions[0]!

  const inSync = (topic: string, ids: ReadonlyArray<number>) =>
    eventually(`in sync: ${ids.join(" and ")}`, async () => {
      const { isr, leader } = await described(topic)
      return leader !== -1 && isr.length === ids.length && ids.every((id) => isr.includes(id))
    })

  /** A topic of two replicas with records on both; gives its leader and its follower. */
  const made = async (topic: string) => {
    await eventually("all brokers are up", () =>
      java
        .createTopics({
          name: topic,
          replicas: 2,
          config: { "unclean.leader.election.enable": true, "min.insync.replicas": 1 }
        })
        .then(
          () => true,
          () => false
        )
    )
    await java.load({ topic, count: common, seed: 1, valueBytes: 1000 })
    const { leader, replicas } = await described(topic)
    await inSync(topic, replicas)
    return { leader: leader as BrokerId, follower: replicas.find((id) => id !== leader) as BrokerId }
  }

  /** The leader goes, and the follower that lacks records leads; `records` others are written to it. */
  const elect = async (topic: string, leader: BrokerId, follower: BrokerId, records: number) => {
    await brokers.kill(leader)
    await brokers.startAgain(follower)
    await eventually("the follower leads", async () => (await described(topic)).leader === follower)
    await java.load({ topic, count: records, seed: 99, firstIndex: 500_000, valueBytes: 1000 })
    await brokers.startAgain(leader)
    await inSync(topic, [leader, follower])
  }

  const resource = (name: string, topic: string, more: object = {}) =>
    workspace.manifest(name, {
      kafkaCluster: { bootstrapServers: brokers.bootstrap.split(",") },
      topics: [topic],
      storage: onVolume,
      incremental: { enabled: true },
      checkpointIntervalSecs: 1,
      ...more
    })

  /** What Kafka's own consumer reads below an offset, by number and hash. */
  const inKafka = async (topic: string, until = Number.POSITIVE_INFINITY) => {
    const viewing = new Viewing("")
    for await (const record of dumped(java, workspace.folder, [topic])) if (record.offset < until) viewing.add(record)
    return viewing.end().digests
  }

  const inBackup = async (places: ReadonlyArray<string>, backupId: string, topic: string) => {
    const viewing = new Viewing("")
    for await (const record of exported(...places, backupId, "--topic", topic)) viewing.add(record)
    return viewing.end().digests
  }

  const slot = (n: number) => ["--slot", `2026-01-01T0${n}:00:00Z`] as const

  /** A run that has stored records which will be lost, and stands still since then. */
  const stoppedRun = async (places: ReadonlyArray<string>, backupId: string) => {
    const { ended, process: run } = start(["run", ...places, ...slot(0)])
    const checkpoints = join(workspace.volumes, "backups", backupId, "checkpoint")
    await eventually("the run has stored records that will be lost", async () => {
      if (!existsSync(checkpoints)) return false
      return readdirSync(checkpoints).some((file) => {
        const { content } = JSON.parse(readFileSync(join(checkpoints, file), "utf8"))
        return content.advances.some(({ position }: { readonly position: number }) => position > common)
      })
    })
    run.kill("SIGSTOP")
    return { ended, goOn: () => run.kill("SIGCONT") }
  }

  it("is read in full by the next backup, and again by the one that is made meanwhile", async () => {
    const topic = unique("replaced")
    const { follower, leader } = await made(topic)
    const hourly = resource("hourly", topic)
    const run = async (n: number) => reportOf(await succeed("run", ...hourly, ...slot(n)))
    await run(0)
    await brokers.kill(follower)
    await inSync(topic, [leader])
    await java.load({ topic, count: lost, seed: 2, firstIndex: common, valueBytes: 1000 })
    const old = await run(1)
    assert.strictEqual(old.totals.newRecords, lost)
    const before = await inKafka(topic)
    assert.deepStrictEqual(await inBackup(hourly, old.backupId, topic), before)

    // What a run has read and what it meets then does not depend on the pace of the machine: it stands still meanwhile.
    const slow = resource("slow", topic, { rateLimit: { bytesPerSecond: 2_000_000 } })
    const { ended, goOn } = await stoppedRun(slow, "slow-20260101-000000")
    await elect(topic, leader, follower, others)
    goOn()
    const { code, stderr, stdout } = await ended
    assert.strictEqual(code, 0, stderr)
    const meanwhile = reportOf({ code, stderr, stdout })
    assert.include(meanwhile.notes.join("\n"), `an unclean leader election replaced records of ${topic}[0]`)
    assert.strictEqual(meanwhile.totals.records, common + lost)
    assert.deepStrictEqual(
      await inBackup(slow, meanwhile.backupId, topic),
      await inKafka(topic, common + lost),
      "records of one log alone, up to the end of the plan"
    )

    const next = await run(2)
    assert.isUndefined(next.base, "nothing of the earlier backup can be taken over")
    assert.deepStrictEqual(
      next.readInFull.map(({ reason }: { readonly reason: string }) => reason),
      ["LogReplaced"]
    )
    assert.strictEqual(next.totals.newRecords, common + others)
    assert.deepStrictEqual(await inBackup(hourly, next.backupId, topic), await inKafka(topic))
    assert.deepStrictEqual(await inBackup(hourly, old.backupId, topic), before, "it is what it was")

    await java.load({ topic, count: 100, seed: 3, firstIndex: 600_000, valueBytes: 1000 })
    for (const [places, n, base] of [
      [hourly, 3, next],
      [slow, 1, meanwhile]
    ] as const) {
      const report = reportOf(await succeed("run", ...places, ...slot(n)))
      assert.strictEqual(report.base, base.backupId)
      assert.strictEqual(report.totals.newRecords, common + others + 100 - base.totals.records)
      assert.deepStrictEqual(await inBackup(places, report.backupId, topic), await inKafka(topic))
    }
  }, 600_000)
})
