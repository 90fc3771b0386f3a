import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import type { KafkaTarget } from "../../src/kafka/KafkaTarget.ts"
import { KafkaClusterSpec } from "../../src/resource/KafkaClusterSpec.ts"
import * as ServiceAccountToken from "../../src/resource/ServiceAccountToken.ts"
import { MemorySecrets } from "../../src/testing/MemorySecrets.ts"
import * as Connections from "../../src/worker/Connections.ts"
import { saslBlocks } from "../resource/badSasl.ts"

type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>

const opened = (sasl: unknown) =>
  Effect.flatMap(
    Schema.decodeUnknownEffect(KafkaClusterSpec)({
      bootstrapServers: ["kafka:9092"],
      securityProtocol: "SASL_SSL",
      tlsSecret: { name: "kafka-tls" },
      sasl
    }),
    Connections.kafka
  )

/** The target of a block of `sasl` with these Secrets, and what it is after `change`. */
const target = (sasl: unknown, secrets: Secrets, change: Secrets = {}) =>
  Effect.gen(function* () {
    const { put } = yield* MemorySecrets
    const all: Secrets = { "kafka-tls": { "ca.crt": "pem" }, ...secrets }
    for (const [name, values] of Object.entries(all)) yield* put(name, values)
    const first: KafkaTarget = yield* opened(sasl)
    for (const [name, values] of Object.entries(change)) yield* put(name, values)
    const later = yield* first.reread ?? Effect.succeed(undefined)
    return { first: first.sasl, later: later?.sasl }
  }).pipe(Effect.provide(MemorySecrets.layer))

const shown = (redacted: Redacted.Redacted): string => Redacted.value(redacted)

describe("Connections.kafka with tokens", () => {
  it.effect("reads the client's id and secret, and what else the token endpoint needs", () =>
    Effect.gen(function* () {
      const block = saslBlocks.clientCredentials()
      const { first } = yield* target(block, { "kafka-client": { secret: "s\n" }, "sso-ca": { "ca.pem": "pem" } })
      if (first?.mechanism !== "OAUTHBEARER" || first.source._tag !== "ClientCredentials") return assert.fail()
      const { clientId, clientSecret, ...rest } = first.source
      assert.deepStrictEqual([shown(clientId), shown(clientSecret)], ["kafka-backup", "s"])
      assert.deepStrictEqual(rest, {
        _tag: "ClientCredentials",
        tokenEndpoint: "https://sso.example.com:8443/realms/kafka/token?tenant=a",
        sentIn: "Body",
        scope: "kafka read",
        audience: "https://kafka.example.com",
        authorities: { pem: "pem", secret: "sso-ca", key: "ca.pem" },
        origin: { secret: "kafka-client", keys: ["secret"] }
      })
      assert.deepStrictEqual(first.extensions, { logicalCluster: "lkc-1", identityPoolId: "pool-1" })
    })
  )

  it.effect("reads a rotated Secret again", () =>
    Effect.gen(function* () {
      const secret = (token: string) => ({ "kafka-token": { jwt: token } })
      const { first, later } = yield* target(saslBlocks.tokenSecret(), secret("one\n"), secret("two\n"))
      const token = (sasl: KafkaTarget["sasl"]) =>
        sasl?.mechanism === "OAUTHBEARER" && sasl.source._tag === "GivenToken" ? shown(sasl.source.token) : ""
      assert.deepStrictEqual([token(first), token(later)], ["one", "two"])
    })
  )

  it.effect(
    "reads the token of the service account where the operator mounts it, and says how it is made by hand",
    () =>
      Effect.gen(function* () {
        const block = saslBlocks.serviceAccountToken()
        const file = "https_3A_2F_2Fkafka.example.com"
        const { first } = yield* target(block, { "service-account-tokens": { [file]: "token" } })
        assert.strictEqual(first?.mechanism, "OAUTHBEARER")
        const error = yield* Effect.flip(target(block, {}))
        assert.include(error.message, `Secret service-account-tokens, key ${file}: `)
        assert.include(error.message, "kubectl create token --audience https://kafka.example.com")
      })
  )

  it.effect("reads static keys for MSK, or none where the pod's identity is used", () =>
    Effect.gen(function* () {
      const { first } = yield* target(saslBlocks.awsMskIam(), { "msk-keys": { id: "AKIA\n", secret: "s\n" } })
      if (first?.mechanism !== "AWS_MSK_IAM" || first.credentials === undefined) return assert.fail()
      assert.deepStrictEqual(first.role, {
        arn: "arn:aws:iam::123456789012:role/kafka/backup",
        externalId: "company-1"
      })
      assert.deepStrictEqual([first.credentials.accessKeyId, first.credentials.secretAccessKey].map(shown), [
        "AKIA",
        "s"
      ])
      const own = yield* target({ mechanism: "AWS_MSK_IAM", awsMskIam: { region: "us-east-1" } }, {})
      assert.deepStrictEqual(own.first, { mechanism: "AWS_MSK_IAM", region: "us-east-1" })
    })
  )

  it.effect("names the Secret and key that is missing", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(target(saslBlocks.awsMskIam(), { "msk-keys": { id: "AKIA" } }))
      assert.include(error.message, "Secret msk-keys, key secret")
    })
  )
})

describe("the file of a service account's token", () => {
  it("has a name that no other audience has, and that is a key of a Secret", () => {
    const audiences = ["kafka", "a/b", "a_b", "a_2Fb", "https://kafka.example.com", "ü"]
    const files = audiences.map(ServiceAccountToken.file)
    assert.strictEqual(new Set(files).size, audiences.length)
    for (const file of files) assert.match(file, /^[-._a-zA-Z0-9]+$/)
    // A resource that never met the rules of an API server: the name is that of a file in the folder.
    for (const path of ["..", ".", "../../etc/passwd", "..data"]) {
      assert.match(ServiceAccountToken.file(path), /^[a-zA-Z0-9_][-._a-zA-Z0-9]*$/)
    }
    assert.isBelow(ServiceAccountToken.file("/".repeat(80)).length, 254)
  })
})
