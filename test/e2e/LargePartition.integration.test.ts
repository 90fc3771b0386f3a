import { readFileSync } from "node:fs"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { afterAll, assert, beforeAll, it } from "vitest"
import type { Requests } from "../../bench/CountRequests.ts"
import { DelayingProxy } from "../harness/DelayingProxy.ts"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { LimitedCommand } from "./LimitedCommand.ts"
import { onVolume, reportOf, start, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

/*
 * One partition that is many times larger than memory: KBO_LARGE_GB gigabytes, one without; and the same from far away.
 */

const MiB = 1024 * 1024
const gigabytes = Number(process.env["KBO_LARGE_GB"] ?? 1)
const valueBytes = 1000
const records = Math.floor((gigabytes * 1e9) / (valueBytes + 24))
/** From far away a tenth of it is enough. */
const farRecords = Math.floor(records / gigabytes / 5)
const limitMebibytes = 256

describeWith(["kafka", "java"], "A backup of one large partition", (services) => {
  const topic = unique("large")
  const far = unique("far")
  const command = new LimitedCommand()
  const workspace = new Workspace()
  let java: JavaKafka
  const spec = (name: string) => ({
    kafkaCluster: { bootstrapServers: [services.kafka.plaintext] },
    topics: [name],
    storage: onVolume
  })

  beforeAll(async () => {
    command.build()
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
    await java.createTopics({ name: topic, partitions: 1 }, { name: far, partitions: 1 })
    await java.load({ topic, count: records, seed: 1, valueBytes, codec: "none" })
    await java.load({ topic: far, count: farRecords, seed: 2, valueBytes, codec: "none" })
  }, 3_600_000)
  afterAll(async () => {
    command[Symbol.dispose]()
    await java?.deleteTopics(topic, far)
    await java?.close()
    workspace[Symbol.dispose]()
  })

  it(
    `of ${gigabytes} GB works within ${limitMebibytes} MiB, and its log says what it chose`,
    { timeout: 7_200_000 },
    async () => {
      const places = workspace.manifest("large", spec(topic))
      const beganMillis = performance.now()
      const ended = await command.run(topic, limitMebibytes, ["run", ...places])
      const seconds = (performance.now() - beganMillis) / 1000
      assert.deepInclude({ code: ended.code, kills: ended.kills }, { code: 0, kills: 0 }, ended.stderr)
      assert.strictEqual(reportOf(ended).totals.records, records)
      console.log(`${gigabytes} GB: ${seconds.toFixed(1)} s, peak ${Math.round(ended.peakBytes / MiB)} MiB`)
      assert.isBelow(ended.peakBytes, limitMebibytes * MiB)
      assert.match(`${ended.stdout}${ended.stderr}`, /memory settings chosen.*"?memoryLimitMiB"?[:=] ?256/u)
      await succeed("verify", ...places, reportOf(ended).backupId, "--deep")
    }
  )

  it(
    "asks a broker that is 50 ms away for more at once, and so for few round trips",
    { timeout: 1_800_000 },
    async () => {
      await using proxy = await DelayingProxy.before(services.kafka.plaintext)
      const run = async (millis: number) => {
        proxy.millis = millis
        const file = join(workspace.folder, `far-${millis}.json`)
        const preloads = ["../../bench/CountRequests.ts", "redirected.mjs"].map(
          (name) => `--import=${new URL(name, import.meta.url).href}`
        )
        const env = {
          KBO_BENCH_REQUESTS: file,
          KBO_REDIRECT: `${services.kafka.plaintext.split(":")[1]}:${proxy.port}`,
          NODE_OPTIONS: preloads.join(" ")
        }
        const beganMillis = performance.now()
        const ended = await start(["run", ...workspace.manifest(`far-${millis}`, spec(far))], env).ended
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.strictEqual(reportOf(ended).totals.records, farRecords)
        const { kafka } = JSON.parse(readFileSync(file, "utf8")) as Requests
        return { fetches: kafka["Fetch"] ?? 0, seconds: (performance.now() - beganMillis) / 1000 }
      }
      const near = await run(0)
      const distant = await run(50)
      console.log(`near: ${JSON.stringify(near)}, 50 ms away: ${JSON.stringify(distant)}`)
      const megabytes = (farRecords * (valueBytes + 24)) / 1e6
      // Answers of 8 MiB, after the first few; without them there is one for each MiB.
      assert.isAtMost(distant.fetches, 6 + megabytes / 6)
    }
  )
})
