import { Effect, Stream } from "effect"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import * as KafkaJsSources from "../../src/kafka/KafkaJsSources.ts"
import { KafkaSources } from "../../src/kafka/KafkaSource.ts"
import { type DumpedRecord, JavaKafka, type PartitionDigest, readDump } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { type HandmadeTopic, writeSet } from "./handmadeSet.ts"
import { onVolume, reportOf, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

/** Where the log of a partition begins: `npm run soak` takes a billion. */
const logStart = Number(process.env["KBO_LOG_START"] ?? 100_000_000)

const day = 86_400_000

describeWith(["kafka", "java"], "Extremes of a log, restored to a real cluster,", (services) => {
  const { plaintext } = services.kafka
  const workspace = new Workspace()
  const made: Array<string> = []
  let java: JavaKafka

  const named = (stem: string) => {
    const name = unique(stem)
    made.push(name)
    return name
  }

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: plaintext })
  })
  afterAll(async () => {
    await java?.deleteTopics(...made)
    await java?.close()
    workspace[Symbol.dispose]()
  })

  /** Restores a backup with its old offsets; `spec` has what is special about it. */
  const restore = (name: string, backupId: string, spec: object = {}) =>
    succeed(
      "restore",
      ...workspace.manifest(
        name,
        {
          backupId,
          targetCluster: { bootstrapServers: [plaintext] },
          storage: onVolume,
          offsets: "Exact",
          defaultReplicationFactor: 1,
          ...spec
        },
        "KafkaRestore"
      )
    )

  /** Backs a topic up and restores it to another one, whose name it gives. */
  const restored = async (topic: string, spec: object = {}) => {
    const target = named(`to-${topic}`)
    const places = workspace.manifest(topic, {
      kafkaCluster: { bootstrapServers: [plaintext] },
      topics: [topic],
      storage: onVolume
    })
    const { backupId } = reportOf(await succeed("run", ...places))
    await restore(target, backupId, { topicMapping: { [topic]: target }, ...spec })
    return target
  }

  const plain = (digests: ReadonlyArray<PartitionDigest>) =>
    digests.map(({ end, partition, records, sha256, start }) => ({ partition, records, sha256, start, end }))

  const assertSame = async (source: string, target: string) =>
    assert.deepStrictEqual(plain(await java.digest(target)), plain(await java.digest(source)))

  const dumped = async (topic: string) => {
    const file = join(workspace.folder, `${topic}.jsonl`)
    await java.dumpTo(file, topic)
    const found: Array<DumpedRecord> = []
    for await (const record of readDump(file)) found.push(record)
    return found
  }

  it("begin where they began, and keep every hole between their records", async () => {
    const record = (offset: number) => ({ offset, key: `k${offset}`, value: `v${offset}` })
    const topics: ReadonlyArray<HandmadeTopic> = [
      { name: named("late"), records: [0, 1, 5].map((delta) => record(logStart + delta)) },
      // A log that begins at 1; holes of 1 and of 999 offsets; two records side by side.
      { name: named("holes"), records: [1, 3, 1003, 1004].map(record) }
    ]
    const backupId = unique("extremes")
    writeSet(join(workspace.volumes, "backups"), backupId, topics)
    await restore(backupId, backupId)
    const offsets = await java.offsets(...topics.map(({ name }) => name))
    for (const { name, records } of topics) {
      const [start, end] = [records[0]!.offset, records.at(-1)!.offset + 1]
      assert.deepStrictEqual(offsets[name], [{ partition: 0, start, stable: end, end }])
      const found = await dumped(name)
      assert.deepStrictEqual(
        found.map(({ offset, value }) => ({ offset, value: Buffer.from(value!, "base64").toString() })),
        records.map(({ offset, value }) => ({ offset, value }))
      )
    }
  }, 900_000)

  it("hold batches of 70,000 records", async () => {
    const topic = named("crowded")
    const megabytes = { "batch.size": "16777216", "linger.ms": "60000" }
    await java.createTopics({ name: topic })
    await java.load({
      topic,
      count: 140_000,
      seed: 5,
      keyBytes: 0,
      valueBytes: 1,
      shape: "random",
      producer: megabytes
    })
    const target = await restored(topic)
    await assertSame(topic, target)
    for (const name of [topic, target]) assert.isAbove(await largestBatch(name), 70_000, name)
  })

  /** Records of the batch that has most of them. */
  const largestBatch = (topic: string) =>
    Effect.gen(function* () {
      const source = yield* (yield* KafkaSources).open({ bootstrapServers: [plaintext] })
      let most = 0
      yield* source.read({ topic, partition: 0, from: 0, until: 140_000 }).pipe(
        Stream.runForEach((fetched) =>
          Effect.sync(() => {
            for (const { recordCount } of fetched.batches) most = Math.max(most, recordCount)
            fetched.release()
          })
        )
      )
      return most
    }).pipe(Effect.scoped, Effect.provide(KafkaJsSources.layer()), Effect.runPromise)

  it("have records of every time, also of before 1970, without one, and of ten years from now", async () => {
    const times = [1_000_000_000_000, -1, 0, -5, Date.now() + 3650 * day, -1, 1]
    const topic: HandmadeTopic = {
      name: named("times"),
      records: times.map((timestamp, offset) => ({ offset, key: "k", value: `v${offset}`, timestamp }))
    }
    const backupId = unique("times")
    writeSet(join(workspace.volumes, "backups"), backupId, [topic])
    await restore(backupId, backupId)
    assert.deepStrictEqual(
      (await dumped(topic.name)).map(({ timestamp }) => timestamp),
      times
    )
  })

  it("keep the times that a broker has given, where the target gives times of its own", async () => {
    const appendTime = { "message.timestamp.type": "LogAppendTime" }
    const topic = named("append-time")
    await java.createTopics({ name: topic, config: appendTime })
    await java.load({ topic, count: 500, seed: 6, codec: "lz4" })
    await java.produce(topic, [{ key: "old", value: "v", timestamp: 1 }])
    const created = await restored(topic)
    const there = named("to-append-time")
    await java.createTopics({ name: there, config: appendTime })
    const { backupId } = reportOf(
      await succeed(
        "run",
        ...workspace.manifest(`${topic}-again`, {
          kafkaCluster: { bootstrapServers: [plaintext] },
          topics: [topic],
          storage: onVolume
        })
      )
    )
    await restore(there, backupId, { topicMapping: { [topic]: there } })
    for (const target of [created, there]) {
      await assertSame(topic, target)
      const before = Date.now()
      await java.produce(target, [{ key: "new", value: "v", timestamp: 1 }])
      assert.isAtLeast((await dumped(target)).at(-1)!.timestamp, before, target)
    }
  })

  it("have records with headers of all kinds, and with a thousand of them", async () => {
    const topic = named("headers")
    await java.createTopics({ name: topic })
    const thousand = Array.from({ length: 1000 }, (_, i): readonly [string, string | null] => [
      `header-${i % 10}`,
      i % 3 === 0 ? null : `value ${i}`
    ])
    await java.produce(topic, [
      { key: "none", value: "v" },
      { key: "empty", value: "v", headers: [["empty", ""]] },
      { key: "null", value: "v", headers: [["null", null]] },
      {
        key: "duplicates",
        value: "v",
        headers: [
          ["twice", "first"],
          ["twice", null],
          ["twice", ""],
          ["twice", "first"]
        ]
      },
      { key: "unnamed", value: "v", headers: [["", ""]] },
      { key: "long", value: null, headers: [["h".repeat(30_000), Buffer.alloc(200_000, 7)]] },
      { key: null, value: null, headers: thousand },
      { key: "none again", value: "" }
    ])
    const target = await restored(topic)
    await assertSame(topic, target)
    const found = await dumped(target)
    const text = (base64: string | null) => (base64 === null ? null : Buffer.from(base64, "base64").toString())
    assert.deepStrictEqual(
      found[3]!.headers.map(([key, value]) => [text(key), text(value)]),
      [
        ["twice", "first"],
        ["twice", null],
        ["twice", ""],
        ["twice", "first"]
      ]
    )
    assert.strictEqual(found[6]!.headers.length, 1000)
  })
})
