import { Effect } from "effect"
import { ErrorCode } from "../kafka/ErrorCode.ts"
import { type KafkaError, KafkaError as Failed } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import * as LargeRecords from "./LargeRecords.ts"
import type { Objection } from "./Objection.ts"
import type { PlannedTopic } from "./RestorePlan.ts"
import type { ConfigChoice } from "./RestoreRequest.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import * as WantedConfigs from "./WantedConfigs.ts"

/** A configuration that a topic did not get. */
export interface RefusedConfig {
  readonly topic: string
  readonly name: string
  /** The brokers' explanation. */
  readonly detail: string | undefined
}

/** The refusal in words, behind what follows from it. */
export const because = ({ detail }: RefusedConfig): string =>
  `the brokers refuse it${detail === undefined ? "" : ` (${detail})`}`

/**
 * An existing topic gets the configuration that keeps records as they are while they are written. Somebody may have
 * raised its `max.message.bytes` for a record that is too large: that is never lowered here.
 */
export const prepareExisting = Effect.fnUntraced(function* (
  { sink, source }: { readonly sink: KafkaSinkShape; readonly source: KafkaSourceShape },
  topic: PlannedTopic,
  choice: ConfigChoice
) {
  const { configs, target } = topic
  const wanted = WantedConfigs.of(topic, choice)
  const present = yield* source.topicConfigs([target]).pipe(
    Effect.map((found) => found.get(target) ?? {}),
    Effect.catchReason("KafkaError", "KafkaAuthorizationFailed", () => Effect.succeed({}))
  )
  const alter = (knowsBounds: boolean) =>
    sink.alterConfigs(
      target,
      TopicConfigs.initial(configs, knowsBounds, wanted, present, LargeRecords.knownBytes(topic))
    )
  yield* alter(true).pipe(
    // Before Kafka 3.6 two names are unknown.
    Effect.catchReason("KafkaError", "ProtocolFailure", (failure) =>
      failure.code === ErrorCode.invalidConfig
        ? alter(false)
        : Effect.fail(new Failed({ operation: "topics", reason: failure }))
    )
  )
})

/**
 * Codes with which a broker refuses what a configuration says: an unknown name, a value that is not allowed, or one
 * against the policy of the cluster (`alter.config.policy.class.name`, `create.topic.policy.class.name`). Source:
 * KIP-108 and KIP-133; some answer with the code of an invalid request.
 */
const refusals: ReadonlySet<number | undefined> = new Set([
  ErrorCode.invalidConfig,
  ErrorCode.policyViolation,
  ErrorCode.invalidRequest
])

export const isRefusal = (code: number | undefined): boolean => refusals.has(code)

/** Existing topics of which the brokers refuse what `prepareExisting` would set. Changes nothing. */
export const unprepared = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  topics: ReadonlyArray<PlannedTopic>,
  choice: ConfigChoice
) {
  const objections: Array<Objection> = []
  for (const topic of topics) {
    // An override is asked about by itself.
    const wanted = { ...WantedConfigs.of(topic, choice), overrides: {} }
    const ask = (knowsBounds: boolean) =>
      sink.validateConfigs(
        topic.target,
        TopicConfigs.initial(topic.configs, knowsBounds, wanted, {}, LargeRecords.knownBytes(topic))
      )
    const first = yield* ask(true)
    const { detail, errorCode } = first.errorCode === ErrorCode.invalidConfig ? yield* ask(false) : first
    if (!isRefusal(errorCode)) continue
    objections.push({
      reason: "TargetRefused",
      message: `the broker refuses the configuration that topic ${topic.target} needs while it is written: ${detail ?? `error ${errorCode}`}`,
      advice: "exempt the topic from the policy of the cluster, or restore to another name with topicMapping"
    })
  }
  return objections
})

/**
 * Configures a topic whose records are proven. A broker refuses a request as a whole for one configuration that it does
 * not know, such as that of a vendor or of tiered storage, or that a policy of the cluster refuses: then each is set by
 * itself, and those refused are returned.
 */
export const giveConfigs = (sink: KafkaSinkShape, topic: string, configs: Readonly<Record<string, string | null>>) => {
  /** The code of the refusal; undefined: set. */
  const refused = (some: Readonly<Record<string, string | null>>): Effect.Effect<number | undefined, KafkaError> =>
    Effect.as(sink.alterConfigs(topic, some), undefined).pipe(
      Effect.catchReason("KafkaError", "ProtocolFailure", (failure) =>
        isRefusal(failure.code)
          ? Effect.succeed(failure.code)
          : Effect.fail(new Failed({ operation: "configs", reason: failure }))
      )
    )
  return Effect.gen(function* () {
    if ((yield* refused(configs)) === undefined) return []
    const all: Array<RefusedConfig> = []
    // One by one, so that each is set that can be.
    for (const [name, value] of Object.entries(configs)) {
      const code = yield* refused({ [name]: value })
      // A name that the broker does not know cannot be set there, either: nothing is to be reset.
      if (code === undefined || (value === null && code === ErrorCode.invalidConfig)) continue
      const said = yield* Effect.result(sink.validateConfigs(topic, { [name]: value }))
      all.push({ topic, name, detail: said._tag === "Success" ? said.success.detail : undefined })
    }
    return all
  })
}
