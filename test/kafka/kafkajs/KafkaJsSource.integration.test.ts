import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { readFileSync } from "node:fs"
import * as KafkaJsSources from "../../../src/kafka/KafkaJsSources.ts"
import { KafkaSources } from "../../../src/kafka/KafkaSource.ts"
import type { PasswordCredentials } from "../../../src/kafka/KafkaCredentials.ts"
import type { KafkaTarget } from "../../../src/kafka/KafkaTarget.ts"
import { kafkaSourceContract } from "../../contract/kafkaSource.ts"
import { JavaKafka } from "../../harness/JavaKafka.ts"
import { describeWith } from "../../harness/services.ts"
import { collect } from "../support.ts"
import { javaDriver } from "./javaDriver.ts"

const open = (target: KafkaTarget) =>
  Effect.flatMap(KafkaSources, (sources) => sources.open(target)).pipe(Effect.provide(KafkaJsSources.layer()))

describeWith(["kafka", "java"], "a real broker", ({ java, kafka }) => {
  let client: JavaKafka
  beforeAll(async () => {
    client = await JavaKafka.start({ classpath: java.classpath, bootstrap: kafka.plaintext })
  })
  afterAll(() => client.close())

  kafkaSourceContract(
    "KafkaJsSources",
    Effect.gen(function* () {
      return { source: yield* open({ bootstrapServers: [kafka.plaintext] }), driver: javaDriver(client) }
    })
  )
})

describeWith(["kafka3", "java"], "a cluster of three brokers", ({ java, kafka3 }) => {
  let client: JavaKafka
  beforeAll(async () => {
    client = await JavaKafka.start({ classpath: java.classpath, bootstrap: kafka3.bootstrap })
  })
  afterAll(() => client.close())

  it.live("is read from each partition's own leader, and from the new one when leadership moves", () =>
    Effect.gen(function* () {
      const topic = `moving-${crypto.randomUUID().slice(0, 8)}`
      const count = 200
      yield* Effect.promise(async () => {
        await client.createTopics({ name: topic, partitions: 3, replicas: 3 })
        const records = Array.from({ length: count * 3 }, (_, i) => ({ partition: i % 3, value: `value-${i}` }))
        await client.produce(topic, records, { producer: { "batch.size": "500" } })
      })
      const source = yield* open({ bootstrapServers: kafka3.bootstrap.split(",").slice(0, 1) })
      const leaders = Effect.map(source.lookup([topic]), ([answer]) =>
        answer?._tag === "Found" ? answer.topic.partitions.map(({ leader }) => leader) : []
      )
      const before = yield* leaders
      expect(new Set(before).size).toBe(3)
      const read = (partition: number, from: number, until: number) =>
        collect(source, { topic, partition, from, until })
      for (const partition of [0, 1, 2]) yield* read(partition, 0, count / 2)
      for (const partition of [0, 1, 2]) {
        const successor = before.find((leader) => leader !== before[partition])!
        yield* Effect.promise(() => client.moveLeader(topic, partition, successor))
        const { records } = yield* read(partition, count / 2, count)
        const expected = Array.from({ length: count / 2 }, (_, i) => `value-${(count / 2 + i) * 3 + partition}`)
        expect(records.map(({ value }) => value?.toString())).toEqual(expected)
      }
      expect(yield* leaders).not.toEqual(before)
      // Nothing was written since: the first leader's epoch ends where the log does, whoever leads now.
      const places = [0, 1, 2].map((partition) => ({ topic, partition, leaderEpoch: 0 }))
      expect(yield* source.lineage(places)).toEqual(places.map((place) => ({ ...place, endOffset: count })))
    })
  )
})

