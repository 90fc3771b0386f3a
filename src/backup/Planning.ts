import { Clock, Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import { KafkaError } from "../kafka/KafkaError.ts"
import type { KafkaSourceShape, PartitionOffset, TopicInfo } from "../kafka/KafkaSource.ts"
import { formatOf, type PlannedTopic, type RunPlan } from "../manifest/RunPlan.ts"
import { didYouMean } from "../resource/Near.ts"
import * as TopicSelection from "./TopicSelection.ts"
import { NoTopicsMatched, RunError, TopicAccessDenied, TopicMissing } from "./RunError.ts"
import type { RunRequest } from "./RunRequest.ts"

/** Every selected topic, or the failure that prevents the run; it names all topics concerned. */
const selectTopics = Effect.fn("Planning.selectTopics")(function* (kafka: KafkaSourceShape, request: RunRequest) {
  const { clusterId, topics: visible } = yield* kafka.cluster
  const literals = TopicSelection.literals(request.topics, request.excludeTopics)
  const hidden = literals.filter((name) => !visible.some((topic) => topic.name === name))
  const lookups = hidden.length === 0 ? [] : yield* kafka.lookup(hidden)
  const denied = lookups.flatMap((lookup) => (lookup._tag === "Denied" ? [lookup.name] : []))
  if (denied.length > 0) return yield* new RunError({ reason: new TopicAccessDenied({ topics: denied }) })
  const missing = lookups.flatMap((lookup) => (lookup._tag === "Missing" ? [lookup.name] : []))
  if (missing.length > 0) {
    const names = visible.map(({ name }) => name)
    return yield* new RunError({ reason: new TopicMissing({ topics: missing, meant: didYouMean(missing, names) }) })
  }
  const found = lookups.flatMap((lookup) => (lookup._tag === "Found" ? [lookup.topic] : []))
  const all = [...visible, ...found]
  const { idlePatterns, selected } = TopicSelection.select(request.topics, request.excludeTopics, all)
  if (selected.length === 0) {
    const reason = new NoTopicsMatched({ patterns: request.topics, visibleTopics: visible.length })
    return yield* new RunError({ reason })
  }
  const byName = new Map(all.map((topic) => [topic.name, topic]))
  const topics = selected.flatMap((name) => byName.get(name) ?? [])
  return { clusterId, topics, notes: idlePatterns.map((pattern) => `pattern ${pattern} matches no topic`) }
})

/** Runs `effect`; if a permission is missing, adds a note and returns undefined instead of failing. */
const whereAllowed = <A>(what: string, notes: Array<string>, effect: Effect.Effect<A, KafkaError>) =>
  effect.pipe(
    Effect.map((value): A | undefined => value),
    Effect.catchReason("KafkaError", "KafkaAuthorizationFailed", ({ message }) =>
      Effect.sync(() => {
        notes.push(`the backup has no ${what}: ${message}`)
        return undefined
      })
    )
  )

/** Fails before the run if a Read permission is missing, for all topics that are not empty. */
const assertReadable = Effect.fnUntraced(function* (kafka: KafkaSourceShape, topics: ReadonlyArray<PlannedTopic>) {
  const places = topics.flatMap(({ name, partitions }) => {
    const some = partitions.find(({ from, until }) => from < until)
    return some === undefined ? [] : [{ topic: name, partition: some.partition, offset: some.until }]
  })
  const denied = yield* kafka.unreadable(places)
  if (denied.length > 0) {
    return yield* new RunError({ reason: new TopicAccessDenied({ topics: denied.map(({ topic }) => topic) }) })
  }
})

const keyOf = (offset: { readonly topic: string; readonly partition: number }) => `${offset.topic}/${offset.partition}`
const byPartition = (offsets: ReadonlyArray<PartitionOffset>) => new Map(offsets.map((o) => [keyOf(o), o.offset]))

/**
 * The plan of a run: topics, their configuration, group offsets, and *then* the ends, so that no group offset is newer
 * than the data. Starts come last, so that the plan does not claim offsets that Kafka's retention removes meanwhile.
 */
export const make = Effect.fn("Planning.make")(function* (
  kafka: KafkaSourceShape,
  request: RunRequest,
  backupId: BackupId
) {
  const { clusterId, notes: selectionNotes, topics } = yield* selectTopics(kafka, request)
  const notes = [...request.notes, ...selectionNotes]
  const names = topics.map((topic) => topic.name)
  const configs = yield* whereAllowed("topic configurations", notes, kafka.topicConfigs(names))
  const groups = yield* whereAllowed("consumer group offsets", notes, kafka.groupOffsets(names))
  const partitions = topics.flatMap((topic) =>
    topic.partitions.map(({ partition }) => ({ topic: topic.name, partition }))
  )
  // Before the ends: up to this time the backup has every record.
  const createdMillis = yield* Clock.currentTimeMillis
  // High watermarks before ends: if the later end is still lower, only an open transaction explains it.
  const highWatermarks = byPartition(yield* kafka.offsets(partitions, "highWatermark"))
  const ends = byPartition(yield* kafka.offsets(partitions, "lastStable"))
  const starts = byPartition(yield* kafka.offsets(partitions, "logStart"))
  const planned = topics.map((topic): PlannedTopic =>
    plannedTopic(topic, configs?.get(topic.name), starts, ends, highWatermarks)
  )
  yield* assertReadable(kafka, planned)
  for (const group of groups ?? []) {
    const ahead = group.offsets.filter((offset) => offset.offset > (ends.get(keyOf(offset)) ?? 0))
    if (ahead.length > 0) {
      const places = ahead.map((o) => `${o.topic}[${o.partition}] at ${o.offset}`).join(", ")
      notes.push(`group ${group.groupId} has committed offsets beyond the end of this backup: ${places}`)
    }
  }
  const plan: RunPlan = {
    version: formatOf(request.settings) === "batches" ? 3 : 1,
    backupId,
    identity: request.identity,
    createdMillis,
    ...(clusterId === undefined ? {} : { clusterId }),
    bootstrapServers: request.bootstrapServers,
    settings: request.settings,
    selection: { topics: request.topics, excludeTopics: request.excludeTopics },
    topics: planned,
    ...(groups === undefined ? {} : { groups: groups.toSorted((a, b) => (a.groupId < b.groupId ? -1 : 1)) }),
    notes
  }
  return plan
})

const plannedTopic = (
  topic: TopicInfo,
  configs: Readonly<Record<string, string>> | undefined,
  starts: ReadonlyMap<string, number>,
  ends: ReadonlyMap<string, number>,
  highWatermarks: ReadonlyMap<string, number>
): PlannedTopic => ({
  name: topic.name,
  ...(topic.topicId === undefined ? {} : { topicId: topic.topicId }),
  replicationFactor: Math.max(0, ...topic.partitions.map((p) => p.replicas)),
  ...(configs === undefined ? {} : { configs }),
  partitions: topic.partitions.map(({ partition }) => {
    const key = keyOf({ topic: topic.name, partition })
    const from = starts.get(key) ?? 0
    const until = Math.max(from, ends.get(key) ?? from)
    const highWatermark = highWatermarks.get(key) ?? until
    return { partition, from, until, ...(highWatermark > until ? { highWatermark } : {}) }
  })
})
