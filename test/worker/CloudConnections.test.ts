import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema } from "effect"
import * as Connections from "../../src/worker/Connections.ts"
import { StorageSpec } from "../../src/resource/StorageSpec.ts"
import { KafkaClusterSpec } from "../../src/resource/KafkaClusterSpec.ts"
import * as MountedSecrets from "../../src/secrets/MountedSecrets.ts"
import { MemorySecrets } from "../../src/testing/MemorySecrets.ts"

/** The target of a storage block as a user writes it, with these Secrets mounted. */
const target = (storage: unknown, secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {}) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "kafka-backup-secrets-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
    )
    for (const [secret, values] of Object.entries(secrets)) {
      mkdirSync(join(folder, secret))
      for (const [key, value] of Object.entries(values)) writeFileSync(join(folder, secret, key), value)
    }
    const spec = yield* Schema.decodeUnknownEffect(StorageSpec)(storage)
    const layer = MountedSecrets.layer(folder).pipe(Layer.provide(NodeServices.layer))
    return yield* Connections.storage(spec, undefined).pipe(Effect.provide(layer))
  })

const azure = (more: object) => ({
  storageType: "azure",
  azure: { accountName: "kafkabackups123456", container: "kafka-backups", prefix: "production/", ...more }
})

describe("Connections.storage", () => {
  it.effect("reads an account key without the line break that an editor adds", () =>
    Effect.gen(function* () {
      const found = yield* target(azure({ credentialsSecret: { name: "azure-storage" } }), {
        "azure-storage": { AZURE_STORAGE_KEY: "key==\n" }
      })
      if (found._tag !== "Azure" || found.credentials._tag !== "AccountKey") return assert.fail(found._tag)
      assert.strictEqual(Redacted.value(found.credentials.accountKey), "key==")
      assert.deepStrictEqual(found.credentials.origin, { secret: "azure-storage", keys: ["AZURE_STORAGE_KEY"] })
      assert.strictEqual(found.prefix, "production")
      assert.isUndefined(found.endpoint)
    })
  )

  it.effect("refuses by name what cannot be sent, and never shows it", () =>
    Effect.gen(function* () {
      const s3 = { bucket: "kafka-backups", region: "eu-west-1", credentialsSecret: { name: "s3-credentials" } }
      const stores = {
        accessKey: (value: string) =>
          target({ storageType: "s3", s3 }, { "s3-credentials": { accessKey: value, secretKey: "s" } }),
        secretKey: (value: string) =>
          target({ storageType: "s3", s3 }, { "s3-credentials": { accessKey: "a", secretKey: value } }),
        AZURE_STORAGE_KEY: (value: string) =>
          target(azure({ credentialsSecret: { name: "azure" } }), { azure: { AZURE_STORAGE_KEY: value } }),
        AZURE_SAS_TOKEN: (value: string) =>
          target(azure({ sasTokenSecret: { name: "azure" } }), { azure: { AZURE_SAS_TOKEN: value } })
      }
      for (const [key, read] of Object.entries(stores)) {
        for (const [value, detail] of [
          ["geheim\n\n", "more than one line break at its end"],
          ["geheim\r\n\r\n", "more than one line break at its end"],
          ["geh\neim", "a line break inside it"],
          ["geheim\0", "a NUL byte"],
          ...(key === "secretKey" ? [] : [["geheimniß", "not printable ASCII"] as const])
        ] as const) {
          const error = yield* Effect.flip(read(value))
          if (error._tag !== "WorkerError") return assert.fail(error._tag)
          assert.strictEqual(error.reason._tag, "SecretUnusable")
          assert.include(error.message, `key ${key}: the value has `)
          assert.include(error.message, detail)
          assert.notInclude(JSON.stringify(error), "geh")
        }
        yield* read("plain+/=\r\n")
      }
      yield* stores.secretKey("geheimniß")
    }).pipe(Effect.scoped)
  )

  it.effect("takes passwords of Kafka with umlauts and blanks, and refuses line breaks and NUL", () =>
    Effect.gen(function* () {
      const password = (value: string) =>
        Effect.gen(function* () {
          yield* (yield* MemorySecrets).put("kafka", { username: "jürgen", password: value })
          const spec = yield* Schema.decodeUnknownEffect(KafkaClusterSpec)({
            bootstrapServers: ["kafka:9092"],
            securityProtocol: "SASL_PLAINTEXT",
            saslSecret: { name: "kafka", mechanism: "PLAIN" }
          })
          const { sasl } = yield* Connections.kafka(spec)
          return sasl?.mechanism === "PLAIN" ? Redacted.value(sasl.password) : ""
        }).pipe(Effect.provide(MemorySecrets.layer))
      assert.strictEqual(yield* password(" Grüße,\t世界 \n"), " Grüße,\t世界 ")
      for (const bad of ["a\n\n", "a\nb", "a\0b"]) {
        assert.include((yield* Effect.flip(password(bad))).message, "Secret kafka, key password: the value has ")
      }
    })
  )

  it.effect("reads a SAS token, under a key of the user's choice", () =>
    Effect.gen(function* () {
      const found = yield* target(azure({ sasTokenSecret: { name: "sas", sasTokenKey: "token" } }), {
        sas: { token: "?sv=1&sig=2\n" }
      })
      if (found._tag !== "Azure" || found.credentials._tag !== "SasToken") return assert.fail(found._tag)
      assert.strictEqual(Redacted.value(found.credentials.sasToken), "?sv=1&sig=2")
    })
  )

  it.effect("reads the three values of a service principal", () =>
    Effect.gen(function* () {
      const found = yield* target(
        azure({ servicePrincipalSecret: { name: "sp" }, endpoint: "https://a.blob.core.usgovcloudapi.net" }),
        { sp: { AZURE_CLIENT_ID: "client\n", AZURE_TENANT_ID: "tenant", AZURE_CLIENT_SECRET: "secret\n" } }
      )
      if (found._tag !== "Azure" || found.credentials._tag !== "ServicePrincipal") return assert.fail(found._tag)
      const { clientId, clientSecret, tenantId } = found.credentials
      assert.deepStrictEqual([clientId, tenantId, clientSecret].map(Redacted.value), ["client", "tenant", "secret"])
      assert.strictEqual(found.endpoint, "https://a.blob.core.usgovcloudapi.net")
    })
  )

  it.effect("uses workload identity if it is set, and the identity of the platform if nothing is", () =>
    Effect.gen(function* () {
      const asked = yield* target(azure({ useWorkloadIdentity: true }))
      const nothing = yield* target(azure({}))
      assert.strictEqual(asked._tag === "Azure" && asked.credentials._tag, "WorkloadIdentity")
      assert.strictEqual(nothing._tag === "Azure" && nothing.credentials._tag, "Platform")
    })
  )

  it.effect("reads the key file of a service account unchanged, and none without a Secret", () =>
    Effect.gen(function* () {
      const gcs = { bucket: "kafka-backups", prefix: "production/hourly" }
      const found = yield* target(
        { storageType: "gcs", gcs: { ...gcs, credentialsSecret: { name: "gcs-credentials" } } },
        { "gcs-credentials": { "credentials.json": '{\n  "type": "service_account"\n}\n' } }
      )
      if (found._tag !== "Gcs" || found.credentials === undefined) return assert.fail(found._tag)
      assert.strictEqual(Redacted.value(found.credentials.keyFile), '{\n  "type": "service_account"\n}\n')
      assert.deepStrictEqual(found.credentials.origin, { secret: "gcs-credentials", keys: ["credentials.json"] })
      assert.deepStrictEqual(yield* target({ storageType: "gcs", gcs }), { _tag: "Gcs", ...gcs })
    })
  )

  it.effect("reads the authorities of an S3 endpoint unchanged, under a key of the user's choice", () =>
    Effect.gen(function* () {
      const s3 = { bucket: "kafka-backups", region: "us-east-1", endpoint: "https://minio:9000" }
      const storage = (caSecret: object) => ({ storageType: "s3", s3: { ...s3, caSecret } })
      const values = { "minio-ca": { "ca.crt": "one\r\n", "other.pem": "two\n" } }
      const found = yield* target(storage({ name: "minio-ca" }), values)
      const authorities = { pem: "one\r\n", origin: { secret: "minio-ca", key: "ca.crt" } }
      assert.deepStrictEqual(found, { _tag: "S3", ...s3, authorities })
      const other = yield* target(storage({ name: "minio-ca", caKey: "other.pem" }), values)
      assert.strictEqual(other._tag === "S3" ? other.authorities?.pem : undefined, "two\n")
      const error = yield* Effect.flip(target(storage({ name: "minio-ca", caKey: "tls.crt" }), values))
      assert.match(String(error), /minio-ca.*tls[.]crt/u)
    })
  )

  it.effect("names the Secret and the missing key", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        target(azure({ servicePrincipalSecret: { name: "sp" } }), { sp: { AZURE_CLIENT_ID: "client" } })
      )
      assert.include(String(error), "AZURE_TENANT_ID")
      assert.include(String(error), "sp")
    })
  )
})
