import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { type DumpedRecord, JavaKafka, readDump } from "./JavaKafka.ts"
import { RecordDigest } from "./RecordDigest.ts"
import { describeWith } from "./services.ts"

const text = (base64: string | null): string | null =>
  base64 === null ? null : Buffer.from(base64, "base64").toString()

describeWith(["kafka", "java"], "JavaKafka", ({ java, kafka }) => {
  let client: JavaKafka
  let folder: string
  const unique = (name: string) => `${name}-${crypto.randomUUID().slice(0, 8)}`

  const dump = async (...topics: ReadonlyArray<string>): Promise<ReadonlyArray<DumpedRecord>> => {
    const file = join(folder, `${crypto.randomUUID()}.jsonl`)
    await client.dumpTo(file, ...topics)
    const records: Array<DumpedRecord> = []
    for await (const record of readDump(file)) records.push(record)
    return records
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "java-kafka-"))
    client = await JavaKafka.start({ classpath: java.classpath, bootstrap: kafka.plaintext })
  })
  afterAll(async () => {
    await client.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it("reads back nulls, empties, binary and repeated headers as they were written", async () => {
    const topic = unique("shapes")
    await client.createTopics({ name: topic, partitions: 2 })
    await client.produce(topic, [
      { partition: 1, key: null, value: "no key", timestamp: 1_000 },
      { partition: 1, key: "tombstone", value: null, timestamp: 2_000 },
      { partition: 0, key: "", value: "", timestamp: 3_000 },
      {
        partition: 0,
        key: new Uint8Array([0, 255, 128]),
        value: "☃",
        timestamp: 4_000,
        headers: [
          ["a", "1"],
          ["a", "2"],
          ["", ""],
          ["ž", null]
        ]
      }
    ])
    const [empty, odd, keyless, tombstone, ...rest] = await dump(topic)
    assert.deepStrictEqual(rest, [])
    assert.deepInclude(empty, { partition: 0, offset: 0, timestamp: 3_000, key: "", value: "", headers: [] })
    assert.strictEqual(odd?.key, "AP+A")
    assert.strictEqual(text(odd?.value ?? null), "☃")
    assert.deepStrictEqual(
      odd?.headers.map(([key, value]) => [text(key), text(value)]),
      [
        ["a", "1"],
        ["a", "2"],
        ["", ""],
        ["ž", null]
      ]
    )
    assert.deepInclude(keyless, { partition: 1, offset: 0, key: null, value: Buffer.from("no key").toString("base64") })
    assert.deepInclude(tombstone, { partition: 1, offset: 1, value: null })
  })

  it("shows committed records only, and stops before an open transaction", async () => {
    const topic = unique("transactions")
    await client.createTopics({ name: topic })
    await client.produce(topic, [{ value: "aborted" }], { transaction: "abort" })
    await client.produce(topic, [{ value: "committed" }], { transaction: "commit" })
    const open = await client.produce(topic, [{ value: "open" }], { transaction: "open" })
    await client.produce(topic, [{ value: "behind the open one" }])
    assert.deepStrictEqual(
      (await dump(topic)).map(({ value }) => text(value)),
      ["committed"]
    )
    const [before] = (await client.offsets(topic))[topic] ?? []
    assert.deepStrictEqual(before, { partition: 0, start: 0, stable: 4, end: 6 })
    await client.endTransaction(open.transactionalId ?? "", "commit")
    assert.deepStrictEqual(
      (await dump(topic)).map(({ value }) => text(value)),
      ["committed", "open", "behind the open one"]
    )
  })

  it("writes the same bytes for the same seed with every codec", async () => {
    const [first, second] = [unique("seed"), unique("seed")]
    await client.createTopics({ name: first, partitions: 3 }, { name: second, partitions: 3 })
    await client.load({ topic: first, count: 6_000, seed: 42, shape: "mixed", codec: "rotate" })
    await client.load({ topic: second, count: 6_000, seed: 42, shape: "mixed", codec: "none" })
    const digests = await client.digest(first, second)
    const hashes = (topic: string) => digests.filter((one) => one.topic === topic).map(({ sha256 }) => sha256)
    assert.strictEqual(new Set(hashes(first)).size, 3)
    assert.deepStrictEqual(hashes(first), hashes(second))
  })

  it("hashes records as RecordDigest does", async () => {
    const topic = unique("digest")
    await client.createTopics({ name: topic })
    await client.load({ topic, count: 3_000, seed: 7, shape: "mixed", codec: "rotate", transactionEvery: 100 })
    const [java] = await client.digest(topic)
    const digest = new RecordDigest()
    const bytes = (base64: string | null) => (base64 === null ? null : Buffer.from(base64, "base64"))
    for (const record of await dump(topic)) {
      digest.add({
        ...record,
        key: bytes(record.key),
        value: bytes(record.value),
        headers: record.headers.map(([key, value]) => [Buffer.from(key, "base64"), bytes(value)])
      })
    }
    assert.strictEqual(digest.records, 2_000)
    assert.strictEqual(digest.hex(), java?.sha256)
  })

  it("writes and reads a record of 10 MB", async () => {
    const topic = unique("large")
    await client.createTopics({ name: topic })
    await client.load({ topic, count: 2, seed: 1, shape: "random", valueBytes: 10_000_000 })
    const [digest] = await client.digest(topic)
    assert.strictEqual(digest?.bytes, 2 * 10_000_024)
  })

  it("moves the log start, re-creates topics under a new id, and sets group offsets", async () => {
    const topic = unique("admin")
    const ids = await client.createTopics({ name: topic })
    await client.load({ topic, count: 10, seed: 1 })
    await client.deleteRecords(topic, { 0: 4 })
    assert.deepStrictEqual(
      (await dump(topic)).map(({ offset }) => offset),
      [4, 5, 6, 7, 8, 9]
    )
    const group = unique("group")
    await client.commitOffsets(group, { [topic]: { 0: 7 } })
    assert.deepStrictEqual(await client.groupOffsets(group), { [topic]: { 0: 7 } })
    await client.deleteTopics(topic)
    const again = await client.createTopics({ name: topic })
    assert.notStrictEqual(again[topic], ids[topic])
    assert.deepStrictEqual(await dump(topic), [])
  })

  it("says what Kafka said when a call is refused", async () => {
    const error = await client.describeTopics(unique("absent")).then(
      () => undefined,
      (cause: Error) => cause
    )
    assert.include(error?.message, "UnknownTopicOrPartitionException")
  })
})

