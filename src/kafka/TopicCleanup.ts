/** What becomes of old records of a topic, by its own settings or those that it inherits. */
export interface TopicCleanup {
  readonly isCompacted: boolean
  /** How long compaction keeps a deletion (delete.retention.ms), in milliseconds. */
  readonly deleteRetentionMillis: number
}

/** The settings of a topic that say so. */
export const cleanupKeys = ["cleanup.policy", "delete.retention.ms"] as const

/** 24 h. Source: Kafka topic configs, `delete.retention.ms`. */
const defaultDeleteRetentionMillis = 86_400_000

/** What the settings of `cleanupKeys` mean. */
export const cleanupOf = (config: Readonly<Record<string, string>>): TopicCleanup => ({
  isCompacted: config["cleanup.policy"]?.split(",").some((policy) => policy.trim() === "compact") ?? false,
  deleteRetentionMillis: Number(config["delete.retention.ms"] ?? defaultDeleteRetentionMillis)
})
