import { Clock, Effect } from "effect"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import * as LargeRecords from "./LargeRecords.ts"
import type { Objection } from "./Objection.ts"
import type { PlannedPartition } from "./PlannedPartition.ts"
import type { Memory, Remembered } from "./RestoreMemory.ts"
import type { PlannedTopic } from "./RestorePlan.ts"

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

/** What a topic is configured to do with records, so that they would not be there any more to be compared. */
const ofConfigs = (
  topic: PlannedTopic,
  configs: Readonly<Record<string, string>>,
  nowMillis: number
): ReadonlyArray<Objection> => {
  const { target } = topic
  const other = "restore to another name with topicMapping"
  if (configs["message.timestamp.type"] === "LogAppendTime") {
    const message = `topic ${target} has message.timestamp.type=LogAppendTime: the broker would replace the timestamps`
    return [refused(message, `set CreateTime for the time of the restore, or ${other}`)]
  }
  const limit = configs["max.message.bytes"]
  const batchBytes = topic.largestRecordBytes === undefined ? 0 : LargeRecords.knownBytes(topic)
  if (limit !== undefined && batchBytes > Number(limit)) {
    const message = `topic ${target} has max.message.bytes=${limit}, and the largest record of the backup needs ${batchBytes} before compression`
    return [refused(message, `set max.message.bytes of topic ${target} to at least ${batchBytes}, or ${other}`)]
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

/** Everything in the configuration of the topics that stands against appending. Without DescribeConfigs: nothing. */
export const objections = Effect.fnUntraced(function* (source: KafkaSourceShape, topics: ReadonlyArray<PlannedTopic>) {
  const appended = topics.filter(isAppended)
  if (appended.length === 0) return []
  const nowMillis = yield* Clock.currentTimeMillis
  const configs = yield* source
    .topicConfigs(appended.map(({ target }) => target))
    .pipe(Effect.catchReason("KafkaError", "KafkaAuthorizationFailed", () => Effect.succeed(undefined)))
  return appended.flatMap((topic) => ofConfigs(topic, configs?.get(topic.target) ?? {}, nowMillis))
})
