import { Clock, Effect } from "effect"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import { headerBytes } from "../kafka/batch/RecordBatch.ts"
import * as LargeRecords from "./LargeRecords.ts"
import type { Objection } from "./Objection.ts"
import type { PlannedPartition } from "./PlannedPartition.ts"
import type { Memory, Remembered } from "./RestoreMemory.ts"
import type { PlannedTopic } from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import * as WantedConfigs from "./WantedConfigs.ts"

type Configs = Readonly<Record<string, string>>

/*
 * Topics that hold records, and get those of the backup behind them. Where the log ended before the first write is
 * remembered: everything from there on is this restore's, and it alone is compared. The topic keeps its configuration.
 */

/** Whether records are written behind others. */
export const isAppended = ({ partitions }: PlannedTopic): boolean =>
  partitions.some(({ appendedFrom }) => appendedFrom !== undefined)

/** The plan of a topic whose logs ended at these offsets, by partition, before this restore wrote to it. */
export const behind = (topic: PlannedTopic, ends: ReadonlyArray<number>): PlannedTopic => ({
  ...topic,
  renumbered: { reason: "appended" },
  partitions: topic.partitions.map((partition): PlannedPartition => {
    const appendedFrom = ends[partition.partition] ?? 0
    return { ...partition, start: appendedFrom, end: appendedFrom + partition.records, appendedFrom }
  })
})

/** What is remembered of it before the first write. */
export const bases = ({ partitions }: PlannedTopic): Pick<Remembered, "bases"> => {
  const bases = partitions.flatMap(({ appendedFrom }) => appendedFrom ?? [])
  return bases.length === 0 ? {} : { bases }
}

const listed = (names: ReadonlyArray<string>) =>
  names.length <= 5 ? names.join(", ") : `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`

/** What is to be known of such topics. */
export const notes = (topics: ReadonlyArray<PlannedTopic>): ReadonlyArray<string> => {
  const names = topics.filter(isAppended).map(({ target }) => target)
  return names.length === 0
    ? []
    : [
        `the records are appended behind those of others in ${listed(names)}. Nobody else may write there until the restore is complete. Such topics keep their configuration and retention`
      ]
}

const refused = (message: string, advice: string): Objection => ({ reason: "AppendImpossible", message, advice })

/** `group`: that of the restore, in which it may not remember where the logs ended. */
export const forgetful = (group: string): Objection => ({
  reason: "TargetDenied",
  message: `existingTopics: Append needs Read on consumer group ${group}: without it, a repeat would append the records again`,
  advice: `grant the principal Read on group ${group}, or restore to topics that do not exist`
})

/** Why nothing may be appended to an existing topic, which holds records; undefined: it may. */
export const refusal = (
  memory: Memory,
  { name, topicId }: { readonly name: string; readonly topicId?: string | undefined }
): Objection | undefined => {
  const known = memory.get(name)
  return known === undefined || known.topicId !== topicId
    ? undefined
    : refused(
        `topic ${name} holds what this restore wrote before it was edited`,
        "undo the edit, or create a restore of another name, which appends everything once more"
      )
}

const oldest = ({ partitions, sources }: PlannedTopic): number =>
  (sources ?? partitions).reduce(
    (all, { segments }) =>
      segments.reduce(
        (least, { kept, start_timestamp }) => Math.min(least, kept?.minTimestamp ?? start_timestamp),
        all
      ),
    Infinity
  )

/** The limit of a batch that the largest record exceeds, unless it is compressed; undefined: it fits as it is. */
const overLimit = ({ largestRecordBytes, ...topic }: PlannedTopic, configs: Configs) => {
  const limit = configs["max.message.bytes"]
  if (largestRecordBytes === undefined || limit === undefined) return undefined
  const plain = headerBytes + largestRecordBytes
  if (plain <= Number(limit)) return undefined
  return { limit, plain, needed: LargeRecords.knownBytes({ ...topic, largestRecordBytes }) }
}

const noteOf = (topic: PlannedTopic, configs: Configs): ReadonlyArray<string> => {
  const large = overLimit(topic, configs)
  if (large === undefined) return []
  const { limit, needed, plain } = large
  return [
    `topic ${topic.target} has max.message.bytes=${limit}, and a record of the backup needs ${plain} without compression: if it is not smaller with it, the restore stops there. A limit of ${needed} has room for it in any case`
  ]
}

/** What a topic is configured to do with records, so that they would not be there any more to be compared. */
const ofConfigs = (
  topic: PlannedTopic,
  configs: Configs,
  request: RestoreRequest,
  nowMillis: number
): ReadonlyArray<Objection> => {
  const { target } = topic
  const other = "restore to another name with topicMapping"
  if (configs["message.timestamp.type"] === "LogAppendTime") {
    const message = `topic ${target} has message.timestamp.type=LogAppendTime: the broker would replace the timestamps`
    return [refused(message, `set CreateTime for the time of the restore, or ${other}`)]
  }
  const large = overLimit(topic, configs)
  if (large !== undefined && WantedConfigs.codecOf(topic, request) === "none") {
    const { limit, needed, plain } = large
    const message = `topic ${target} has max.message.bytes=${limit}, and a record of the backup needs ${plain} without compression`
    const advice = `set max.message.bytes of topic ${target} to at least ${needed}, set another compression, or ${other}`
    return [refused(message, advice)]
  }
  const policy = configs["cleanup.policy"] ?? "delete"
  if (policy.includes("compact")) {
    const message = `topic ${target} is compacted: records could be removed before they are compared`
    return [refused(message, `set cleanup.policy=delete for the time of the restore, or ${other}`)]
  }
  const retention = Number(configs["retention.ms"] ?? "-1")
  const first = oldest(topic)
  if (policy.includes("delete") && retention >= 0 && first + retention < nowMillis) {
    const message = `topic ${target} has retention.ms=${retention}, and the backup has records that are older: the brokers would remove them within minutes`
    return [refused(message, `raise retention.ms of the topic, leave out old records with pitr.start, or ${other}`)]
  }
  return []
}

/**
 * Everything in the configuration of the topics that stands against appending, and what is to be known of it. Without
 * DescribeConfigs: nothing.
 */
export const ofTarget = Effect.fnUntraced(function* (
  source: KafkaSourceShape,
  topics: ReadonlyArray<PlannedTopic>,
  request: RestoreRequest
) {
  const appended = topics.filter(isAppended)
  if (appended.length === 0) return { objections: [], notes: [] }
  const nowMillis = yield* Clock.currentTimeMillis
  const found = yield* source
    .topicConfigs(appended.map(({ target }) => target))
    .pipe(Effect.catchReason("KafkaError", "KafkaAuthorizationFailed", () => Effect.succeed(undefined)))
  const all = appended.map((topic) => ({ topic, configs: found?.get(topic.target) ?? {} }))
  return {
    objections: all.flatMap(({ configs, topic }) => ofConfigs(topic, configs, request, nowMillis)),
    notes: all.flatMap(({ configs, topic }) => noteOf(topic, configs))
  }
})
