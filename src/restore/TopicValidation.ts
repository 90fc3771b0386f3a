import { Effect } from "effect"
import { ErrorCode } from "../kafka/ErrorCode.ts"
import type { KafkaSinkShape, NewTopic } from "../kafka/KafkaSink.ts"
import * as Configuring from "./Configuring.ts"
import * as LargeRecords from "./LargeRecords.ts"
import { type Objection, objection } from "./Objection.ts"
import type { PlannedTopic, RestorePlan } from "./RestorePlan.ts"
import type { ConfigChoice } from "./RestoreRequest.ts"
import type { TargetTopic } from "./TargetTopic.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import * as WantedConfigs from "./WantedConfigs.ts"

/* What the brokers say beforehand of topics that are to be created, and of configurations. Nothing is changed. */

/** The topic as the restore creates it. `knowsBounds`: the brokers know the bounds of timestamps, since Kafka 3.6. */
export const newTopic = (topic: PlannedTopic, knowsBounds: boolean, choice: ConfigChoice): NewTopic => ({
  name: topic.target,
  partitions: topic.partitions.length,
  replicationFactor: topic.replicationFactor,
  configs: TopicConfigs.initial(
    topic.configs,
    knowsBounds,
    WantedConfigs.of(topic, choice),
    {},
    LargeRecords.knownBytes(topic)
  )
})

/** Lets the broker validate every new topic, and finds out which names of configurations it knows. */
export const ofNewTopics = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  targets: ReadonlyArray<TargetTopic>,
  choice: ConfigChoice
) {
  const attempt = (knowsBounds: boolean) =>
    Effect.gen(function* () {
      const made = targets.map((target) =>
        target._tag === "Missing" ? { ...target, create: newTopic(target.topic, knowsBounds, choice) } : target
      )
      const outcomes = yield* sink.createTopics(
        made.flatMap((target) => (target._tag === "Missing" ? [target.create] : [])),
        { validateOnly: true }
      )
      return { made, outcomes, refused: outcomes.filter(({ errorCode }) => errorCode !== ErrorCode.none) }
    })
  const first = yield* attempt(true)
  const isOlder = first.refused.some(({ errorCode }) => errorCode === ErrorCode.invalidConfig)
  const { made, outcomes, refused } = isOlder ? yield* attempt(false) : first
  return {
    targets: made,
    replicas: new Map(
      outcomes.flatMap(({ name, replicationFactor }) =>
        replicationFactor === undefined ? [] : [[name, replicationFactor]]
      )
    ),
    refused: new Set(refused.map(({ name }) => name)),
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

/** Lets the broker validate what configOverrides asks for. */
export const ofOverrides = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  plan: RestorePlan,
  targets: ReadonlyArray<TargetTopic>,
  choice: ConfigChoice
) {
  const unused = WantedConfigs.unused(plan.topics, choice).map((pattern) =>
    objection(
      "OverrideUnused",
      `configOverrides names ${pattern}, and no topic of that name is restored`,
      `remove ${pattern} from configOverrides, or correct it`
    )
  )
  const refused: Array<Objection> = []
  for (const target of targets) {
    const { topic } = target
    const { overrides } = WantedConfigs.of(topic, choice)
    if (Object.keys(overrides).length === 0 || target._tag === "Recreated" || target._tag === "Appended") continue
    const [outcome] =
      target._tag === "Present"
        ? [yield* sink.validateConfigs(topic.target, overrides)]
        : yield* sink.createTopics([{ ...target.create, configs: { ...target.create.configs, ...overrides } }], {
            validateOnly: true
          })
    if (outcome === undefined || !Configuring.isRefusal(outcome.errorCode)) continue
    refused.push(
      objection(
        "TargetRefused",
        `the broker refuses configOverrides of topic ${topic.target}: ${outcome.detail ?? `error ${outcome.errorCode}`}`,
        "correct or remove that configuration in configOverrides"
      )
    )
  }
  return [...unused, ...refused]
})
