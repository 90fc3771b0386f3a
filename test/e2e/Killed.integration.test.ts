import { once } from "node:events"
import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { exportTopic, onS3, onVolume, reportOf, start, succeed, Workspace } from "./product.ts"
import { makeRandom, seed } from "./random.ts"
import { createBucket, unique } from "./scenes.ts"

/** How often a run is ended on its way: 8 in CI; `npm run soak` does 50. */
const points = Number(process.env["KBO_KILLS"] ?? 8)

describeWith(
  ["kafka", "versitygw", "java"],
  `Runs ended at random moments (seed ${seed}, ${points} points)`,
  (services) => {
    const topic = unique("killed")
    const bucket = unique("killed")
    let java: JavaKafka
    let expected: ReadonlyArray<PartitionDigest>

    beforeAll(async () => {
      console.log(`KBO_SEED=${seed} repeats this`)
      java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
      await java.createTopics({ name: topic, partitions: 6 })
      await java.load({ topic, count: 30_000, seed: 11, valueBytes: 1000, codec: "rotate" })
      await java.load({ topic, count: 3000, seed: 12, transactionEvery: 40, firstIndex: 30_000 })
      expected = await java.digest(topic)
      await createBucket(services.versitygw, bucket)
    })
    afterAll(() => java?.close())

    it("leave no hole and no double after they are resumed", async () => {
      const random = makeRandom(seed)
      let done = 0
      for (let round = 0; done < points; round++) {
        using workspace = new Workspace()
        workspace.secret("s3-credentials", {
          accessKey: services.versitygw.accessKey,
          secretKey: services.versitygw.secretKey
        })
        const spec = {
          kafkaCluster: { bootstrapServers: [services.kafka.plaintext] },
          topics: [topic],
          storage: round % 2 === 0 ? onVolume : onS3(services.versitygw, bucket, `round-${round}`),
          compression: random.choose(["zstd", "lz4", "none"]),
          checkpointIntervalSecs: 1
        }
        // Some eight seconds for a whole run: long enough to be met anywhere, short enough to try often.
        const slow = workspace.manifest("killed", { ...spec, rateLimit: { bytesPerSecond: 3_000_000 } })
        const slot = new Date(Date.UTC(2026, 0, 1, 0, round)).toISOString().replace(".000Z", "Z")
        let kept = 0
        for (let kills = 0; kills < 3 && done < points; kills++) {
          const { ended, process } = start(["run", ...slow, "--slot", slot])
          const signal = random.choose(["SIGKILL", "SIGTERM"] as const)
          const delayMillis = random.between(0, 8000)
          // SIGTERM before the program has begun is the system's to answer: ours starts with the first log line.
          if (signal === "SIGTERM") await Promise.race([ended, once(process.stderr!, "data")])
          const timer = setTimeout(() => process.kill(signal), delayMillis)
          const { code, stderr } = await ended
          clearTimeout(timer)
          if (code === 0) break
          done++
          kept++
          if (signal === "SIGTERM") assert.strictEqual(code, 21, stderr)
          else assert.isUndefined(code)
        }
        const fast = workspace.manifest("killed", spec)
        const report = reportOf(await succeed("run", ...fast, "--slot", slot))
        await succeed("verify", ...fast, report.backupId, "--deep")
        const found = await exportTopic(fast, report.backupId, topic)
        assert.deepStrictEqual(
          found.map(({ partition, records, sha256 }) => ({ partition, records, sha256 })),
          expected.map(({ partition, records, sha256 }) => ({ partition, records, sha256 })),
          `round ${round}, ended ${kept} times`
        )
      }
    }, 3_600_000)
  }
)
