import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3"
import { createHash } from "node:crypto"
import { afterAll, assert, beforeAll, beforeEach, it } from "vitest"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { type Toxic, Toxiproxy } from "../harness/Toxiproxy.ts"
import { exportTopic, kafkaBackup, onS3, reportOf, start, type Started, succeed, Workspace } from "./product.ts"
import { createBucket, eventually, unique } from "./scenes.ts"

describeWith(["kafka", "java", "versitygw", "toxiproxy"], "A run over a network that misbehaves", (running) => {
  const { java: tools, kafka, toxiproxy, versitygw } = running
  const topic = unique("network")
  const bucket = unique("network")
  const client = new S3Client({
    endpoint: versitygw.endpoint,
    region: versitygw.region,
    forcePathStyle: true,
    credentials: { accessKeyId: versitygw.accessKey, secretAccessKey: versitygw.secretKey }
  })
  let java: JavaKafka
  let network: Toxiproxy
  let expected: ReadonlyArray<PartitionDigest>
  /** A set that was stored while nothing was wrong, and every object of it. */
  let earlier: string
  let before: ReadonlyMap<string, string>
  let slots = 0

  const keys = async (): Promise<ReadonlyArray<string>> => {
    const found: Array<string> = []
    let token: string | undefined
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token }))
      for (const { Key = "" } of page.Contents ?? []) found.push(Key)
      token = page.NextContinuationToken
    } while (token !== undefined)
    return found
  }

  /** Everything in the bucket, read past the network: the SHA-256 of each object by its key. */
  const objects = async (): Promise<ReadonlyMap<string, string>> => {
    const found = new Map<string, string>()
    for (const key of await keys()) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      const content = await Body!.transformToByteArray()
      found.set(key, createHash("sha256").update(content).digest("hex"))
    }
    return found
  }

  const manifest = (workspace: Workspace, endpoint: string, more: object = {}) => {
    workspace.secret("s3-credentials", { accessKey: versitygw.accessKey, secretKey: versitygw.secretKey })
    return workspace.manifest("network", {
      kafkaCluster: { bootstrapServers: [kafka.plaintext] },
      topics: [topic],
      storage: onS3({ ...versitygw, endpoint }, bucket, "sets"),
      compression: "none",
      checkpointIntervalSecs: 1,
      rateLimit: { bytesPerSecond: 3_000_000 },
      // Each run has to read everything while the network is disturbed.
      incremental: { enabled: false },
      circuitBreaker: { failureThreshold: 1, resetTimeoutSecs: 2 },
      ...more
    })
  }

  const through = (workspace: Workspace) => manifest(workspace, `http://${network.address}`)
  const slot = () => new Date(Date.UTC(2026, 10, 24, 12, 0, ++slots)).toISOString().replace(".000", "")

  /** Read past the network: the set is whole and equals the source, and what was stored earlier is as it was. */
  const isWhole = async (workspace: Workspace, backupId: string) => {
    await network.calm()
    const direct = manifest(workspace, versitygw.endpoint)
    await succeed("verify", ...direct, backupId, "--deep")
    const found = await exportTopic(direct, backupId, topic)
    assert.deepStrictEqual(
      found.map(({ partition, records, sha256 }) => ({ partition, records, sha256 })),
      expected.map(({ partition, records, sha256 }) => ({ partition, records, sha256 }))
    )
    const now = await objects()
    for (const [key, sha256] of before) {
      // Each run replaces the index, which repeats what the backups say, and the record of what was read again.
      if (!/_kafka-backup\/(index|verified)\//u.test(key)) assert.strictEqual(now.get(key), sha256, key)
    }
  }

  /** When one more segment is stored than there were. */
  const oneMoreSegment = async (had: ReadonlyArray<string>) =>
    eventually("a segment is stored", async () =>
      (await keys()).some((key) => key.includes("/topics/") && !had.includes(key))
    )

  /** When the process has said that it waits for the store. */
  const paused = async ({ process }: Started, act: () => Promise<void>) => {
    let said = ""
    process.stderr!.on("data", (text: Buffer) => (said += text.toString()))
    await act()
    await eventually("the run says that it is paused", async () => {
      if (process.exitCode !== null) throw new Error(`the run ended with ${process.exitCode}\n${said}`)
      return /paused/u.test(said)
    })
  }

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
    await java.createTopics({ name: topic, partitions: 4 })
    await java.load({ topic, count: 12_000, seed: 41, valueBytes: 800 })
    expected = await java.digest(topic)
    await createBucket(versitygw, bucket)
    network = await Toxiproxy.before(toxiproxy.url, new URL(versitygw.endpoint).host, unique("store"))
    // What is dead behind the proxy looks like a reset: first of all it must be good.
    using workspace = new Workspace()
    const report = reportOf(await succeed("run", ...through(workspace), "--slot", slot()))
    assert.isUndefined(report.interruptions, "the baseline is clean")
    earlier = report.backupId
    before = await objects()
  })
  beforeEach(() => network.calm())
  afterAll(async () => {
    await java?.close()
    await network?.[Symbol.asyncDispose]()
    client.destroy()
  })

  for (const [what, toxics] of [
    [
      "answers late and unevenly",
      (["upstream", "downstream"] as const).map(
        (stream) => ({ type: "latency", stream, attributes: { latency: 60, jitter: 50 } }) as const
      )
    ],
    [
      "is slow",
      (["upstream", "downstream"] as const).map(
        (stream) => ({ type: "bandwidth", stream, attributes: { rate: 2000 } }) as const
      )
    ]
  ] satisfies ReadonlyArray<readonly [string, ReadonlyArray<Toxic>]>) {
    it(`does not mind a network that ${what}`, async () => {
      using workspace = new Workspace()
      await network.poison(...toxics)
      const report = reportOf(await succeed("run", ...through(workspace), "--slot", slot()))
      assert.strictEqual(report.attempt, 1)
      assert.isUndefined(report.interruptions)
      await succeed("verify", ...through(workspace), report.backupId, "--deep")
      await isWhole(workspace, report.backupId)
    })
  }

  for (const [what, disturb] of [
    [
      "connections are reset in mid-upload",
      () => network.poison({ type: "reset_peer", stream: "upstream", attributes: { timeout: 20 } })
    ],
    [
      "every connection ends before a segment is through",
      () => network.poison({ type: "limit_data", stream: "upstream", attributes: { bytes: 20_000 } })
    ],
    [
      "every answer breaks off",
      () => network.poison({ type: "limit_data", stream: "downstream", attributes: { bytes: 100 } })
    ],
    ["connections are refused", () => network.disable()]
  ] as const) {
    it(`pauses while ${what}, and goes on to the end by itself`, async () => {
      using workspace = new Workspace()
      const had = await keys()
      const run = start(["run", ...through(workspace), "--slot", slot()])
      await oneMoreSegment(had)
      await paused(run, disturb)
      await network.calm()
      const ended = await run.ended
      assert.strictEqual(ended.code, 0, ended.stderr)
      const report = reportOf(ended)
      assert.strictEqual(report.attempt, 1)
      assert.isAtLeast(report.interruptions.length, 1)
      assert.match(report.interruptions[0].target, /^storage /u)
      await isWhole(workspace, report.backupId)
    })
  }

  it("waits for a store that refuses connections when the run begins", async () => {
    using workspace = new Workspace()
    await network.disable()
    const run = start(["run", ...through(workspace), "--slot", slot()])
    await paused(run, async () => {})
    await network.calm()
    const ended = await run.ended
    assert.strictEqual(ended.code, 0, ended.stderr)
    await isWhole(workspace, reportOf(ended).backupId)
  })

  it("ends with 21 when it is stopped while the store is away, and the same slot resumes", async () => {
    using workspace = new Workspace()
    const had = await keys()
    const args = ["run", ...through(workspace), "--slot", slot()]
    const run = start(args)
    await oneMoreSegment(had)
    await paused(run, () => network.disable())
    run.process.kill("SIGTERM")
    const stopped = await run.ended
    assert.strictEqual(stopped.code, 21, stopped.stderr)
    await network.calm()
    const report = reportOf(await succeed(...args))
    assert.strictEqual(report.attempt, 2)
    await isWhole(workspace, report.backupId)
  })

  it("verifies behind connections that all end early, and says 20, not damage, where nothing comes through", async () => {
    using workspace = new Workspace()
    const args = ["verify", ...through(workspace), earlier, "--deep"]
    await network.poison({ type: "limit_data", stream: "downstream", attributes: { bytes: 1_000_000 } })
    await succeed(...args)
    await network.calm()
    await network.poison({ type: "limit_data", stream: "downstream", attributes: { bytes: 100 } })
    const nothing = await kafkaBackup(...args)
    assert.strictEqual(nothing.code, 20, nothing.stdout + nothing.stderr)
    await network.disable()
    const refused = await kafkaBackup(...args)
    assert.strictEqual(refused.code, 20, refused.stdout + refused.stderr)
    await network.calm()
    await succeed(...args)
    await isWhole(workspace, earlier)
  })
})
