import { afterAll, beforeAll, expect, it } from "@effect/vitest"
import { Clock, Effect, Redacted, Schedule } from "effect"
import { Kafka, logLevel } from "kafkajs"
import { readFileSync } from "node:fs"
import * as KafkaJsSinks from "../../../src/kafka/KafkaJsSinks.ts"
import * as KafkaJsSources from "../../../src/kafka/KafkaJsSources.ts"
import { KafkaSinks } from "../../../src/kafka/KafkaSink.ts"
import { KafkaSources } from "../../../src/kafka/KafkaSource.ts"
import type { PasswordCredentials } from "../../../src/kafka/KafkaCredentials.ts"
import type { KafkaTarget } from "../../../src/kafka/KafkaTarget.ts"
import { kafkaSinkContract, type SinkDriver } from "../../contract/kafkaSink.ts"
import { JavaKafka } from "../../harness/JavaKafka.ts"
import { describeWith } from "../../harness/services.ts"
import { sealed } from "../sealing.ts"
import { collect, someRecords } from "../support.ts"
import { javaDriver } from "./javaDriver.ts"

const openSink = (target: KafkaTarget) =>
  Effect.flatMap(KafkaSinks, (sinks) => sinks.open(target)).pipe(Effect.provide(KafkaJsSinks.layer()))

const openSource = (target: KafkaTarget) =>
  Effect.flatMap(KafkaSources, (sources) => sources.open(target)).pipe(Effect.provide(KafkaJsSources.layer()))

/** A consumer of kafkajs, which has joined the group when this ends. */
const joined = (bootstrap: string, groupId: string, topic: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const consumer = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING }).consumer({ groupId })
      await consumer.connect()
      await consumer.subscribe({ topic })
      const hasJoined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve))
      await consumer.run({ eachMessage: async () => undefined })
      await hasJoined
      return consumer
    }),
    (consumer) => Effect.promise(() => consumer.disconnect())
  )

const asUser = (
  username: string,
  password: string,
  mechanism: PasswordCredentials["mechanism"],
  bootstrap: string
): KafkaTarget => ({
  bootstrapServers: [bootstrap],
  sasl: {
    mechanism,
    username: Redacted.make(username),
    password: Redacted.make(password),
    secret: "kafka-credentials",
    usernameKey: "username",
    passwordKey: "password"
  }
})

describeWith(["kafka", "java"], "a real broker", ({ java, kafka }) => {
  let client: JavaKafka
  beforeAll(async () => {
    client = await JavaKafka.start({ classpath: java.classpath, bootstrap: kafka.plaintext })
  })
  afterAll(() => client.close())

  const driver = (): SinkDriver => {
    const { security } = kafka
    const { createTopic, deleteTopic } = javaDriver(client)
    return {
      createTopic,
      deleteTopic,
      join: (groupId, topic) => Effect.asVoid(joined(kafka.plaintext, groupId, topic)),
      ...(security === undefined
        ? {}
        : {
            powerless: (topic) =>
              Effect.andThen(
                Effect.promise(() =>
                  client.grant({ user: "limited", resource: "TOPIC", name: topic, operations: ["DESCRIBE"] })
                ),
                openSink(asUser("limited", security.users.limited, "PLAIN", security.saslPlaintext))
              )
          })
    }
  }

  kafkaSinkContract(
    "KafkaJsSinks",
    Effect.gen(function* () {
      const target = { bootstrapServers: [kafka.plaintext] }
      return { sink: yield* openSink(target), source: yield* openSource(target), driver: driver() }
    })
  )
})

describeWith(["kafka3", "java"], "a cluster of three brokers", ({ java, kafka3 }) => {
  let client: JavaKafka
  beforeAll(async () => {
    client = await JavaKafka.start({ classpath: java.classpath, bootstrap: kafka3.bootstrap })
  })
  afterAll(() => client.close())

  const target = { bootstrapServers: kafka3.bootstrap.split(",").slice(0, 1) }

  it.live("is written to at each partition's own leader, and at the new one when leadership moves", () =>
    Effect.gen(function* () {
      const topic = `sink-moving-${crypto.randomUUID().slice(0, 8)}`
      yield* Effect.promise(() => client.createTopics({ name: topic, partitions: 3, replicas: 3 }))
      const sink = yield* openSink(target)
      const source = yield* openSource(target)
      const leaders = Effect.map(sink.lookup([topic]), ([answer]) =>
        answer?._tag === "Found" ? answer.topic.partitions.map(({ leader }) => leader) : []
      )
      const producer = yield* sink.producer()
      const write = (partition: number, baseSequence: number) =>
        sink
          .append({ topic, partition, batch: sealed(someRecords(10, baseSequence), { ...producer, baseSequence }) })
          .pipe(
            // The same batch again: the producer's sequence keeps it from being appended twice.
            Effect.repeat({
              until: ({ _tag }) => _tag === "Appended",
              schedule: Schedule.spaced("50 millis"),
              times: 200
            })
          )
      const before = yield* leaders
      expect(new Set(before).size).toBe(3)
      for (const partition of [0, 1, 2]) {
        expect(yield* write(partition, 0)).toEqual({ _tag: "Appended", baseOffset: 0 })
        const successor = before.find((leader) => leader !== before[partition])!
        yield* Effect.promise(() => client.moveLeader(topic, partition, successor))
        expect(yield* write(partition, 10)).toEqual({ _tag: "Appended", baseOffset: 10 })
        const { records } = yield* collect(source, { topic, partition, from: 0, until: 20 })
        expect(records.map(({ value }) => value?.toString())).toEqual(someRecords(20).map(({ value }) => value))
      }
      expect(yield* leaders).not.toEqual(before)
    })
  )
})

describeWith(["kafkaSecurity", "java"], "a broker whose SASL sessions end after four seconds", ({ java, kafka }) => {
  it.live("is written to over TLS across renewals of the session, without a hole", () =>
    Effect.gen(function* () {
      const { security } = kafka
      const topic = `sink-sessions-${crypto.randomUUID().slice(0, 8)}`
      yield* Effect.promise(async () => {
        await using client = await JavaKafka.start({ classpath: java.classpath, bootstrap: kafka.plaintext })
        await client.createTopics({ name: topic })
      })
      const sink = yield* openSink({
        ...asUser("backup", security.users.backup, "SCRAM-SHA-512", security.shortSessions),
        tls: { ca: readFileSync(security.caPem, "utf8"), secret: "kafka-tls" }
      })
      const producer = yield* sink.producer()
      const started = yield* Clock.currentTimeMillis
      for (let sequence = 0; (yield* Clock.currentTimeMillis) < started + 7000; sequence += 50) {
        const outcomes = yield* Effect.forEach(
          [0, 10, 20, 30, 40],
          (more) => {
            const baseSequence = sequence + more
            const batch = sealed(someRecords(10, baseSequence), { ...producer, baseSequence })
            return sink.append({ topic, partition: 0, batch })
          },
          { concurrency: "unbounded" }
        )
        expect(outcomes).toEqual([0, 10, 20, 30, 40].map((more) => ({ _tag: "Appended", baseOffset: sequence + more })))
      }
    })
  )
})
