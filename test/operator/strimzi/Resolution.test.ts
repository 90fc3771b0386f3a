import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as Resolution from "../../../src/operator/strimzi/Resolution.ts"
import { isStrimziReason } from "../../../src/outcome/StrimziReasons.ts"
import { KafkaClusterSpec } from "../../../src/resource/KafkaClusterSpec.ts"
import { put } from "../../resource/manifests.ts"
import { encrypted, kafkaOf, mutual, openScram, scram, userOf } from "./strimziObjects.ts"

const resolve = (ref: object, found: Partial<Resolution.Found> = {}) =>
  Resolution.resolve({ name: "main", listener: "plain", ...ref }, { kafka: kafkaOf("main"), user: undefined, ...found })

const server = (port: number) => `main-kafka-bootstrap.kafka-backup.svc:${port}`
const ca = { name: "main-cluster-ca-cert", key: "ca.crt" }

describe("A reference to Strimzi's resources", () => {
  it.each([
    [
      "a plain listener",
      { listener: "plain" },
      undefined,
      { bootstrapServers: [server(9092)], securityProtocol: "PLAINTEXT" }
    ],
    [
      "a TLS listener without authentication",
      { listener: "encrypted" },
      undefined,
      { bootstrapServers: [server(9093)], securityProtocol: "SSL", caSecret: ca }
    ],
    [
      "a listener with client certificates",
      { listener: "mutual", user: "backup" },
      userOf("backup", "tls"),
      {
        bootstrapServers: [server(9094)],
        securityProtocol: "SSL",
        caSecret: ca,
        tlsSecret: { name: "backup", caKey: "ca.crt", certKey: "user.crt", keyKey: "user.key" }
      }
    ],
    [
      "a TLS listener with SCRAM",
      { listener: "scram", user: "backup" },
      userOf("backup", "scram-sha-512"),
      {
        bootstrapServers: [server(9095)],
        securityProtocol: "SASL_SSL",
        caSecret: ca,
        saslSecret: {
          name: "backup",
          mechanism: "SCRAM-SHA-512",
          username: "backup",
          usernameKey: "username",
          passwordKey: "password"
        }
      }
    ],
    [
      "a listener with SCRAM and without TLS",
      { listener: "openscram", user: "backup" },
      userOf("backup", "scram-sha-512"),
      {
        bootstrapServers: [server(9096)],
        securityProtocol: "SASL_PLAINTEXT",
        saslSecret: {
          name: "backup",
          mechanism: "SCRAM-SHA-512",
          username: "backup",
          usernameKey: "username",
          passwordKey: "password"
        }
      }
    ]
  ])("stands for what a user would write: %s", (_, ref, user, expected) =>
    assert.deepStrictEqual(Result.getOrThrow(resolve(ref, { user })), expected as never)
  )

  it("has every address that Strimzi publishes, once, and the names of Secrets and user that Strimzi says", () => {
    const kafka = kafkaOf("main", {
      addresses: { scram: "b-0.example.com:443, b-1.example.com:443,b-0.example.com:443" }
    })
    const user = put(
      put(userOf("backup", "scram-sha-512"), ["status", "secret"], "other"),
      ["status", "username"],
      "me"
    )
    const found = Result.getOrThrow(resolve({ listener: "scram", user: "backup" }, { kafka, user }))
    assert.deepStrictEqual(found.bootstrapServers, ["b-0.example.com:443", "b-1.example.com:443"])
    assert.deepInclude(found.saslSecret, { name: "other", username: "me" })
  })

  const onScram = { listener: "scram", user: "backup" }
  const onMutual = { listener: "mutual", user: "backup" }
  const ready = userOf("backup", "scram-sha-512")
  const withListener = (listener: object) => ({ kafka: kafkaOf("main", { listeners: [listener as typeof scram] }) })

  it.each([
    ["without the Kafka resource", {}, { kafka: undefined }, "StrimziKafkaMissing", "Kafka main does not exist"],
    [
      "to a Kafka resource that is being deleted",
      {},
      { kafka: put(kafkaOf("main"), ["metadata", "deletionTimestamp"], "2026-11-25T11:00:00Z") },
      "StrimziKafkaMissing",
      "is being deleted"
    ],
    [
      "to a listener that is not there",
      { listener: "tls" },
      {},
      "StrimziListenerUnknown",
      "has no listener tls: it has plain, encrypted, mutual, scram, openscram"
    ],
    [
      "to a Kafka resource without listeners",
      { listener: "tls" },
      { kafka: kafkaOf("main", { listeners: [] }) },
      "StrimziListenerUnknown",
      "it has none"
    ],
    [
      "to a Kafka resource without a status",
      {},
      { kafka: put(kafkaOf("main"), ["status"], undefined) },
      "StrimziListenerNotReady",
      "has published no address of listener plain yet; it"
    ],
    [
      "to a listener that was added a moment ago",
      { listener: "scram", user: "backup" },
      {
        user: ready,
        kafka: put(
          put(kafkaOf("main"), ["status", "listeners"], kafkaOf("main", { listeners: [mutual] }).status.listeners),
          ["status", "conditions"],
          [{ type: "NotReady", status: "True", reason: "Rolling", message: "brokers restart" }]
        )
      },
      "StrimziListenerNotReady",
      "(Strimzi says: Rolling: brokers restart)"
    ],
    [
      "to a listener with an empty address",
      { listener: "plain" },
      { kafka: put(kafkaOf("main"), ["status", "listeners"], [{ name: "plain", bootstrapServers: " , " }]) },
      "StrimziListenerNotReady",
      "no address"
    ],
    [
      "to a listener with an authentication of its own",
      { listener: "scram", user: "backup" },
      withListener({ ...scram, authentication: { type: "custom" } }),
      "StrimziListenerUnsupported",
      "has authentication custom; strimziRef supports tls and scram-sha-512"
    ],
    [
      "to a listener with a certificate of its own",
      { listener: "encrypted" },
      withListener({ ...encrypted, configuration: { brokerCertChainAndKey: { secretName: "own" } } }),
      "StrimziListenerUnsupported",
      "configuration.brokerCertChainAndKey"
    ],
    ["without a user, where one is needed", { listener: "scram" }, {}, "StrimziUserMismatch", "set strimziRef.user"],
    [
      "with a user, where none is",
      { listener: "encrypted", user: "backup" },
      { user: ready },
      "StrimziUserMismatch",
      "remove strimziRef.user"
    ],
    ["without the KafkaUser", onScram, {}, "StrimziUserMissing", "KafkaUser backup does not exist"],
    [
      "with a user of another cluster",
      onScram,
      { user: userOf("backup", "scram-sha-512", "other") },
      "StrimziUserMismatch",
      "belongs to Kafka other"
    ],
    [
      "with a user of no cluster",
      onScram,
      { user: put(ready, ["metadata", "labels"], undefined) },
      "StrimziUserMismatch",
      "has no label strimzi.io/cluster"
    ],
    [
      "with a user of another authentication",
      onScram,
      { user: userOf("backup", "tls") },
      "StrimziUserMismatch",
      "listener scram of Kafka main has authentication scram-sha-512, and KafkaUser backup has tls"
    ],
    ["with a user without one", onMutual, { user: userOf("backup", undefined) }, "StrimziUserMismatch", "has none"],
    [
      "with a user whose certificate Strimzi does not keep",
      onMutual,
      { user: userOf("backup", "tls-external") },
      "StrimziUserMismatch",
      "tls-external"
    ],
    [
      "with a user without a status",
      onScram,
      { user: put(ready, ["status"], undefined) },
      "StrimziUserNotReady",
      "KafkaUser backup is not ready yet; it"
    ],
    [
      "with a user that was edited a moment ago",
      onScram,
      { user: put(ready, ["metadata", "generation"], 2) },
      "StrimziUserNotReady",
      "has not seen its last edit"
    ],
    [
      "with a user that Strimzi refuses",
      onScram,
      {
        user: put(
          ready,
          ["status", "conditions"],
          [{ type: "NotReady", status: "True", reason: "InvalidResource", message: "ACLs are off" }]
        )
      },
      "StrimziUserNotReady",
      "(Strimzi says: InvalidResource: ACLs are off)"
    ],
    [
      "with a user without a Secret",
      onScram,
      { user: put(ready, ["status", "secret"], undefined) },
      "StrimziUserNotReady",
      "not ready"
    ],
    ["to something else", {}, { kafka: { kind: "Kafka", metadata: {}, spec: 3 } }, "StrimziUnreadable", "another form"],
    [
      "to an address that no client can use",
      {},
      { kafka: kafkaOf("main", { addresses: { plain: "nowhere" } }) },
      "StrimziUnreadable",
      "must be host:port with a port"
    ]
  ] as ReadonlyArray<readonly [string, object, Partial<Resolution.Found>, string, string]>)(
    "stands for nothing, and says why: %s",
    (_, ref, found, reason, says) => {
      const answer = resolve(ref, found)
      if (Result.isSuccess(answer)) return assert.fail(JSON.stringify(answer.success))
      assert.strictEqual(answer.failure.reason, reason)
      assert.include(answer.failure.message, says)
    }
  )

  /** Every place of a value, the value itself included. */
  const placesOf = (value: unknown, path: ReadonlyArray<string | number> = []): ReadonlyArray<typeof path> => [
    path,
    ...(typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, inner]) =>
          placesOf(inner, [...path, Array.isArray(value) ? Number(key) : key])
        )
      : [])
  ]
  const odd = [undefined, null, 0, 3, "", "x", "a b", ",", "x".repeat(300), true, false, [], {}, [null], ["x"], [{}]]
  const Index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9999 }))

  it.prop(
    "stands for a whole cluster or for nothing, whatever the resources look like",
    [Schema.Literals(["plain", "encrypted", "mutual", "scram", "openscram"]), Index, Index, Index, Index],
    ([listener, p, v, q, w]) => {
      const type = listener === "mutual" ? "tls" : "scram-sha-512"
      const changed = (object: object, place: number, value: number): unknown => {
        const places = placesOf(object).filter((path) => path.length > 0)
        return put(object, places[place % places.length]!, odd[value % odd.length])
      }
      const user = listener.endsWith("scram") || listener === "mutual" ? { user: "backup" } : {}
      const answer = resolve(
        { listener, ...user },
        { kafka: changed(kafkaOf("main"), p, v), user: changed(userOf("backup", type), q, w) }
      )
      if (Result.isFailure(answer)) {
        assert.isTrue(isStrimziReason(answer.failure.reason))
        assert.isAbove(answer.failure.message.length, 20)
        return
      }
      const encoded = Schema.encodeSync(KafkaClusterSpec)(answer.success)
      assert.deepStrictEqual(Schema.decodeUnknownSync(KafkaClusterSpec)(encoded), answer.success)
      assert.strictEqual(listener.endsWith("scram"), answer.success.saslSecret !== undefined)
    },
    { arbitrary: { runs: 1000 } }
  )

  it.prop(
    "never lacks the credentials that its listener asks for",
    [
      Schema.Literals(["plain", "encrypted", "mutual", "scram", "openscram", "other"]),
      Schema.Literals(["none", "tls", "tls-external", "scram-sha-512", "missing"]),
      Schema.Boolean,
      Schema.Boolean
    ],
    ([listener, type, isNamed, isReady]) => {
      const made =
        type === "none" ? userOf("backup", undefined) : type === "missing" ? undefined : userOf("backup", type)
      const user = isReady || made === undefined ? made : put(made, ["status", "conditions"], [])
      const answer = resolve({ listener, ...(isNamed ? { user: "backup" } : {}) }, { user })
      const wanted = { mutual: "tls", scram: "scram-sha-512", openscram: "scram-sha-512" }[listener as string]
      const fits = listener !== "other" && (wanted === undefined ? !isNamed : isNamed && type === wanted && isReady)
      assert.strictEqual(Result.isSuccess(answer), fits)
      if (!Result.isSuccess(answer)) return
      const { caSecret, saslSecret, securityProtocol, tlsSecret } = answer.success
      assert.strictEqual(securityProtocol.endsWith("SSL"), caSecret !== undefined)
      assert.strictEqual(securityProtocol.startsWith("SASL"), saslSecret !== undefined)
      assert.strictEqual(wanted === "tls", tlsSecret !== undefined)
    }
  )

  it.each([
    ["a user of another authentication", onScram, { user: userOf("backup", "tls") }, "StrimziUserMismatch"],
    ["no user", onScram, { user: undefined }, "StrimziUserMissing"],
    [
      "nothing, where the user waits for the cluster too",
      onScram,
      { user: put(ready, ["status"], undefined) },
      "StrimziListenerNotReady"
    ],
    ["a user where none is wanted", { user: "backup" }, { user: ready }, "StrimziUserMismatch"],
    [
      "an authentication that is not supported",
      { listener: "own" },
      withListener({ name: "own", port: 9097, tls: true, authentication: { type: "custom" } }),
      "StrimziListenerUnsupported"
    ]
  ])("says of a cluster without an address what waiting cannot mend: %s", (_, ref, found, reason) => {
    const kafka = put("kafka" in found ? found.kafka : kafkaOf("main"), ["status"], undefined)
    const answer = resolve(ref, { ...found, kafka })
    assert.strictEqual(Result.isFailure(answer) ? answer.failure.reason : "resolved", reason)
  })

  it("is not misled by fields that it does not read", () => {
    const kafka = { ...kafkaOf("main", { listeners: [{ ...openScram, more: [1] } as never] }), more: { a: null } }
    assert.isTrue(Result.isSuccess(resolve({ listener: "openscram", user: "backup" }, { kafka, user: ready })))
  })
})
