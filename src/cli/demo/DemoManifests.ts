/** Where the demo's Kafka answers, in this process's memory. */
export const bootstrapServer = "in-memory:9092"

/** The first line of what the demo writes: a directory without it is somebody's own. */
export const mark = '# Written by "kafka-backup demo", which empties volumes/backups when it runs again.'

const manifest = (name: string, schedule: string, topic: string, more = "") => `apiVersion: kafka.oso.sh/v1alpha1
kind: KafkaBackup
metadata:
  name: ${name}
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

/** The resource that the story is about. The limit makes a run long enough to be watched. */
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

/** A one-time backup of a topic that nobody has created yet. */
export const oneTime = manifest("refunds", "", "refunds")
