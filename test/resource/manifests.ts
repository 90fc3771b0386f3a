/** A valid spec with every block, as plain data; each call gives a fresh one. */
export const fullSpec = () => ({
  schedule: "0 * * * *",
  timeZone: "Europe/Berlin",
  suspend: false,
  startingDeadlineSeconds: 600,
  kafkaCluster: {
    bootstrapServers: ["kafka-0.kafka.svc:9092", "[fd00::1]:9092"],
    securityProtocol: "SASL_SSL",
    tlsSecret: { name: "kafka-tls" },
    saslSecret: { name: "kafka-credentials", mechanism: "SCRAM-SHA-256" }
  },
  topics: ["orders", "events-*"],
  excludeTopics: ["__*"],
  storage: {
    storageType: "s3",
    s3: {
      bucket: "kafka-backups",
      region: "us-west-2",
      prefix: "production/hourly",
      endpoint: "https://minio.storage.svc:9000",
      credentialsSecret: { name: "s3-credentials" }
    },
    azure: { accountName: "kafkabackups123456", container: "kafka-backups", sasTokenSecret: { name: "azure-sas" } },
    gcs: { bucket: "kafka-backups", credentialsSecret: { name: "gcs-credentials" } },
    pvc: { claimName: "backup-storage", subPath: "kafka" }
  },
  compression: "zstd",
  compressionLevel: 19,
  includeOffsetHeaders: true,
  sourceClusterId: "production us-west-2",
  checkpointIntervalSecs: 30,
  incremental: { enabled: true, fullEvery: 24 },
  verification: { percentPerRun: 5 },
  retention: { backups: 168 },
  drill: {
    schedule: "0 3 * * 0",
    timeZone: "Europe/Berlin",
    targetCluster: {
      bootstrapServers: ["kafka-0.staging.svc:9093"],
      securityProtocol: "SSL",
      tlsSecret: { name: "staging-tls" }
    },
    topicPrefix: "_drill-",
    maxBytes: "500Mi",
    topics: ["orders", "events-*"],
    againstLive: true,
    replicationFactor: 1,
    suspend: false
  },
  rateLimit: { bytesPerSecond: 104857600, recordsPerSecond: 100000 },
  circuitBreaker: { enabled: true, failureThreshold: 5, resetTimeoutSecs: 60 },
  resources: { requests: { cpu: "500m", memory: "512Mi" }, limits: { cpu: 2, memory: "2Gi", "nvidia.com/gpu": 1 } },
  job: { backoffLimit: 3, activeDeadlineSeconds: 3600, ttlSecondsAfterFinished: 0 },
  podTemplate: {
    annotations: { "prometheus.io/scrape": "true" },
    labels: { app: "kafka-backup" },
    nodeSelector: { "node-type": "worker" },
    tolerations: [{ key: "dedicated", operator: "Equal", value: "kafka-backup", effect: "NoSchedule" }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] }]
        }
      },
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 100,
            podAffinityTerm: { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "kafka" } } }
          }
        ]
      }
    },
    serviceAccountName: "backup",
    priorityClassName: "low",
    env: [
      { name: "HTTPS_PROXY", value: "http://proxy.example:3128" },
      { name: "NO_PROXY", value: ".svc,10.0.0.0/8" }
    ],
    hostAliases: [{ ip: "10.0.0.1", hostnames: ["minio.example", "s3.example"] }],
    imagePullSecrets: [{ name: "registry" }]
  },
  deletionPolicy: "Retain"
})

/** The whole manifest around a spec. */
export const manifest = (spec: unknown = fullSpec()): Record<string, unknown> => ({
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind: "KafkaBackup",
  metadata: { name: "production-backup", namespace: "kafka-backup" },
  spec
})

export type Path = ReadonlyArray<string | number>

/** A copy of `value` with `replacement` at `path`; `undefined` removes what is there. */
export const put = (value: unknown, path: Path, replacement: unknown): unknown => {
  const [key, ...rest] = path
  if (key === undefined) return replacement
  const copy: any = Array.isArray(value) ? [...value] : { ...(value as object) }
  if (rest.length === 0 && replacement === undefined) {
    if (Array.isArray(copy)) copy.splice(Number(key), 1)
    else delete copy[key]
  } else copy[key] = put(copy[key] ?? {}, rest, replacement)
  return copy
}

/** The full manifest with changes below `spec`. */
export const changed = (...changes: ReadonlyArray<readonly [path: string, value: unknown]>): Record<string, unknown> =>
  manifest(changes.reduce<unknown>((spec, [path, value]) => put(spec, keys(path), value), fullSpec()))

const keys = (path: string): Path =>
  path
    .split(/[.[\]]+/)
    .filter((key) => key !== "")
    .map((key) => (/^[0-9]+$/.test(key) ? Number(key) : key))
