import kafkajs from "kafkajs"
import * as lz4 from "lz4-napi"
import snappy from "snappy"
import zlib from "node:zlib"
import { afterAll, assert, beforeAll, it } from "vitest"
import { describeWith } from "../harness/services.ts"
import { LimitedCommand } from "./LimitedCommand.ts"
import { onVolume, reportOf, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

/*
 * Batches that inflate a hundred- or a thousandfold, backed up by the built command with little memory. Always: the
 * process believes in a limit, and its largest resident memory stays below it. With KBO_CGROUP (see MemoryCgroup.ts)
 * the kernel enforces the limit. With KBO_MEMORY=all: every source, compression and limit, and larger batches.
 */

const isWhole = process.env["KBO_MEMORY"] === "all"
const MiB = 1024 * 1024

const sources = {
  gzip: kafkajs.CompressionTypes.GZIP,
  snappy: kafkajs.CompressionTypes.Snappy,
  lz4: kafkajs.CompressionTypes.LZ4,
  zstd: kafkajs.CompressionTypes.ZSTD
} as const
type Source = keyof typeof sources

const codec = (compress: (bytes: Buffer) => Buffer) => () => ({
  compress: async ({ buffer }: { readonly buffer: Buffer }) => compress(buffer),
  decompress: async () => Promise.reject(new Error("nothing is read here"))
})
const compressions: Record<Source, (bytes: Buffer) => Buffer> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  snappy: (bytes) => snappy.compressSync(bytes),
  lz4: (bytes) => lz4.compressFrameSync(bytes),
  zstd: (bytes) => zlib.zstdCompressSync(bytes)
}

interface Run {
  readonly source: Source
  readonly compression: "none" | "lz4" | "zstd"
  readonly level?: number
  readonly mebibytes: number
}

const quick: ReadonlyArray<Run> = [
  { source: "zstd", compression: "none", mebibytes: 256 },
  { source: "lz4", compression: "lz4", mebibytes: 256 },
  { source: "snappy", compression: "zstd", mebibytes: 256 },
  { source: "gzip", compression: "zstd", level: 22, mebibytes: 256 }
]
const whole: ReadonlyArray<Run> = (Object.keys(sources) as ReadonlyArray<Source>).flatMap((source) =>
  [256, 512, 1024].flatMap((mebibytes) => [
    ...(["none", "lz4", "zstd"] as const).map((compression) => ({ source, compression, mebibytes })),
    ...[1, 9, 12, 15, 19, 22].map((level) => ({ source, compression: "zstd" as const, level, mebibytes }))
  ])
)

describeWith(["kafka"], "A run with little memory and a source that inflates a thousandfold", (services) => {
  const prefix = unique("memory")
  const command = new LimitedCommand()
  const topicOf = (source: Source) => `${prefix}-${source}`
  const partitions = 4
  /** Batches of 24 MiB in every partition, or one of 300 and some more. */
  const batches = isWhole ? [300, 24, 24] : [24, 24]
  const valueBytes = 512 * 1024
  const recordsIn = (mebibytes: number) => (mebibytes * MiB) / valueBytes
  const total = partitions * batches.reduce((sum, mebibytes) => sum + recordsIn(mebibytes), 0)

  const load = async (source: Source) => {
    for (const one of Object.keys(sources) as ReadonlyArray<Source>)
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the keys of the table are the members
      kafkajs.CompressionCodecs[sources[one]] = codec(compressions[one])
    const brokers = services.kafka.plaintext.split(",")
    const client = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING, requestTimeout: 120_000 })
    const admin = client.admin()
    const producer = client.producer()
    await admin.connect()
    await producer.connect()
    const configEntries = [{ name: "max.message.bytes", value: String(32 * MiB) }]
    await admin.createTopics({ topics: [{ topic: topicOf(source), numPartitions: partitions, configEntries }] })
    for (let partition = 0; partition < partitions; partition++) {
      for (const mebibytes of batches) {
        const messages = Array.from({ length: recordsIn(mebibytes) }, (_, i) => ({
          key: `${i}`,
          value: Buffer.alloc(valueBytes, i),
          partition
        }))
        await producer.send({ topic: topicOf(source), compression: sources[source], messages, timeout: 120_000 })
      }
    }
    await producer.disconnect()
    await admin.disconnect()
  }

  const spec = ({ compression, level, source }: Run) => ({
    kafkaCluster: { bootstrapServers: [services.kafka.plaintext] },
    topics: [topicOf(source)],
    storage: onVolume,
    compression,
    ...(level === undefined ? {} : { compressionLevel: level })
  })

  beforeAll(async () => {
    command.build()
    for (const source of Object.keys(sources) as ReadonlyArray<Source>) await load(source)
  }, 600_000)
  afterAll(async () => {
    command[Symbol.dispose]()
    // Suites that back up every topic of the cluster are not to meet them.
    const brokers = services.kafka.plaintext.split(",")
    const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    await admin.deleteTopics({ topics: (Object.keys(sources) as ReadonlyArray<Source>).map(topicOf) })
    await admin.disconnect()
  })

  for (const run of isWhole ? whole : quick) {
    const { compression, level, mebibytes, source } = run
    const output = level === undefined ? compression : `${compression} at level ${level}`
    it(`stores ${source} as ${output} within ${mebibytes} MiB`, { timeout: 900_000 }, async () => {
      using workspace = new Workspace()
      const places = workspace.manifest("bomb", spec(run))
      const ended = await command.run(`${prefix}-${source}-${compression}`, mebibytes, ["run", ...places])
      assert.deepInclude({ code: ended.code, kills: ended.kills }, { code: 0, kills: 0 }, ended.stderr)
      assert.strictEqual(reportOf(ended).totals.records, total)
      assert.isBelow(ended.peakBytes, mebibytes * MiB)
      await succeed("verify", ...places, reportOf(ended).backupId, "--deep")
    })
  }

  it("says how much memory is needed, before it connects, where the limit is too small for any run", async () => {
    using workspace = new Workspace()
    const nowhere = { ...spec({ source: "zstd", compression: "zstd", level: 22, mebibytes: 0 }) }
    const places = workspace.manifest("small", { ...nowhere, kafkaCluster: { bootstrapServers: ["127.0.0.1:1"] } })
    const ended = await command.run(`${prefix}-small`, 100, ["run", ...places])
    assert.strictEqual(ended.code, 10, ended.stderr)
    const { error } = reportOf(ended)
    assert.strictEqual(error.reason, "MemoryTooSmall")
    assert.match(error.message, /^the memory limit is 100 MiB, and a run with compression zstd at level 22 needs/)
    assert.match(error.advice, /^raise spec\.resources\.limits\.memory to at least \d+Mi$/)
  })
})
