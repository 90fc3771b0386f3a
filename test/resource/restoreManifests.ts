import { type Path, put } from "./manifests.ts"

/** A valid spec of a KafkaRestore with every block, as plain data; each call gives a fresh one. */
export const fullSpec = () => ({
  backupId: "shop-20260301-020000",
  targetCluster: {
    bootstrapServers: ["kafka-0.kafka.svc:9092", "[fd00::1]:9092"],
    securityProtocol: "SASL_SSL",
    tlsSecret: { name: "kafka-tls" },
    saslSecret: { name: "kafka-credentials", mechanism: "SCRAM-SHA-256" }
  },
  storage: {
    storageType: "s3",
    s3: {
      bucket: "shop-backups",
      region: "eu-central-1",
      prefix: "nightly",
      endpoint: "https://minio.storage.svc:9000",
      credentialsSecret: { name: "s3-credentials" }
    }
  },
  topics: ["orders", "events-*"],
  excludeTopics: ["events-debug"],
  topicMapping: { orders: "orders-restored", "events-*": "restored-events-*" },
  sourcePartitions: { orders: [0, 2] },
  pitr: { enabled: true, timestamp: "2026-03-01T01:15:00Z", start: "2026-02-01T00:00:00Z" },
  includeOriginalOffsetHeader: true,
  createTopics: true,
  defaultReplicationFactor: 3,
  offsets: "Auto",
  existingTopics: "Fail",
  gaps: "Fail",
  onFailure: "Keep",
  retentionHold: "24h",
  exact: { maxFillerOffsets: 2_000_000_000 },
  compression: "lz4",
  configs: "FromBackup",
  configOverrides: { "*": { "min.insync.replicas": "1" } },
  rateLimit: { bytesPerSecond: 104857600, recordsPerSecond: 1000000 },
  circuitBreaker: { enabled: true, failureThreshold: 5, resetTimeoutSecs: 60 },
  dryRun: false,
  resources: { requests: { cpu: "500m", memory: "512Mi" }, limits: { cpu: 2, memory: "2Gi" } },
  job: { backoffLimit: 3, activeDeadlineSeconds: 3600, ttlSecondsAfterFinished: 0 },
  podTemplate: {
    annotations: { "prometheus.io/scrape": "true" },
    labels: { app: "kafka-restore" },
    nodeSelector: { "node-type": "worker" },
    tolerations: [{ key: "dedicated", operator: "Equal", value: "kafka-backup", effect: "NoSchedule" }],
    serviceAccountName: "restore"
  }
})

/** A valid spec with what a restore needs, and nothing else. */
export const bareSpec = () => ({
  backupId: "shop-20260301-020000",
  targetCluster: { bootstrapServers: ["kafka:9092"] },
  storage: { storageType: "s3", s3: { bucket: "shop-backups", region: "eu-central-1" } }
})

/** The whole manifest around a spec. */
export const manifest = (spec: unknown = fullSpec()): Record<string, unknown> => ({
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind: "KafkaRestore",
  metadata: { name: "whole-set", namespace: "kafka-restore" },
  spec
})

/** The full manifest with changes below `spec`. */
export const changed = (...changes: ReadonlyArray<readonly [path: string, value: unknown]>): Record<string, unknown> =>
  manifest(changes.reduce<unknown>((spec, [path, value]) => put(spec, keys(path), value), fullSpec()))

const keys = (path: string): Path =>
  path
    .split(/[.[\]]+/)
    .filter((key) => key !== "")
    .map((key) => (/^[0-9]+$/.test(key) ? Number(key) : key))
