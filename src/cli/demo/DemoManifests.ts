/** Bootstrap server of the demo's Kafka cluster in memory. */
export const bootstrapServer = "in-memory:9092"

/** The first line of the demo's manifest. A directory without it belongs to the user. */
export const mark = '# Written by "kafka-backup demo", which empties volumes/backups when it runs again.'

const manifest = (name: string, schedule: string, topic: string, more = "") => `apiVersion: kafka.oso.sh/v1alpha1
kind: KafkaBackup
metadata:
  name: ${name}
  namespace: kafka-backup
spec:${schedule}
  kafkaCluster:
    bootstrapServers:
      - ${bootstrapServer}
  topics:
    - "${topic}"
  storage:
    storageType: pvc
    pvc:
      claimName: backups
${more}`

/** The resource of the story. The rate limit makes a run long enough to watch. */
export const hourly = manifest(
  "demo",
  '\n  schedule: "0 * * * *"',
  "*",
  `  compression: zstd
  retention:
    backups: 3
  rateLimit:
    recordsPerSecond: 2500
`
)

/** A one-time backup of a topic that does not exist yet. */
export const oneTime = manifest("refunds", "", "refunds")

/** The newest backup of `hourly` at the end of the story. */
export const newestBackup = "demo-20261125-130000"

/** Brings the topic of the disaster back. */
export const restore = `apiVersion: kafka.oso.sh/v1alpha1
kind: KafkaRestore
metadata:
  name: orders-again
  namespace: kafka-backup
spec:
  backupId: ${newestBackup}
  targetCluster:
    bootstrapServers:
      - ${bootstrapServer}
  storage:
    storageType: pvc
    pvc:
      claimName: backups
  topics:
    - orders
`
