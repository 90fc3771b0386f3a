import { Effect } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import { KafkaAuthorizationFailed, KafkaError } from "../KafkaError.ts"
import type { NewTopic, TopicOutcome } from "../KafkaSink.ts"
import type { KafkaWriteWire } from "../KafkaWriteWire.ts"
import { reasonOf } from "./Refusal.ts"

/** Most partitions to create in one request. Kafka refuses more than 10,000. */
const partitionsPerRequest = 1000
/** Names in one request. */
const namesPerRequest = 1000

/** The topics in order, in groups of at most `most` partitions; a topic with more has a group of its own. */
export const inGroups = (topics: ReadonlyArray<NewTopic>, most: number): ReadonlyArray<ReadonlyArray<NewTopic>> => {
  const groups: Array<Array<NewTopic>> = []
  let room = 0
  for (const topic of topics) {
    const size = Math.max(1, topic.partitions)
    const newest = groups.at(-1)
    if (newest === undefined || size > room) {
      groups.push([topic])
      room = most - size
    } else {
      newest.push(topic)
      room -= size
    }
  }
  return groups
}

/** One outcome per name, in their order. Says which permission is missing where the broker only says that one is. */
const inOrder = (
  names: ReadonlyArray<string>,
  outcomes: ReadonlyArray<TopicOutcome>,
  right: "Create" | "Delete"
): ReadonlyArray<TopicOutcome> => {
  const byName = new Map(outcomes.map((outcome) => [outcome.name, outcome]))
  return names.map((name) => {
    const outcome = byName.get(name)
    if (outcome === undefined) {
      return { name, errorCode: ErrorCode.unknownServerError, detail: "the answer does not contain the topic" }
    }
    if (outcome.errorCode !== ErrorCode.topicAuthorizationFailed) return outcome
    return { ...outcome, detail: new KafkaAuthorizationFailed({ resource: `topic ${name}`, missing: right }).message }
  })
}

/** A controller that is not the controller any more has changed nothing: the request is made again. */
const byController =
  (doing: string) =>
  (outcomes: ReadonlyArray<TopicOutcome>): Effect.Effect<ReadonlyArray<TopicOutcome>, KafkaError> =>
    outcomes.some(({ errorCode }) => errorCode === ErrorCode.notController)
      ? Effect.fail(new KafkaError({ operation: "topics", reason: reasonOf(ErrorCode.notController, { doing }) }))
      : Effect.succeed(outcomes)

type Retried = <A>(request: Effect.Effect<A, KafkaError>) => Effect.Effect<A, KafkaError>

export const createTopics = (
  wire: KafkaWriteWire,
  retried: Retried,
  topics: ReadonlyArray<NewTopic>,
  validateOnly: boolean
) =>
  Effect.forEach(inGroups(topics, partitionsPerRequest), (group) =>
    retried(Effect.flatMap(wire.createTopics(group, validateOnly), byController("creating topics")))
  ).pipe(
    Effect.map((answers) =>
      inOrder(
        topics.map(({ name }) => name),
        answers.flat(),
        "Create"
      )
    )
  )

export const deleteTopics = (wire: KafkaWriteWire, retried: Retried, names: ReadonlyArray<string>) =>
  Effect.forEach(
    Array.from({ length: Math.ceil(names.length / namesPerRequest) }, (_, i) =>
      names.slice(i * namesPerRequest, (i + 1) * namesPerRequest)
    ),
    (some) => retried(Effect.flatMap(wire.deleteTopics(some), byController("deleting topics")))
  ).pipe(Effect.map((answers) => inOrder(names, answers.flat(), "Delete")))

export const alterConfigs = (
  wire: KafkaWriteWire,
  retried: Retried,
  topic: string,
  configs: Readonly<Record<string, string | null>>
): Effect.Effect<void, KafkaError> => {
  const right = { resource: `topic ${topic}`, operation: "AlterConfigs" }
  const asked = { doing: `setting the configuration of topic ${topic}`, topic: right, cluster: right }
  return retried(
    Effect.flatMap(wire.alterConfigs(topic, configs), ({ detail, errorCode }) =>
      errorCode === ErrorCode.none
        ? Effect.void
        : Effect.fail(new KafkaError({ operation: "configs", reason: reasonOf(errorCode, asked, detail) }))
    )
  )
}
