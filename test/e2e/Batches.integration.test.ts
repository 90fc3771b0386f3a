import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import zlib from "node:zlib"
import { afterAll, assert, beforeAll, it } from "vitest"
import { zstdFrames } from "../../src/compression/Zstd.ts"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { exportTopic, onVolume, reportOf, succeed, Workspace } from "./product.ts"
import { eventually, everyKind, unique } from "./scenes.ts"

interface Segment {
  readonly key: string
  readonly start_offset: number
  readonly end_offset: number
  readonly record_count: number
}

/** What Kafka's own tool says of a log segment: its batches, whether each is valid, and the offsets of its records. */
const dumpOf = async (classpath: string, log: Buffer) => {
  const folder = mkdtempSync(join(tmpdir(), "kafka-backup-dump-"))
  try {
    const file = join(folder, `${String(log.readBigInt64BE(0)).padStart(20, "0")}.log`)
    writeFileSync(file, log)
    const quiet = ["-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
    const args = ["org.apache.kafka.tools.DumpLogSegments", "--files", file, "--deep-iteration"]
    const { stdout } = await promisify(execFile)("java", [...quiet, "-cp", classpath, ...args], {
      maxBuffer: 256 * 1024 * 1024
    })
    return {
      isValid: !/isvalid: false|mismatch|Found invalid/u.test(stdout),
      batches: [...stdout.matchAll(/^baseOffset: (\d+) /gmu)].length,
      offsets: [...stdout.matchAll(/^\| offset: (\d+) /gmu)].map(([, offset]) => Number(offset))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describeWith(["kafka", "kafka3", "java"], "A backup of batches from real Kafka", (services) => {
  const prefix = unique("batches")
  const cut = `${prefix}-cut`
  const workspace = new Workspace()
  let java: JavaKafka
  let there: JavaKafka
  let topics: ReadonlyArray<string>
  let expected: ReadonlyArray<PartitionDigest>

  const spec = {
    kafkaCluster: { bootstrapServers: [services.kafka.plaintext] },
    topics: [`${prefix}-*`],
    storage: onVolume,
    format: "batches"
  }
  const plain = (digests: ReadonlyArray<PartitionDigest>) =>
    digests.map(({ partition, records, sha256, topic }) => ({ topic, partition, records, sha256 }))

  const assertExported = async (places: ReadonlyArray<string>, backupId: string) => {
    for (const topic of topics) {
      const found = await exportTopic(places, backupId, topic)
      assert.deepStrictEqual(
        found.map(({ partition, records, sha256 }) => ({ partition, records, sha256 })),
        expected
          .filter((digest) => digest.topic === topic && digest.records > 0)
          .map(({ partition, records, sha256 }) => ({ partition, records, sha256 })),
        topic
      )
    }
  }

  const segmentsOf = (backupId: string): ReadonlyArray<Segment> => {
    const manifest = JSON.parse(readFileSync(join(workspace.volumes, "backups", backupId, "manifest.json"), "utf8"))
    return manifest.topics.flatMap(({ partitions }: { readonly partitions: ReadonlyArray<{ segments: Segment[] }> }) =>
      partitions.flatMap(({ segments }) => segments)
    )
  }

  /** The log that a stored file is, or holds in its frames. */
  const logOf = (key: string): Buffer => {
    const file = readFileSync(join(workspace.volumes, "backups", key))
    if (!key.endsWith(".zst")) return file
    return Buffer.concat(zstdFrames(file).map((frame) => zlib.zstdDecompressSync(frame)))
  }

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
    there = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka3.bootstrap })
    const every = await everyKind(java, prefix)
    await java.createTopics({ name: cut, partitions: 1 })
    await java.load({ topic: cut, count: 500, seed: 3, codec: "zstd", valueBytes: 100, shape: "json" })
    await java.deleteRecords(cut, { 0: 137 })
    topics = [...every, cut]
    const compacted = `${prefix}-compacted`
    await eventually("the broker compacts", async () => {
      const [partition] = await java.digest(compacted)
      return partition!.records < 6500
    })
    await java.alterTopic(compacted, { "cleanup.policy": "delete", "segment.ms": 604800000 })
    expected = await java.digest(...topics)
  })
  afterAll(async () => {
    await Promise.all([java?.close(), there?.close()])
    workspace[Symbol.dispose]()
  })

  it("equals an independent consumer's records, and is what Kafka's own DumpLogSegments reads", async () => {
    const places = workspace.manifest("dumped", spec)
    const report = reportOf(await succeed("run", ...places))
    await succeed("verify", ...places, report.backupId, "--deep")
    await assertExported(places, report.backupId)
    const segments = segmentsOf(report.backupId)
    assert.isAbove(segments.filter(({ key }) => key.endsWith(".log")).length, 5)
    assert.isAbove(segments.filter(({ key }) => key.endsWith(".log.zst")).length, 1)
    const kinds = new Set<string>()
    let isCut = false
    for (const { end_offset, key, record_count, start_offset } of segments) {
      // A JVM for each file: one of every topic.
      const topic = key.split("/topics/")[1]!.split("/")[0]!
      if (kinds.has(topic)) continue
      kinds.add(topic)
      const { batches, isValid, offsets } = await dumpOf(services.java.classpath, logOf(key))
      assert.isTrue(isValid, key)
      assert.isAbove(batches, 0, key)
      const inside = offsets.filter((offset) => offset >= start_offset && offset <= end_offset)
      assert.strictEqual(inside.length, record_count, key)
      assert.deepStrictEqual([inside[0], inside.at(-1)], [start_offset, end_offset], key)
      if (topic === cut) isCut = offsets[0]! < 137 && start_offset === 137
    }
    assert.isTrue(isCut, "the log begins inside of a batch")
  })

  for (const compression of ["none", "lz4"] as const) {
    it(`equals them with compression ${compression} of what arrives uncompressed`, async () => {
      const places = workspace.manifest(`with-${compression}`, { ...spec, compression })
      const { backupId } = reportOf(await succeed("run", ...places))
      await succeed("verify", ...places, backupId, "--deep")
      await assertExported(places, backupId)
      const endings = new Set(segmentsOf(backupId).map(({ key }) => key.slice(key.indexOf(".log"))))
      assert.deepStrictEqual([...endings].toSorted(), compression === "none" ? [".log"] : [".log", ".log.lz4"])
    })
  }

  it("is restored to the same records at the same offsets", async () => {
    const places = workspace.manifest("restored", spec)
    const { backupId } = reportOf(await succeed("run", ...places))
    const restore = {
      backupId,
      targetCluster: { bootstrapServers: services.kafka3.bootstrap.split(",") },
      storage: onVolume
    }
    await succeed("restore", ...workspace.manifest("back", restore, "KafkaRestore"))
    assert.deepStrictEqual(plain(await there.digest(...topics)), plain(expected))
  })

  it("is built on by the next one, which reads what is new, and the format is changed by a full one", async () => {
    const topic = `${prefix}-zstd`
    const places = workspace.manifest("chain", spec)
    const first = reportOf(await succeed("run", ...places))
    const before = expected.find((one) => one.topic === topic && one.partition === 0)!
    await java.produce(topic, [
      { partition: 0, key: "new", value: "one" },
      { partition: 0, key: "new", value: "two" }
    ])
    expected = await java.digest(...topics)
    const second = reportOf(await succeed("run", ...places))
    assert.strictEqual(second.totals.newRecords, 2)
    assert.notStrictEqual(second.backupId, first.backupId)
    await succeed("verify", ...places, second.backupId, "--deep")
    await assertExported(places, second.backupId)
    assert.strictEqual(expected.find((one) => one.topic === topic && one.partition === 0)!.records, before.records + 2)
    const third = reportOf(await succeed("run", ...workspace.manifest("chain", { ...spec, format: "records" })))
    assert.isAbove(third.totals.newRecords, 2)
    await assertExported(places, third.backupId)
    for (const { key } of segmentsOf(third.backupId)) assert.include(key, ".bin")
    const { stdout } = await succeed("list", ...places)
    assert.match(stdout, /complete, batches/u)
  })
})
