import { Effect } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import { KafkaAuthorizationFailed, KafkaError } from "../KafkaError.ts"
import type { DoomedTopic, NewTopic, TopicOutcome } from "../KafkaSink.ts"
import type { KafkaWriteWire } from "../KafkaWriteWire.ts"
import { lookupTopics } from "../read/TopicLookup.ts"
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

const askToDelete = (wire: KafkaWriteWire, retried: Retried, topics: ReadonlyArray<DoomedTopic>) =>
  Effect.forEach(
    Array.from({ length: Math.ceil(topics.length / namesPerRequest) }, (_, i) =>
      topics.slice(i * namesPerRequest, (i + 1) * namesPerRequest)
    ),
    (some) => retried(Effect.flatMap(wire.deleteTopics(some), byController("deleting topics")))
  ).pipe(
    Effect.map((answers) =>
      inOrder(
        topics.map(({ name }) => name),
        answers.flat(),
        "Delete"
      )
    )
  )

/** Where the broker deletes by name alone: a look at the id comes first, and what is another topic by now stays. */
const deleteByName = Effect.fnUntraced(function* (
  wire: KafkaWriteWire,
  retried: Retried,
  topics: ReadonlyArray<DoomedTopic>
) {
  const names = topics.map(({ name }) => name)
  const found = yield* retried(lookupTopics({ request: wire.metadata }, names))
  const isSame = (at: number) => {
    const one = found[at]
    return one?._tag === "Found" && one.topic.topicId === topics[at]?.topicId
  }
  const left = topics.map(({ name }, at): TopicOutcome => {
    const errorCode = found[at]?._tag === "Denied" ? ErrorCode.topicAuthorizationFailed : ErrorCode.unknownTopicId
    return { name, errorCode, detail: undefined }
  })
  const deleted = yield* askToDelete(
    wire,
    retried,
    names.filter((_, at) => isSame(at)).map((name) => ({ name }))
  )
  return inOrder(names, [...left, ...deleted], "Delete")
})

export const deleteTopics = Effect.fnUntraced(function* (
  wire: KafkaWriteWire,
  retried: Retried,
  topics: ReadonlyArray<DoomedTopic>
) {
  const outcomes = yield* askToDelete(wire, retried, topics)
  const isLeft = (at: number) => outcomes[at]?.errorCode === ErrorCode.unsupportedVersion
  const byName = yield* deleteByName(
    wire,
    retried,
    topics.filter((_, at) => isLeft(at))
  )
  return inOrder(
    topics.map(({ name }) => name),
    [...outcomes, ...byName],
    "Delete"
  )
})

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
