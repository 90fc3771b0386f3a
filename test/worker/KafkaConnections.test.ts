import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import { KafkaClusterSpec } from "../../src/resource/KafkaClusterSpec.ts"
import { MemorySecrets } from "../../src/testing/MemorySecrets.ts"
import * as Connections from "../../src/worker/Connections.ts"

const target = (spec: object, secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {}) =>
  Effect.gen(function* () {
    const store = yield* MemorySecrets
    for (const [name, data] of Object.entries(secrets)) yield* store.put(name, data)
    return yield* Connections.kafka(yield* Schema.decodeUnknownEffect(KafkaClusterSpec)(spec))
  }).pipe(Effect.provide(MemorySecrets.layer))

const tls = { bootstrapServers: ["kafka:9093"], securityProtocol: "SSL" }
const ca = { "ca.crt": "authorities" }
const user = { "user.crt": "certificate", "user.key": "key", "ca.crt": "authorities of clients" }
const ofUser = { name: "user", certKey: "user.crt", keyKey: "user.key" }

describe("Authorities in a Secret of their own", () => {
  it.effect("are enough for TLS", () =>
    Effect.gen(function* () {
      const found = yield* target({ ...tls, caSecret: { name: "ca" } }, { ca })
      assert.deepStrictEqual(found.tls, { ca: "authorities", caSecret: "ca", caKey: "ca.crt" })
    })
  )

  it.effect("count instead of those beside the client certificate", () =>
    Effect.gen(function* () {
      const found = yield* target({ ...tls, caSecret: { name: "ca" }, tlsSecret: ofUser }, { ca, user })
      assert.strictEqual(found.tls?.ca, "authorities")
      assert.strictEqual(found.tls?.certificate, "certificate")
      assert.strictEqual(Redacted.value(found.tls!.key!), "key")
      const [caSecret, secret] = [found.tls?.caSecret, found.tls?.secret]
      assert.deepStrictEqual([caSecret, secret], ["ca", "user"])
    })
  )

  it.effect("are missed by name, whatever the other Secret holds", () =>
    Effect.gen(function* () {
      const spec = { ...tls, caSecret: { name: "ca" }, tlsSecret: ofUser }
      const error = yield* Effect.flip(target(spec, { user }))
      assert.include(error.message, "Secret ca, key ca.crt: ")
    })
  )

  it.effect("leave nothing but a client certificate to tlsSecret, so that a missing one is an error", () =>
    Effect.gen(function* () {
      const wrong = yield* Effect.flip(
        target({ ...tls, caSecret: { name: "ca" }, tlsSecret: { name: "user" } }, { ca, user })
      )
      assert.include(wrong.message, "Secret user, key tls.crt: ")
      assert.include(wrong.message, "in the Secret of a Strimzi KafkaUser it is user.crt: set certKey and keyKey")
      const { "user.key": _, ...half } = user
      const lost = yield* Effect.flip(
        target({ ...tls, caSecret: { name: "ca" }, tlsSecret: ofUser }, { ca, user: half })
      )
      assert.include(lost.message, "Secret user, key user.key: this key is missing, but user.crt exists")
    })
  )

  it.effect("are read again, as the client certificate is", () =>
    Effect.gen(function* () {
      const secrets = yield* MemorySecrets
      yield* secrets.put("ca", ca)
      yield* secrets.put("user", user)
      const spec = yield* Schema.decodeUnknownEffect(KafkaClusterSpec)({
        ...tls,
        caSecret: { name: "ca" },
        tlsSecret: ofUser
      })
      const first = yield* Connections.kafka(spec)
      yield* secrets.put("ca", { "ca.crt": "newer authorities" })
      yield* secrets.put("user", { ...user, "user.crt": "newer certificate" })
      const again = yield* first.reread!
      assert.deepStrictEqual([again?.tls?.ca, again?.tls?.certificate], ["newer authorities", "newer certificate"])
    }).pipe(Effect.provide(MemorySecrets.layer))
  )
})

describe("A user name in the resource", () => {
  const scram = (saslSecret: object) => ({
    bootstrapServers: ["kafka:9094"],
    securityProtocol: "SASL_SSL",
    caSecret: { name: "ca" },
    saslSecret: { name: "backup", mechanism: "SCRAM-SHA-512", ...saslSecret }
  })

  it.effect("is used as it stands, and none is read from the Secret", () =>
    Effect.gen(function* () {
      const found = yield* target(scram({ username: "backup" }), {
        ca,
        backup: { password: "geheim\n", username: "x" }
      })
      const { sasl } = found
      if (sasl?.mechanism !== "SCRAM-SHA-512") return assert.fail(`no password, but ${sasl?.mechanism}`)
      assert.strictEqual(Redacted.value(sasl.username), "backup")
      assert.strictEqual(Redacted.value(sasl.password), "geheim")
      assert.isUndefined(sasl.usernameKey)
    })
  )

  it.effect("does not replace the password", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(target(scram({ username: "backup" }), { ca, backup: { username: "x" } }))
      assert.include(error.message, "Secret backup, key password: ")
    })
  )

  it.effect("is missed in the Secret where the resource has none", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(target(scram({}), { ca, backup: { password: "geheim" } }))
      assert.include(error.message, "Secret backup, key username: ")
    })
  )
})

describe("A reference to Strimzi's resources", () => {
  it.effect("is refused outside of the operator, and the message says what to write", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(target({ strimziRef: { name: "main", listener: "tls", user: "backup" } }))
      if (error._tag !== "WorkerError") return assert.fail(error._tag)
      assert.strictEqual(error.reason._tag, "NotSupported")
      assert.include(error.message, "strimziRef: only the operator reads Strimzi's resources")
      assert.include(error.message, "caSecret (name: main-cluster-ca-cert)")
    })
  )
})
