import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import { readFileSync } from "node:fs"
import * as KafkaJsSources from "../../../src/kafka/KafkaJsSources.ts"
import { KafkaSources } from "../../../src/kafka/KafkaSource.ts"
import type { KafkaTarget } from "../../../src/kafka/KafkaTarget.ts"
import { kafkaSourceContract } from "../../contract/kafkaSource.ts"
import { JavaKafka } from "../../harness/JavaKafka.ts"
import { describeWith } from "../../harness/services.ts"
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

describeWith(["kafkaSecurity", "java"], "a secured broker", ({ java, kafka }) => {
  const { security } = kafka
  const pem = (path: string) => readFileSync(path, "utf8")
  const topic = `secured-${crypto.randomUUID().slice(0, 8)}`

  const credentials = (
    mechanism: NonNullable<KafkaTarget["sasl"]>["mechanism"],
    password: string = security.users.backup
  ): Pick<KafkaTarget, "sasl"> => ({
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

  describe("lets in", () => {
    for (const [name, target] of admitted) {
      it.live(name, () =>
        Effect.gen(function* () {
          const source = yield* open(target())
          let records = 0
          yield* source.read({ topic, partition: 0, from: 0, until: 2 }).pipe(
            Stream.runForEach(({ batches, release }) =>
              Effect.sync(() => {
                for (const { recordCount } of batches) records += recordCount
                release()
              })
            )
          )
          expect(records).toBe(2)
        })
      )
    }
  })

  const refused: ReadonlyArray<readonly [string, () => KafkaTarget, string, string]> = [
    [
      "a wrong PLAIN password",
      () => ({ bootstrapServers: [security.saslPlaintext], ...credentials("PLAIN", "wrong-secret") }),
      "refused our SASL PLAIN credentials",
      "Secret kafka-credentials, keys username and password"
    ],
    [
      "a wrong SCRAM password",
      () => ({ bootstrapServers: [security.saslPlaintext], ...credentials("SCRAM-SHA-512", "wrong-secret") }),
      "refused our SASL SCRAM-SHA-512 credentials",
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

  describe("does not let in, and says why:", () => {
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
