import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { type DumpedRecord, JavaKafka, readDump } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { kafkaBackup, onVolume, reportOf, start, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

/** Half of the records of the second load are at or before it. */
const firstMillis = 1_700_000_000_000
const cutMillis = firstMillis + 4_000

describeWith(["kafka", "kafka3", "java"], "A restore of a part of a backup", (services) => {
  const topic = unique("selection")
  const workspace = new Workspace()
  let java: JavaKafka
  let there: JavaKafka
  let source: ReadonlyArray<DumpedRecord>
  let backupId: string

  const restoreOf = (name: string, target: string, spec: object = {}) =>
    workspace.manifest(
      name,
      {
        backupId,
        targetCluster: { bootstrapServers: services.kafka3.bootstrap.split(",") },
        storage: onVolume,
        topicMapping: { [topic]: target },
        ...spec
      },
      "KafkaRestore"
    )

  const dump = async (client: JavaKafka, name: string): Promise<ReadonlyArray<DumpedRecord>> => {
    const file = join(workspace.folder, `${name}.jsonl`)
    await client.dumpTo(file, name)
    const records: Array<DumpedRecord> = []
    for await (const record of readDump(file)) records.push({ ...record, topic: "" })
    return records
  }

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
    there = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka3.bootstrap })
    await java.createTopics({ name: topic, partitions: 3 })
    // Loads of overlapping times, so that timestamps are out of order in every partition.
    for (const [seed, offsetMillis] of [3000, 0, 6000, 1000].entries()) {
      const firstTimestamp = firstMillis + offsetMillis
      await java.load({ topic, count: 3000, seed: seed + 1, shape: "mixed", codec: "rotate", firstTimestamp })
    }
    await java.load({ topic, count: 600, seed: 9, transactionEvery: 30, firstTimestamp: cutMillis - 300 })
    source = await dump(java, topic)
    const places = workspace.manifest("selected", {
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

  it("to a point in time gives what a Java client filters from the source, also after a kill", async () => {
    const target = `${topic}-pitr`
    const pitr = { timestamp: new Date(cutMillis).toISOString() }
    const places = restoreOf("pitr", target, { pitr })
    const kept = source.filter(({ timestamp }) => timestamp <= cutMillis)
    assert.isAbove(kept.length, 5000)
    assert.isBelow(kept.length, source.length)
    const { stdout } = await succeed("restore", ...places, "--dry-run", "-o", "json")
    const [planned] = JSON.parse(stdout).topics
    assert.strictEqual(planned.records, kept.length)
    assert.strictEqual(planned.recordsLeftOut, source.length - kept.length)
    assert.strictEqual(planned.lastTimestamp, "2023-11-14T22:13:24Z")
    const attempt = start(["restore", ...places])
    await new Promise((resolve) => setTimeout(resolve, 900))
    attempt.process.kill("SIGKILL")
    await attempt.ended
    await succeed("restore", ...places)
    assert.deepStrictEqual(await dump(there, target), kept)
  })

  it("with original offsets gives a Java client the headers of the KBAK format, each once", async () => {
    const target = `${topic}-headers`
    const pitr = { timestamp: new Date(cutMillis).toISOString() }
    const places = restoreOf("headers", target, { includeOriginalOffsetHeader: true, offsets: "New", pitr })
    await succeed("restore", ...places)
    const next = new Map<number, number>()
    const expected = source
      .filter(({ timestamp }) => timestamp <= cutMillis)
      .map((record): DumpedRecord => {
        const number = (value: number, bytes: 4 | 8) => {
          const encoded = Buffer.alloc(bytes)
          if (bytes === 8) encoded.writeBigInt64LE(BigInt(value))
          else encoded.writeInt32LE(value)
          return encoded.toString("base64")
        }
        const key = (name: string) => Buffer.from(name).toString("base64")
        const offset = next.get(record.partition) ?? 0
        next.set(record.partition, offset + 1)
        return {
          ...record,
          offset,
          headers: [
            ...record.headers,
            [key("x-original-offset"), number(record.offset, 8)],
            [key("x-original-timestamp"), number(record.timestamp, 8)],
            [key("x-source-partition"), number(record.partition, 4)]
          ]
        }
      })
    assert.deepStrictEqual(await dump(there, target), expected)
  })

  it("to another number of partitions puts every key where the Java producer puts it, in order", async () => {
    const target = `${topic}-repartitioned`
    await succeed("restore", ...restoreOf("repartitioned", target, { offsets: "New", partitions: { [topic]: 5 } }))
    const found = await dump(there, target)
    const keys = [...new Set(source.flatMap(({ key }) => key ?? []))].slice(0, 800)
    assert.include(keys, "")
    const scratch = `${topic}-produced`
    await there.createTopics({ name: scratch, partitions: 5 })
    const { records } = await there.produce(
      scratch,
      keys.map((key) => ({ key: Buffer.from(key, "base64"), value: "v" }))
    )
    const placed = new Map(keys.map((key, i) => [key, records[i]!.partition]))
    const misplaced = found.filter(({ key, partition }) => key !== null && (placed.get(key) ?? partition) !== partition)
    assert.deepStrictEqual(misplaced, [])
    // Without place and offset both hold the same records, and those of one key in one source partition in order.
    const content = ({ headers, key, timestamp, value }: DumpedRecord) =>
      JSON.stringify([key, value, timestamp, headers])
    assert.sameMembers(found.map(content), source.map(content))
    for (const key of keys.slice(0, 50)) {
      const of = (all: ReadonlyArray<DumpedRecord>) => all.filter((record) => record.key === key).map(content)
      const inOrder = source.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
      assert.deepStrictEqual(of(found), of(inOrder))
    }
  })

  it("into a topic that exists appends behind its records, once, also after a kill", async () => {
    const target = `${topic}-live`
    await there.createTopics({
      name: target,
      partitions: 3,
      config: { "retention.ms": "-1", "segment.ms": "3600000" }
    })
    await there.load({ topic: target, count: 500, seed: 77 })
    const before = await dump(there, target)
    const places = restoreOf("live", target, { existingTopics: "Append", offsets: "New" })
    const attempt = start(["restore", ...places])
    await new Promise((resolve) => setTimeout(resolve, 1500))
    attempt.process.kill("SIGKILL")
    await attempt.ended
    await succeed("restore", ...places)
    const content = (records: ReadonlyArray<DumpedRecord>, partition: number) =>
      records.filter((record) => record.partition === partition).map(({ offset: _offset, ...rest }) => rest)
    const after = await dump(there, target)
    for (const partition of [0, 1, 2]) {
      const expected = [...content(before, partition), ...content(source, partition)]
      assert.deepStrictEqual(content(after, partition), expected)
      const offsets = after.filter((record) => record.partition === partition).map(({ offset }) => offset)
      assert.deepStrictEqual(
        offsets,
        offsets.map((_, at) => at)
      )
    }
    // The same again appends nothing, whatever others have written since.
    await there.load({ topic: target, count: 10, seed: 78 })
    await succeed("restore", ...places)
    assert.lengthOf(await dump(there, target), after.length + 10)
  })

  it("replaces a topic that is named, and goes on after a kill between its deletion and its creation", async () => {
    const target = `${topic}-replaced`
    await there.createTopics({ name: target, partitions: 2 })
    await there.load({ topic: target, count: 100, seed: 79 })
    const unnamed = restoreOf("unnamed", target, { existingTopics: "Recreate", confirmRecreate: [topic] })
    const refused = await kafkaBackup("restore", ...unnamed)
    assert.strictEqual(refused.code, 19)
    assert.include(refused.stderr, `topic ${target} exists, and confirmRecreate does not list it`)
    assert.lengthOf(await dump(there, target), 100)
    const places = restoreOf("replaced", target, { existingTopics: "Recreate", confirmRecreate: [target] })
    const { stdout } = await succeed("restore", ...places, "--dry-run")
    assert.match(stdout, /delete, create and write/)
    assert.lengthOf(await dump(there, target), 100)
    const attempt = start(["restore", ...places])
    await new Promise<void>((resolve) =>
      attempt.process.stderr!.on("data", (text: Buffer) => {
        if (text.toString().includes("deleted and created again")) resolve()
      })
    )
    attempt.process.kill("SIGKILL")
    await attempt.ended
    await succeed("restore", ...places)
    assert.deepStrictEqual(await dump(there, target), source)
    // What is there now is its own: it is not deleted again.
    await there.load({ topic: target, count: 10, seed: 80 })
    await succeed("restore", ...places)
    assert.lengthOf(await dump(there, target), source.length + 10)
  })
})
