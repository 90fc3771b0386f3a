import { assert, describe, it } from "@effect/vitest"
import * as Resources from "../../../src/operator/jobs/Resources.ts"
import { backup, jobOf } from "./fixtures.ts"

const podWith = (storage: unknown, kafkaCluster: unknown = { bootstrapServers: ["kafka:9092"] }): any =>
  jobOf(backup(["storage", storage], ["kafkaCluster", kafkaCluster])).spec.template.spec

/** Secret name to its keys, as mounted. */
const secretsOf = (pod: any) =>
  Object.fromEntries(
    (pod.volumes.find((one: any) => one.name === "secrets")?.projected.sources ?? []).map(({ secret }: any) => [
      secret.name,
      secret.items.map(({ key }: any) => key)
    ])
  )

const s3 = { bucket: "backups", region: "us-west-2" }
const azure = { accountName: "account", container: "backups" }

describe("Secrets in a pod", () => {
  it.each([
    ["s3 without keys", { storageType: "s3", s3 }, {}],
    [
      "s3 with keys and a private authority",
      {
        storageType: "s3",
        s3: {
          ...s3,
          endpoint: "https://minio:9000",
          credentialsSecret: { name: "keys", accessKeyKey: "id", secretKeyKey: "secret" },
          caSecret: { name: "authority", caKey: "root.pem" }
        }
      },
      { keys: ["id", "secret"], authority: ["root.pem"] }
    ],
    [
      "azure with an account key",
      { storageType: "azure", azure: { ...azure, credentialsSecret: { name: "a", accountKeyKey: "k" } } },
      { a: ["k"] }
    ],
    [
      "azure with a SAS token",
      { storageType: "azure", azure: { ...azure, sasTokenSecret: { name: "a" } } },
      { a: ["AZURE_SAS_TOKEN"] }
    ],
    [
      "azure with a service principal",
      { storageType: "azure", azure: { ...azure, servicePrincipalSecret: { name: "a" } } },
      { a: ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"] }
    ],
    ["azure with an identity", { storageType: "azure", azure: { ...azure, useWorkloadIdentity: true } }, {}],
    [
      "gcs with a key file",
      { storageType: "gcs", gcs: { bucket: "backups", credentialsSecret: { name: "g" } } },
      { g: ["credentials.json"] }
    ],
    ["gcs with an identity", { storageType: "gcs", gcs: { bucket: "backups" } }, {}],
    ["a volume", { storageType: "pvc", pvc: { claimName: "c" } }, {}],
    [
      "a volume beside blocks that do not count",
      { storageType: "pvc", pvc: { claimName: "c" }, s3: { ...s3, credentialsSecret: { name: "keys" } } },
      {}
    ]
  ])("are those of the chosen storage alone: %s", (_, storage, expected) =>
    assert.deepStrictEqual(secretsOf(podWith(storage)), expected)
  )

  it.each([
    ["authorities alone", { caSecret: { name: "ca" } }, { ca: ["ca.crt"] }],
    [
      "authorities and a client certificate apart",
      {
        caSecret: { name: "ca", key: "root.pem" },
        tlsSecret: { name: "user", certKey: "user.crt", keyKey: "user.key" }
      },
      { ca: ["root.pem"], user: ["user.crt", "user.key"] }
    ],
    [
      "a user name that the resource has",
      {
        securityProtocol: "SASL_SSL",
        caSecret: { name: "ca" },
        saslSecret: { name: "user", mechanism: "SCRAM-SHA-512", username: "backup" }
      },
      { ca: ["ca.crt"], user: ["password"] }
    ]
  ])("are no others than the cluster needs: %s", (_, cluster, expected) =>
    assert.deepStrictEqual(
      secretsOf(
        podWith(
          { storageType: "s3", s3 },
          { bootstrapServers: ["kafka:9092"], securityProtocol: "SSL", ...(cluster as object) }
        )
      ),
      expected
    )
  )

  it("are mounted once each, with every key that is named, where several blocks name one Secret", () => {
    const pod = podWith(
      { storageType: "s3", s3: { ...s3, credentialsSecret: { name: "all", accessKeyKey: "username" } } },
      {
        bootstrapServers: ["kafka:9092"],
        securityProtocol: "SASL_SSL",
        tlsSecret: { name: "all", certKey: "ca.crt" },
        saslSecret: { name: "all", mechanism: "PLAIN" }
      }
    )
    assert.deepStrictEqual(secretsOf(pod), { all: ["ca.crt", "tls.key", "username", "password", "secretKey"] })
  })

  it("need no volume where there are none", () => {
    const pod = podWith({ storageType: "gcs", gcs: { bucket: "backups" } })
    assert.deepStrictEqual(
      pod.volumes.map(({ name }: any) => name),
      ["tmp"]
    )
    assert.deepStrictEqual(pod.containers[0].volumeMounts, [{ name: "tmp", mountPath: "/tmp" }])
  })
})

describe("a claim", () => {
  it("is mounted whole, so that its subPath is created by the user who writes there", () => {
    const pod = podWith({ storageType: "pvc", pvc: { claimName: "backup-storage", subPath: "kafka/production" } })
    assert.deepStrictEqual(pod.volumes.at(-1), {
      name: "storage",
      persistentVolumeClaim: { claimName: "backup-storage" }
    })
    assert.deepStrictEqual(pod.containers[0].volumeMounts.at(-1), {
      name: "storage",
      mountPath: "/var/lib/kafka-backup/volumes/backup-storage"
    })
  })
})

describe("Resources.completed", () => {
  it.each([
    ["defaults where nothing is said", undefined, { cpu: "100m", memory: "256Mi" }, { memory: "1Gi" }],
    [
      "a limit that grows with the request",
      { requests: { memory: "4Gi" } },
      { cpu: "100m", memory: "4Gi" },
      { memory: "4Gi" }
    ],
    [
      "requests that shrink to the limit",
      { limits: { memory: "128Mi", cpu: "50m" } },
      { cpu: "50m", memory: "128Mi" },
      { memory: "128Mi", cpu: "50m" }
    ],
    [
      "what users wrote, as they wrote it",
      { requests: { cpu: 1 }, limits: { memory: "2Gi", "example.com/gpu": 1 } },
      { cpu: 1, memory: "256Mi" },
      { memory: "2Gi", "example.com/gpu": 1 }
    ]
  ])("gives %s", (_, spec, requests, limits) => assert.deepStrictEqual(Resources.completed(spec), { requests, limits }))

  it("prefers the operator's defaults to the built-in ones, and the user's amounts to both", () => {
    const configured = { requests: { memory: "512Mi" }, limits: { memory: "3Gi", cpu: "2" } }
    assert.deepStrictEqual(Resources.completed({ requests: { cpu: "3" } }, configured), {
      requests: { cpu: "3", memory: "512Mi" },
      limits: { memory: "3Gi", cpu: "3" }
    })
  })
})
