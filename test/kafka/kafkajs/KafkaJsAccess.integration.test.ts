import { afterAll, beforeAll, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as KafkaJsSinks from "../../../src/kafka/KafkaJsSinks.ts"
import * as KafkaJsSources from "../../../src/kafka/KafkaJsSources.ts"
import { KafkaSinks } from "../../../src/kafka/KafkaSink.ts"
import { KafkaSources } from "../../../src/kafka/KafkaSource.ts"
import type { KafkaTarget } from "../../../src/kafka/KafkaTarget.ts"
import { clusterAccessContract } from "../../contract/clusterAccess.ts"
import { JavaKafka } from "../../harness/JavaKafka.ts"
import { describeWith } from "../../harness/services.ts"

const open = (target: KafkaTarget) =>
  Effect.gen(function* () {
    const sink = yield* Effect.flatMap(KafkaSinks, (sinks) => sinks.open(target))
    const source = yield* Effect.flatMap(KafkaSources, (sources) => sources.open(target))
    return { sink, source }
  }).pipe(Effect.provide(KafkaJsSinks.layer()), Effect.provide(KafkaJsSources.layer()))

describeWith(["kafka", "kafkaSecurity", "java"], "a broker with an authorizer", ({ java, kafka }) => {
  const { security } = kafka
  let client: JavaKafka
  beforeAll(async () => {
    client = await JavaKafka.start({ classpath: java.classpath, bootstrap: kafka.plaintext })
  })
  afterAll(() => client.close())

  const limited: KafkaTarget = {
    bootstrapServers: [security.saslPlaintext],
    sasl: {
      mechanism: "SCRAM-SHA-256",
      username: Redacted.make("limited"),
      password: Redacted.make(security.users.limited),
      secret: "kafka-credentials",
      usernameKey: "username",
      passwordKey: "password"
    }
  }

  clusterAccessContract(
    "KafkaJsSinks and KafkaJsSources",
    Effect.gen(function* () {
      return {
        ...(yield* open({ bootstrapServers: [kafka.plaintext] })),
        makeUser: (user: string) => Effect.promise(() => client.setScram(user, "SCRAM-SHA-512", "secret")),
        powerless: open(limited)
      }
    })
  )
})

describeWith(["kafka3"], "brokers without an authorizer", ({ kafka3 }) => {
  it.live("say so, and list users and quotas all the same", () =>
    Effect.gen(function* () {
      const { sink, source } = yield* open({ bootstrapServers: kafka3.bootstrap.split(",") })
      expect(yield* source.access.acls).toEqual({ _tag: "NoAuthorizer" })
      expect(yield* source.access.scramUsers).toEqual([])
      expect(Array.isArray(yield* source.access.quotas)).toBe(true)
      const acl = { resource: "topic", name: "t", pattern: "literal", principal: "User:a", host: "*" } as const
      const outcomes = yield* sink.access.createAcls([{ ...acl, operation: "Read", permission: "Allow" }])
      expect(outcomes.map(({ errorCode }) => errorCode)).toEqual([54])
    })
  )
})
