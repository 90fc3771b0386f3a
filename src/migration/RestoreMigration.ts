import { type Block, compact, isBlock, same, without } from "./Block.ts"
import { cluster } from "./ClusterMigration.ts"
import { circuitBreaker, rateLimit } from "./LimitsMigration.ts"
import { storage } from "./StorageMigration.ts"

/** One backup by its id, or the newest one of a KafkaBackup. */
const source = (block: Block | undefined) => {
  if (block === undefined) return {}
  const [name, backupId, namespace] = ["name", "backupId", "namespace"].map(block.take)
  const store = block.block("storage")
  if (namespace !== undefined) {
    block.decide(
      "namespace",
      "is not possible here: a KafkaRestore reads backups of its own namespace. Write storage instead"
    )
  }
  if (backupId !== undefined && store === undefined) {
    block.decide("backupId", "needs spec.storage here: write that of the KafkaBackup")
  }
  block.end()
  return {
    backupId,
    backupRef: backupId === undefined ? compact({ name }) : undefined,
    storage: store && storage(store)
  }
}

const pitr = (block: Block | undefined) => {
  if (block === undefined) return undefined
  const [endTime, endMillis, startTime, startMillis] = ["endTime", "endTimestamp", "startTime", "startTimestamp"].map(
    block.take
  )
  block.end()
  if (endTime !== undefined && endMillis !== undefined) {
    block.note("endTimestamp", "stood beside endTime, which counts: it was left out")
  }
  const start = startTime ?? (typeof startMillis === "number" ? new Date(startMillis).toISOString() : startMillis)
  if (start !== undefined && endTime === undefined && endMillis === undefined) {
    block.decide("", "had a start and no end: write timestamp, the end, too")
  }
  return compact({ timestamp: endTime, timestampMillis: endTime === undefined ? endMillis : undefined, start })
}

const offsetReset = (block: Block | undefined) => {
  if (block === undefined) return undefined
  const { consumerGroups, enabled = false, strategy = "manual" } = same(block, "enabled", "consumerGroups", "strategy")
  block.end()
  if (enabled !== true) return undefined
  if (strategy === "auto") return compact({ enabled, strategy: "exact", consumerGroups })
  block.decide(
    "strategy",
    "manual and dry_run set no offset. Here offsets are set where offsetReset stands, so it was left out: see strategy exact"
  )
  return undefined
}

const rollback = (block: Block | undefined) => {
  if (block === undefined) return undefined
  const enabled = block.take("snapshotBeforeRestore") ?? true
  without(block, {
    snapshotRetentionHours: ["has no counterpart: a snapshot stays until it is removed"],
    snapshotStorage: ["has no counterpart: the snapshot lies in the storage of the backup"],
    autoRollbackOnFailure: ["is not needed: offsets are set last, after every record was proven", false]
  })
  block.end()
  return { enabled }
}

/** The spec of a KafkaRestore. */
export const restore = (block: Block) => {
  const kafkaCluster = block.block("kafkaCluster")
  const { topicMapping, topics } = same(block, "topics", "topicMapping")
  const { createTopics = false, defaultReplicationFactor } = same(block, "createTopics", "defaultReplicationFactor")
  if (createTopics !== true && defaultReplicationFactor !== undefined) {
    block.note("defaultReplicationFactor", "has no effect without createTopics: it was left out")
  }
  const spec = compact({
    ...source(block.block("backupRef")),
    targetCluster: kafkaCluster && cluster(kafkaCluster),
    topics: Array.isArray(topics) && topics.length === 0 ? undefined : topics,
    topicMapping: isEmpty(topicMapping) ? undefined : topicMapping,
    pitr: pitr(block.block("pitr")),
    ...same(block, "includeOriginalOffsetHeader"),
    createTopics,
    defaultReplicationFactor: createTopics === true ? defaultReplicationFactor : undefined,
    ...same(block, "dryRun"),
    rateLimit: rateLimit(block.block("rateLimiting")),
    circuitBreaker: circuitBreaker(block.block("circuitBreaker")),
    offsetReset: offsetReset(block.block("offsetReset")),
    rollback: rollback(block.block("rollback"))
  })
  for (const name of ["partitionMapping", "repartitioning"]) {
    if (!isEmpty(block.take(name))) {
      block.decide(
        name,
        "gives records new offsets: write offsets: New, and partitions, as the guide on restoring says"
      )
    }
  }
  if (block.take("purgeTopics") === true) {
    block.decide(
      "purgeTopics",
      "removed the records of the target topics. existingTopics says what may happen to them here"
    )
  }
  if (block.take("autoConsumerGroups") === true) {
    block.decide(
      "autoConsumerGroups",
      "set the offsets of every group in the backup. Where that is wanted, write offsetReset with enabled: true and consumerGroups: ['*']"
    )
  }
  without(block, {
    stripOffsetHeaders: ["is always so: headers that a backup added are not restored", false],
    headerPreflight: ["has no counterpart: offsets are set only after every record was proven", "auto"],
    produceBatchSize: ["has no counterpart", 1000],
    produceAcks: ["is always all: what was not stored by all replicas in sync is not proven", -1],
    produceTimeoutMs: ["has no counterpart", 30_000]
  })
  block.end()
  return spec
}

/** Absent, or a block without fields. A value of another form is neither: it has to be named. */
const isEmpty = (map: unknown): boolean => map === undefined || (isBlock(map) && Object.keys(map).length === 0)
