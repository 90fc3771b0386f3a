import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { LimitedCommand } from "./LimitedCommand.ts"
import { onVolume, reportOf, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

/*
 * Restores by the built command with little memory; see LimitedCommand.ts. With KBO_MEMORY=all: every backup, codec and
 * limit.
 */

const isWhole = process.env["KBO_MEMORY"] === "all"
const MiB = 1024 * 1024

/** What makes a topic hard to restore within little memory. */
const shapes = ["inflating", "wide", "large"] as const
type Shape = (typeof shapes)[number]
const compressions = ["none", "lz4", "zstd"] as const
type Compression = (typeof compressions)[number]

interface Run {
  readonly shape: Shape
  /** Of the backup; or it has the batches of the source. */
  readonly from: Compression | "batches"
  /** Of the batches that are written; or they are those of the backup. */
  readonly to: Compression | "stored"
  readonly mebibytes: number
}

const quick: ReadonlyArray<Run> = [
  { shape: "inflating", from: "zstd", to: "none", mebibytes: 256 },
  { shape: "inflating", from: "lz4", to: "zstd", mebibytes: 256 },
  { shape: "wide", from: "zstd", to: "lz4", mebibytes: 256 },
  { shape: "wide", from: "none", to: "none", mebibytes: 512 },
  { shape: "large", from: "zstd", to: "lz4", mebibytes: 256 },
  { shape: "large", from: "lz4", to: "none", mebibytes: 256 },
  { shape: "inflating", from: "batches", to: "stored", mebibytes: 256 },
  { shape: "wide", from: "batches", to: "stored", mebibytes: 256 },
  { shape: "large", from: "batches", to: "stored", mebibytes: 256 },
  { shape: "inflating", from: "batches", to: "lz4", mebibytes: 256 }
]
const whole: ReadonlyArray<Run> = shapes.flatMap((shape) =>
  ([...compressions, "batches"] as const).flatMap((from) =>
    [...compressions, ...(from === "batches" ? (["stored"] as const) : [])].flatMap((to) =>
      [256, 512].map((mebibytes) => ({ shape, from, to, mebibytes }))
    )
  )
)

/**
 * The peak of a process counts pages of files, too, some 55 MiB of the program itself, in bytes. Under a limit of the
 * kernel (KBO_CGROUP) they are not all its own, and the kernel takes them back.
 */
const fileBytes = 64 * MiB

describeWith(["kafka", "java"], "A restore with little memory", (services) => {
  const prefix = unique("restored")
  const command = new LimitedCommand()
  const workspace = new Workspace()
  const cluster = { bootstrapServers: [services.kafka.plaintext] }
  const topicOf = (shape: Shape) => `${prefix}-${shape}`
  const backups = new Map<Run["from"], string>()
  let java: JavaKafka

  /** The Java producer's limits for records of that many bytes. */
  const producerFor = (bytes: number) => ({
    "max.request.size": String(2 * bytes),
    "buffer.memory": String(64 * MiB),
    "batch.size": String(MiB)
  })

  const load: Record<Shape, () => Promise<unknown>> = {
    /** Fifty megabytes in each of four partitions, in batches that shrink many times. */
    inflating: async () => {
      const topic = topicOf("inflating")
      await java.createTopics({ name: topic, partitions: 4 })
      await java.load({ topic, count: 400, valueBytes: MiB / 2, codec: "zstd", producer: producerFor(MiB) })
    },
    /** A megabyte of noise in each of a hundred partitions. */
    wide: async () => {
      const topic = topicOf("wide")
      await java.createTopics({ name: topic, partitions: 100 })
      await java.load({ topic, count: 25_000, shape: "random", valueBytes: 4000, codec: "lz4" })
    },
    /** Six records of 8 MiB in each of four partitions. */
    large: async () => {
      const topic = topicOf("large")
      await java.createTopics({ name: topic, partitions: 4, config: { "max.message.bytes": 16 * MiB } })
      await java.load({ topic, count: 24, valueBytes: 8 * MiB, codec: "lz4", producer: producerFor(8 * MiB) })
    }
  }

  beforeAll(async () => {
    command.build()
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
    for (const shape of shapes) await load[shape]()
    for (const from of [...compressions, "batches"] as const) {
      const stored = from === "batches" ? { format: from } : { compression: from }
      const spec = { kafkaCluster: cluster, topics: shapes.map(topicOf), storage: onVolume, ...stored }
      const ended = await succeed("run", ...workspace.manifest(`as-${from}`, spec))
      backups.set(from, reportOf(ended).backupId)
    }
  }, 900_000)
  afterAll(async () => {
    command[Symbol.dispose]()
    // Suites that back up every topic of the cluster are not to meet them.
    await java?.deleteTopics(...shapes.map(topicOf))
    await java?.close()
    workspace[Symbol.dispose]()
  })

  const plain = (digests: ReadonlyArray<PartitionDigest>) =>
    digests.map(({ partition, records, sha256 }) => ({ partition, records, sha256 }))

  for (const { from, mebibytes, shape, to } of isWhole ? whole : quick) {
    const name = `${shape}-${from}-${to}-${mebibytes}`
    it(`writes ${shape} from ${from} as ${to} within ${mebibytes} MiB`, { timeout: 900_000 }, async () => {
      const target = `${prefix}-to-${name}`
      const spec = {
        backupId: backups.get(from),
        targetCluster: cluster,
        storage: onVolume,
        topics: [topicOf(shape)],
        topicMapping: { [topicOf(shape)]: target },
        ...(to === "stored" ? {} : { compression: to })
      }
      const places = workspace.manifest(name, spec, "KafkaRestore")
      const ended = await command.run(`${prefix}-${name}`, mebibytes, ["restore", ...places])
      assert.deepInclude({ code: ended.code, kills: ended.kills }, { code: 0, kills: 0 }, ended.stderr)
      console.log(`${name}: peak ${Math.round(ended.peakBytes / MiB)} MiB`)
      assert.isBelow(ended.peakBytes, mebibytes * MiB + fileBytes)
      assert.deepStrictEqual(plain(await java.digest(target)), plain(await java.digest(topicOf(shape))))
      await java.deleteTopics(target)
    })
  }
})
