import { type Block, compact, same, without } from "./Block.ts"
import { cluster } from "./ClusterMigration.ts"
import { circuitBreaker, rateLimit } from "./LimitsMigration.ts"
import { storage } from "./StorageMigration.ts"

/** Cron with five fields. There it could begin with seconds and end with a year. */
const schedule = (block: Block): unknown => {
  const text = block.take("schedule")
  if (typeof text !== "string") return text
  const fields = text.trim().split(/\s+/u)
  const [seconds, ...five] = fields.length > 5 ? fields : ["0", ...fields]
  const year = five.splice(5).join(" ")
  if (seconds !== "0") block.decide("schedule", "began at another second than 0: here a slot begins with the minute")
  if (year !== "" && year !== "*") block.decide("schedule", "was limited to certain years, which is not possible here")
  if (/\d/u.test(five[4] ?? "")) {
    block.decide(
      "schedule",
      "numbers its days of the week: there 1 is Sunday, here it is Monday. Write names, such as SUN"
    )
  }
  const [, , day = "*", , weekday = "*"] = five
  if (![day, weekday].some((field) => field === "*" || field === "?")) {
    block.decide("schedule", "has a day of the month and a day of the week: here either of the two is enough")
  }
  return five.map((field) => (field === "?" ? "*" : field)).join(" ")
}

const retention = (block: Block | undefined) => {
  if (block === undefined) return undefined
  const [enabled, days, last, dryRun] = ["enabled", "maxAgeDays", "keepLast", "dryRun"].map(block.take)
  block.end()
  if (enabled !== true) {
    block.note("enabled", "was not true, so that nothing was removed: no retention was written")
    return undefined
  }
  if (dryRun === true) {
    block.decide(
      "dryRun",
      "only reported. Here retention removes backups, so it was left out: try it with kafka-backup prune --dry-run"
    )
    return undefined
  }
  if (days !== undefined && last !== undefined) {
    block.note(
      "maxAgeDays",
      "removed what was too old or too many. Here a backup stays while one of the two rules keeps it"
    )
  }
  return compact({ backups: last, maxAge: typeof days === "number" ? `${days}d` : days })
}

const checkpointSeconds = (block: Block | undefined): unknown => {
  if (block === undefined) return undefined
  const seconds = block.take("intervalSecs")
  without(block, {
    enabled: ["cannot be switched off: an interrupted run always resumes", true],
    storage: ["has no counterpart: checkpoints lie beside the backups"]
  })
  block.end()
  return seconds
}

const compression = (block: Block) => {
  const { compression: codec, compressionLevel: level } = same(block, "compression", "compressionLevel")
  // There the level had a default for every codec, which the API server wrote into each resource.
  return { compression: codec, compressionLevel: codec === undefined || codec === "zstd" ? level : undefined }
}

const topics = (block: Block): unknown => {
  const given = block.take("topics")
  if (!Array.isArray(given) || given.length > 0) return given
  block.note("topics", "was empty, which is all topics: '*'")
  return ["*"]
}

/** The spec of a KafkaBackup. */
export const backup = (block: Block) => {
  const runsOn = block.take("continuous") === true
  const kafkaCluster = block.block("kafkaCluster")
  const store = block.block("storage")
  const spec = compact({
    schedule: schedule(block),
    ...same(block, "suspend"),
    kafkaCluster: kafkaCluster && cluster(kafkaCluster),
    topics: topics(block),
    storage: store && storage(store),
    ...compression(block),
    ...same(block, "includeOffsetHeaders", "sourceClusterId"),
    checkpointIntervalSecs: checkpointSeconds(block.block("checkpoint")),
    incremental: runsOn ? { enabled: true } : undefined,
    retention: retention(block.block("retention")),
    rateLimit: rateLimit(block.block("rateLimiting")),
    circuitBreaker: circuitBreaker(block.block("circuitBreaker"))
  })
  if (runsOn) {
    block.decide(
      "continuous",
      "has no counterpart. Incremental backups at short intervals come near: choose a schedule, such as '*/5 * * * *'"
    )
  }
  const onMissingTopic = block.take("onMissingTopic")
  if (onMissingTopic !== undefined && onMissingTopic !== "fail") {
    block.decide(
      "onMissingTopic",
      "let a backup go on without a topic that does not exist. Here it fails unless the topic is named by a pattern, such as orders*"
    )
  }
  without(block, {
    stopAtCurrentOffsets: ["is not needed: every backup ends at the offsets of its beginning", true],
    consumerGroupSnapshot: ["is not needed: every backup holds the offsets of the groups it may read", false],
    pollIntervalMs: ["has no counterpart", 100],
    segmentMaxBytes: ["has no counterpart: segments have up to 128 MiB", 134_217_728],
    segmentMaxIntervalMs: [
      "has no counterpart: checkpointIntervalSecs says how much an interrupted run repeats",
      60_000
    ],
    metrics: ["has no counterpart: the operator serves the metrics of all resources"]
  })
  block.end()
  return spec
}