describeWith(["kafkaSecurity", "java"], "a secured broker", ({ java, kafka }) => {
  const { security } = kafka
  const pem = (path: string) => readFileSync(path, "utf8")
  const topic = `secured-${crypto.randomUUID().slice(0, 8)}`

  const credentials = (
    mechanism: PasswordCredentials["mechanism"],
    password: string = security.users.backup
  ): { readonly sasl: PasswordCredentials } => ({
    sasl: {
      mechanism,
      username: Redacted.make("backup"),
      password: Redacted.make(password),
      secret: "kafka-credentials",
      usernameKey: "username",
      passwordKey: "password"
    }
  })
  const trust = () => ({ ca: pem(security.caPem), secret: "kafka-tls" })
  const stranger = () => ({ ca: pem(security.strangerCaPem), secret: "kafka-tls" })

  beforeAll(async () => {
    await using client = await JavaKafka.start({ classpath: java.classpath, bootstrap: kafka.plaintext })
    await client.createTopics({ name: topic })
    await client.produce(topic, [{ value: "one" }, { value: "two" }])
  })

  const admitted: ReadonlyArray<readonly [string, () => KafkaTarget]> = [
    ["SASL PLAIN", () => ({ bootstrapServers: [security.saslPlaintext], ...credentials("PLAIN") })],
    ["SCRAM-SHA-256", () => ({ bootstrapServers: [security.saslPlaintext], ...credentials("SCRAM-SHA-256") })],
    ["SCRAM-SHA-512", () => ({ bootstrapServers: [security.saslPlaintext], ...credentials("SCRAM-SHA-512") })],
    [
      "SCRAM-SHA-512 over TLS",
      () => ({ bootstrapServers: [security.saslSsl], tls: trust(), ...credentials("SCRAM-SHA-512") })
    ],
    [
      "a client certificate",
      () => ({
        bootstrapServers: [security.mtls],
        tls: { ...trust(), certificate: pem(security.clientCertPem), key: Redacted.make(pem(security.clientKeyPem)) }
      })
    ]
  ]

  describe("accepts", () => {
    for (const [name, target] of admitted) {
      it.live(name, () =>
        Effect.gen(function* () {
          const source = yield* open(target())
          expect((yield* collect(source, { topic, partition: 0, from: 0, until: 2 })).records).toHaveLength(2)
        })
      )
    }
  })

  it.live("reports each permission that a principal lacks", () =>
    Effect.gen(function* () {
      const hidden = `${topic}-hidden`
      yield* Effect.promise(async () => {
        await using client = await JavaKafka.start({ classpath: java.classpath, bootstrap: kafka.plaintext })
        await client.createTopics({ name: hidden })
        await client.grant({ user: "limited", resource: "TOPIC", name: topic, operations: ["READ"] })
      })
      const { sasl } = credentials("PLAIN", security.users.limited)
      const source = yield* open({
        bootstrapServers: [security.saslPlaintext],
        sasl: { ...sasl, username: Redacted.make("limited") }
      })
      const lookups = yield* source.lookup([topic, hidden])
      expect(lookups.map(({ _tag }) => _tag)).toEqual(["Found", "Denied"])
      expect((yield* collect(source, { topic, partition: 0, from: 0, until: 2 })).records).toHaveLength(2)
      const error = yield* Effect.flip(source.topicConfigs([topic]))
      expect(error.advice).toBe(`grant the principal DescribeConfigs on topic ${topic}`)
      expect(yield* source.groupOffsets([topic])).toEqual([])
    })
  )

  const refused: ReadonlyArray<readonly [string, () => KafkaTarget, string, string]> = [
    [
      "a wrong PLAIN password",
      () => ({ bootstrapServers: [security.saslPlaintext], ...credentials("PLAIN", "wrong-secret") }),
      "refused the SASL PLAIN credentials",
      "Secret kafka-credentials, keys username and password"
    ],
    [
      "a wrong SCRAM password",
      () => ({ bootstrapServers: [security.saslPlaintext], ...credentials("SCRAM-SHA-512", "wrong-secret") }),
      "refused the SASL SCRAM-SHA-512 credentials",
      "Secret kafka-credentials, keys username and password"
    ],
    [
      "nobody without SASL",
      () => ({ bootstrapServers: [security.saslPlaintext] }),
      "the listener requires SASL; it offers",
      "securityProtocol to SASL_PLAINTEXT or SASL_SSL"
    ],
    [
      "an authority that did not sign",
      () => ({ bootstrapServers: [security.ssl], tls: stranger() }),
      "is not trusted",
      "Secret kafka-tls, key ca.crt"
    ],
    [
      "plaintext on a TLS listener",
      () => ({ bootstrapServers: [security.ssl] }),
      "the listener speaks TLS",
      "securityProtocol to SSL or SASL_SSL"
    ],
    [
      "TLS on a plaintext listener",
      () => ({ bootstrapServers: [kafka.plaintext], tls: trust() }),
      "does not speak TLS",
      "PLAINTEXT or SASL_PLAINTEXT"
    ],
    [
      "no client certificate where one is required",
      () => ({ bootstrapServers: [security.mtls], tls: trust() }),
      "requires a client certificate",
      "Secret kafka-tls, keys tls.crt and tls.key"
    ],
    [
      "SASL on a listener without it",
      () => ({ bootstrapServers: [kafka.plaintext], ...credentials("PLAIN") }),
      "does not use SASL",
      "securityProtocol to PLAINTEXT or SSL"
    ]
  ]

  describe("refuses, with a reason:", () => {
    for (const [name, target, said, advised] of refused) {
      it.live(name, () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(open(target()))
          expect(error.isRetryable).toBe(false)
          expect(error.message).toContain(said)
          expect(error.advice).toContain(advised)
          expect(`${error.message} ${error.advice} ${JSON.stringify(error)}`).not.toContain("wrong-secret")
        })
      )
    }
  })
})
