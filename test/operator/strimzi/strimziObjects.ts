/** Strimzi's resources with the fields that are read. Shapes as Strimzi publishes them. */

const apiVersion = "kafka.strimzi.io/v1"

export interface Listener {
  readonly name: string
  readonly port: number
  readonly type: string
  readonly tls: boolean
  readonly authentication?: { readonly type: string }
  readonly configuration?: object
}

export const plain: Listener = { name: "plain", port: 9092, type: "internal", tls: false }
export const encrypted: Listener = { name: "encrypted", port: 9093, type: "internal", tls: true }
export const mutual: Listener = { ...encrypted, name: "mutual", port: 9094, authentication: { type: "tls" } }
export const scram: Listener = { ...encrypted, name: "scram", port: 9095, authentication: { type: "scram-sha-512" } }
export const openScram: Listener = { ...scram, name: "openscram", port: 9096, tls: false }

export const listeners = [plain, encrypted, mutual, scram, openScram]

export const kafkaOf = (
  name: string,
  {
    addresses = {},
    ...spec
  }: { listeners?: ReadonlyArray<Listener>; addresses?: Readonly<Record<string, string>> } = {}
) => ({
  apiVersion,
  kind: "Kafka",
  metadata: { name, namespace: "kafka-backup" },
  spec: { kafka: { listeners: spec.listeners ?? listeners }, entityOperator: { userOperator: {} } },
  status: {
    observedGeneration: 1,
    conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-11-25T11:00:00Z" }],
    listeners: (spec.listeners ?? listeners).map((listener) => ({
      name: listener.name,
      addresses: [{ host: `${name}-kafka-bootstrap.kafka-backup.svc`, port: listener.port }],
      bootstrapServers: addresses[listener.name] ?? `${name}-kafka-bootstrap.kafka-backup.svc:${listener.port}`,
      ...(listener.tls ? { certificates: ["-----BEGIN CERTIFICATE-----"] } : {})
    }))
  }
})

export const userOf = (name: string, type: "tls" | "tls-external" | "scram-sha-512" | undefined, cluster = "main") => ({
  apiVersion,
  kind: "KafkaUser",
  metadata: { name, namespace: "kafka-backup", labels: { "strimzi.io/cluster": cluster } },
  spec: type === undefined ? {} : { authentication: { type } },
  status: {
    observedGeneration: 1,
    conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-11-25T11:00:00Z" }],
    username: type?.startsWith("tls") ? `CN=${name}` : name,
    ...(type === "tls-external" || type === undefined ? {} : { secret: name })
  }
})
