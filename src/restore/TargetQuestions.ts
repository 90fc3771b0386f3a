import { Effect } from "effect"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { TopicLookup } from "../kafka/KafkaSource.ts"
import * as Appending from "./Appending.ts"
import { type Objection, objection } from "./Objection.ts"
import * as Recreating from "./Recreating.ts"
import { type Memory, rememberedOf } from "./RestoreMemory.ts"
import type { PlannedTopic } from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import type { TargetTopic } from "./TargetTopic.ts"
import * as TopicValidation from "./TopicValidation.ts"

/** What a topic of the target says to its part of the plan. */
export interface Answer {
  readonly objections: ReadonlyArray<Objection>
  /** Absent: nothing can be done with it. */
  readonly target?: TargetTopic
}

const refused = (reason: Objection["reason"], message: string, advice: string): Answer => ({
  objections: [objection(reason, message, advice)]
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
    const why = topic.sources === undefined ? `the backup has ${needs}` : `spec.partitions asks for ${needs}`
    const message = `topic ${topic.target} has ${has} partitions, and ${why}`
    objections.push(objection("PartitionsDiffer", message, "delete the topic, or restore to another name"))
  }
  if (!isEmpty && !isOurs) {
    const message = `topic ${topic.target} holds records already, or did once`
    const advice = "restore to another name with topicMapping, delete the topic first, or set existingTopics"
    objections.push(objection("TargetNotEmpty", message, advice))
  }
  return objections
}

/** What is to be done with a topic that exists. The ends of its logs are asked for. */
const ofFound = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  topic: PlannedTopic,
  found: Extract<TopicLookup, { _tag: "Found" }>["topic"],
  request: RestoreRequest,
  known: Memory,
  digest: string
) {
  const remembered = rememberedOf(known, digest, found)
  const ours = remembered?.bases === undefined ? topic : Appending.behind(topic, remembered.bases)
  const there = (planned: PlannedTopic, isWritten: boolean): TargetTopic => ({
    _tag: Appending.isAppended(planned) ? "Appended" : "Present",
    topic: planned,
    isWritten,
    remembered
  })
  if (remembered?.provenMillis !== undefined) {
    return { objections: [], target: there(ours, true) } satisfies Answer
  }
  const places = found.partitions.map(({ partition }) => ({ topic: topic.target, partition }))
  const ends = yield* sink.offsets(places, "highWatermark")
  const isEmpty = ends.every(({ offset }) => offset === 0)
  const isForeign = remembered === undefined && !found.isInternal
  const isAlike = found.partitions.length === topic.partitions.length
  if (isForeign && request.existingTopics === "recreate" && !(isEmpty && isAlike)) {
    const refusal = Recreating.refusal(request, known, found)
    if (refusal !== undefined) return { objections: [refusal] } satisfies Answer
    const create = TopicValidation.newTopic(topic, true, request.configs)
    const target: TargetTopic = { _tag: "Recreated", topic, create, topicId: found.topicId }
    return { objections: [], target } satisfies Answer
  }
  const appends = isForeign && request.existingTopics === "append" && !isEmpty
  const unappendable = appends ? Appending.refusal(known, found) : undefined
  const planned = appends
    ? Appending.behind(
        topic,
        ends.map(({ offset }) => offset)
      )
    : ours
  const isWritten = planned.partitions.every(({ end, partition }) => ends[partition]?.offset === end)
  return {
    objections: [
      ...existing(topic, found, isEmpty || appends, remembered !== undefined),
      ...(unappendable === undefined ? [] : [unappendable])
    ],
    target: there(planned, isWritten)
  } satisfies Answer
})

/** What is to be done with one topic of the plan, by what the cluster says of it. */
export const ofTopic = (
  sink: KafkaSinkShape,
  topic: PlannedTopic,
  lookup: TopicLookup,
  request: RestoreRequest,
  known: Memory,
  digest: string
) => {
  switch (lookup._tag) {
    case "Denied":
      return Effect.succeed(
        refused("TargetDenied", `permission denied for topic ${topic.target}`, "grant the principal Describe and Write")
      )
    case "Missing": {
      if (!request.createTopics) {
        const message = `topic ${topic.target} does not exist, and createTopics is false`
        return Effect.succeed(refused("TargetTopicMissing", message, "create the topic, or set createTopics: true"))
      }
      const create = TopicValidation.newTopic(topic, true, request.configs)
      const target: TargetTopic = { _tag: "Missing", topic, create }
      return Effect.succeed<Answer>({ objections: [], target })
    }
    case "Found":
      return ofFound(sink, topic, lookup.topic, request, known, digest)
  }
}