describeWith(["kafkaSecurity", "java"], "the broker's secured listeners", ({ java, kafka }) => {
  const { security } = kafka
  const plain = (user: string, password: string) =>
    `org.apache.kafka.common.security.plain.PlainLoginModule required username="${user}" password="${password}";`
  const scram = (user: string, password: string) =>
    `org.apache.kafka.common.security.scram.ScramLoginModule required username="${user}" password="${password}";`
  const trust = { "ssl.truststore.type": "PEM", "ssl.truststore.location": security.caPem }
  const timeouts = { "request.timeout.ms": "8000", "default.api.timeout.ms": "8000" }
  let topic: string
  let admin: JavaKafka
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "java-kafka-"))
    topic = `secured-${crypto.randomUUID().slice(0, 8)}`
    admin = await JavaKafka.start({ classpath: java.classpath, bootstrap: kafka.plaintext })
    await admin.createTopics({ name: topic })
  })
  afterAll(async () => {
    await admin.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The topic's name when it could be described, else what Kafka said. */
  const describeOver = async (bootstrap: string, client: Readonly<Record<string, string>>): Promise<string> => {
    const connection = admin.connect({ bootstrap, client: { ...client, ...timeouts } })
    return connection.describeTopics(topic).then(
      ([one]) => one?.name ?? "",
      (error: Error) => error.message
    )
  }

  it.for(["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"])(
    "accept the right password over SASL_SSL (%s)",
    async (mechanism) => {
      const module = mechanism === "PLAIN" ? plain : scram
      const client = {
        ...trust,
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": mechanism,
        "sasl.jaas.config": module("backup", security.users.backup)
      }
      assert.strictEqual(await describeOver(security.saslSsl, client), topic)
    }
  )

  it("refuse a wrong password", async () => {
    const client = {
      "security.protocol": "SASL_PLAINTEXT",
      "sasl.mechanism": "PLAIN",
      "sasl.jaas.config": plain("backup", "wrong")
    }
    assert.include(await describeOver(security.saslPlaintext, client), "SaslAuthenticationException")
  })

  it("hide topics from `limited` until an ACL allows them", async () => {
    const client = {
      "security.protocol": "SASL_PLAINTEXT",
      "sasl.mechanism": "SCRAM-SHA-512",
      "sasl.jaas.config": scram("limited", security.users.limited)
    }
    assert.include(await describeOver(security.saslPlaintext, client), "TopicAuthorizationException")
    const acl = { user: "limited", resource: "TOPIC", name: topic, operations: ["READ"] } as const
    await admin.grant(acl)
    assert.strictEqual(await describeOver(security.saslPlaintext, client), topic)
    await admin.revoke(acl)
    assert.include(await describeOver(security.saslPlaintext, client), "TopicAuthorizationException")
  })

  it("are TLS that only the right authority vouches for", async () => {
    assert.strictEqual(await describeOver(security.ssl, { ...trust, "security.protocol": "SSL" }), topic)
    const stranger = { ...trust, "ssl.truststore.location": security.strangerCaPem, "security.protocol": "SSL" }
    assert.include(await describeOver(security.ssl, stranger), "SslAuthenticationException")
  })

  it("take the user from the client's certificate where they ask for one", async () => {
    const store = join(folder, "client.pem")
    writeFileSync(store, readFileSync(security.clientKeyPem, "utf8") + readFileSync(security.clientCertPem, "utf8"))
    const client = { ...trust, "security.protocol": "SSL" }
    const certificate = { "ssl.keystore.type": "PEM", "ssl.keystore.location": store }
    assert.strictEqual(await describeOver(security.mtls, { ...client, ...certificate }), topic)
    assert.include(await describeOver(security.mtls, client), "SslAuthenticationException")
  })
})

describeWith(["kafka3", "java"], "the cluster of three", ({ java, kafka3 }) => {
  it("moves a partition's leader to a given broker", async () => {
    await using kafka = await JavaKafka.start({ classpath: java.classpath, bootstrap: kafka3.bootstrap })
    const topic = `led-${crypto.randomUUID().slice(0, 8)}`
    await kafka.createTopics({ name: topic, partitions: 3, replicas: 2 })
    await kafka.load({ topic, count: 300, seed: 3 })
    for (const broker of [1, 2, 3]) {
      await kafka.moveLeader(topic, 0, broker)
      const [description] = await kafka.describeTopics(topic)
      assert.strictEqual(description?.partitions[0]?.leader, broker)
    }
    const digests = await kafka.digest(topic)
    assert.deepStrictEqual(
      digests.map(({ records }) => records),
      [100, 100, 100]
    )
  })
})
