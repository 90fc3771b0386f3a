import { Effect } from "effect"
import { ErrorCode } from "../kafka/ErrorCode.ts"
import { KafkaError as Failed, ProtocolFailure } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { TopicLookup } from "../kafka/KafkaSource.ts"
import type { RestorePlan } from "./RestorePlan.ts"
import { made, type TargetTopic } from "./TargetTopic.ts"

/** Creates what is missing. `areNew` is false when some exist already; `ids` has those that were made here. */
export const create = Effect.fnUntraced(function* (sink: KafkaSinkShape, targets: ReadonlyArray<TargetTopic>) {
  const outcomes = yield* sink.createTopics(targets.flatMap((target) => made(target) ?? []))
  const refused = outcomes.find(
    ({ errorCode }) => errorCode !== ErrorCode.none && errorCode !== ErrorCode.topicAlreadyExists
  )
  if (refused === undefined) {
    return {
      areNew: outcomes.every(({ errorCode }) => errorCode === ErrorCode.none),
      ids: new Map(outcomes.flatMap(({ errorCode, name, topicId }) => (errorCode === 0 ? [[name, topicId]] : [])))
    }
  }
  const detail = `topic ${refused.name} was not created: ${refused.detail ?? `error ${refused.errorCode}`}`
  const reason = new ProtocolFailure({ detail, code: refused.errorCode, transient: false })
  return yield* new Failed({ operation: "topics", reason })
})

/** The ids of the target topics, once all of them are visible. */
export const ids = Effect.fnUntraced(function* (sink: KafkaSinkShape, plan: RestorePlan) {
  const names = plan.topics.map(({ target }) => target)
  const visible = (found: ReadonlyArray<TopicLookup>) =>
    found.every((one) => one._tag === "Found" && one.topic.partitions.every(({ leader }) => leader >= 0))
  let found = yield* sink.lookup(names)
  for (let tries = 0; !visible(found) && tries < 60; tries++) {
    yield* Effect.sleep(Math.min(100 * 2 ** tries, 1000))
    found = yield* sink.lookup(names)
  }
  return new Map(found.flatMap((one) => (one._tag === "Found" ? [[one.topic.name, one.topic.topicId]] : [])))
})
