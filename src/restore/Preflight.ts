import { Effect } from "effect"
import { ErrorCode } from "../kafka/ErrorCode.ts"
import type { KafkaSinkShape, NewTopic } from "../kafka/KafkaSink.ts"
import type { TopicLookup } from "../kafka/KafkaSource.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as Verification from "../manifest/Verification.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { Objection, PlannedTopic, RestorePlan } from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import * as TopicConfigs from "./TopicConfigs.ts"

/** What is to be done with one topic of the target. */
export interface TargetTopic {
  readonly topic: PlannedTopic
  /** Absent: it is there already, and empty or of this restore. */
  readonly create: NewTopic | undefined
  /** Of an existing topic: every log ends where it should. */
  readonly isWritten: boolean
  /** An earlier attempt of this restore made it, or found it empty, and began to write to it. */
  readonly isOurs: boolean
}

/** Whether the backup can be restored at all: every object is there with its size, and its documents are intact. */
export const ofBackup = Effect.fnUntraced(function* (store: ObjectStoreShape, set: BackupSet) {
  const found = yield* Verification.verify(store, set, "objects")
  const problems = [
    ...found.problems.map(({ detail, key }) => `${key} ${detail}`),
    ...found.broken.map(({ detail, key }) => `${key} ${detail}`)
  ]
  return problems.map((message): Objection => ({
    reason: "BackupDamaged",
    message: `backup ${set.backupId} is damaged: ${message}`,
    advice: "restore another backup"
  }))
})

const objection = (reason: Objection["reason"], message: string, advice: string): Objection => ({
  reason,
  message,
  advice
})

/** Everything about an existing topic that stands against writing to it. `isOurs`: this restore wrote to it before. */
const existing = (
  topic: PlannedTopic,
  found: Extract<TopicLookup, { _tag: "Found" }>["topic"],
  isEmpty: boolean,
  isOurs: boolean
): ReadonlyArray<Objection> => {
  if (found.isInternal) {
    const advice = "restore it to another name with topicMapping"
    return [objection("TargetInternal", `topic ${topic.target} is internal to Kafka`, advice)]
  }
  const objections: Array<Objection> = []
  const [has, needs] = [found.partitions.length, topic.partitions.length]
  if (has !== needs) {
    const message = `topic ${topic.target} has ${has} partitions, and the backup has ${needs}`
    objections.push(objection("PartitionsDiffer", message, "delete the topic, or restore to another name"))
  }
  if (!isEmpty && !isOurs) {
    const message = `topic ${topic.target} holds records already, or did once`
    const advice = "restore to another name with topicMapping, or delete the topic first"
    objections.push(objection("TargetNotEmpty", message, advice))
  }
  return objections
}

/**
 * Compares the plan with the target cluster. Nothing is written: topics that are missing are validated by the broker.
 * `ours`: topics that this restore wrote to before.
 */
export const ofTarget = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  plan: RestorePlan,
  request: RestoreRequest,
  ours: ReadonlySet<string>
) {
  const found = yield* sink.lookup(plan.topics.map(({ target }) => target))
  const objections: Array<Objection> = []
  const targets: Array<TargetTopic> = []
  for (const [index, topic] of plan.topics.entries()) {
    const lookup = found[index]!
    switch (lookup._tag) {
      case "Denied":
        objections.push(
          objection(
            "TargetDenied",
            `permission denied for topic ${topic.target}`,
            "grant the principal Describe and Write"
          )
        )
        break
      case "Missing":
        if (!request.createTopics) {
          const message = `topic ${topic.target} does not exist, and createTopics is false`
          objections.push(objection("TargetTopicMissing", message, "create the topic, or set createTopics: true"))
          break
        }
        targets.push({ topic, create: newTopic(topic, true), isWritten: false, isOurs: false })
        break
      case "Found": {
        const places = lookup.topic.partitions.map(({ partition }) => ({ topic: topic.target, partition }))
        const ends = yield* sink.offsets(places, "highWatermark")
        objections.push(
          ...existing(
            topic,
            lookup.topic,
            ends.every(({ offset }) => offset === 0),
            ours.has(topic.target)
          )
        )
        const isWritten = topic.partitions.every(({ end, partition }) => ends[partition]?.offset === end)
        targets.push({ topic, create: undefined, isWritten, isOurs: ours.has(topic.target) })
      }
    }
  }
  const validated = yield* validate(sink, targets)
  return { objections: [...objections, ...validated.objections], targets: validated.targets }
})

const newTopic = (topic: PlannedTopic, knowsBounds: boolean): NewTopic => ({
  name: topic.target,
  partitions: topic.partitions.length,
  replicationFactor: topic.replicationFactor,
  configs: TopicConfigs.initial(topic.configs, knowsBounds)
})

/** Lets the broker validate every new topic, and finds out which names of configurations it knows. */
const validate = Effect.fnUntraced(function* (sink: KafkaSinkShape, targets: ReadonlyArray<TargetTopic>) {
  const attempt = (knowsBounds: boolean) =>
    Effect.gen(function* () {
      const made = targets.map((target) =>
        target.create === undefined ? target : { ...target, create: newTopic(target.topic, knowsBounds) }
      )
      const outcomes = yield* sink.createTopics(
        made.flatMap(({ create }) => create ?? []),
        { validateOnly: true }
      )
      return { made, refused: outcomes.filter(({ errorCode }) => errorCode !== ErrorCode.none) }
    })
  const first = yield* attempt(true)
  const isOlder = first.refused.some(({ errorCode }) => errorCode === ErrorCode.invalidConfig)
  const { made, refused } = isOlder ? yield* attempt(false) : first
  return {
    targets: made,
    objections: refused.map(({ detail, errorCode, name }) =>
      objection(
        "TargetRefused",
        `the broker refuses topic ${name}: ${detail ?? `error ${errorCode}`}`,
        errorCode === ErrorCode.invalidReplicationFactor
          ? "set defaultReplicationFactor to at most the number of brokers"
          : "correct what the broker names, or create the topic yourself"
      )
    )
  }
})
