import { Effect } from "effect"
import { ErrorCode } from "../kafka/ErrorCode.ts"
import { type KafkaError, KafkaError as Failed } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { PlannedTopic } from "./RestorePlan.ts"
import * as TopicConfigs from "./TopicConfigs.ts"

/** A configuration that a topic did not get. */
export interface RefusedConfig {
  readonly topic: string
  readonly name: string
}

/** An existing topic gets the configuration that keeps records as they are while they are written. */
export const prepareExisting = (sink: KafkaSinkShape, { configs, target }: PlannedTopic) =>
  sink.alterConfigs(target, TopicConfigs.initial(configs, true)).pipe(
    // Before Kafka 3.6 two names are unknown.
    Effect.catchReason("KafkaError", "ProtocolFailure", (failure) =>
      failure.code === ErrorCode.invalidConfig
        ? sink.alterConfigs(target, TopicConfigs.initial(configs, false))
        : Effect.fail(new Failed({ operation: "topics", reason: failure }))
    )
  )

/**
 * Configures a topic whose records are proven. A broker refuses a request as a whole for one configuration that it does
 * not know, such as that of a vendor or of tiered storage: then each is set by itself, and those refused are returned.
 */
export const giveConfigs = (sink: KafkaSinkShape, topic: string, configs: Readonly<Record<string, string | null>>) => {
  const given = (some: Readonly<Record<string, string | null>>): Effect.Effect<boolean, KafkaError> =>
    Effect.as(sink.alterConfigs(topic, some), true).pipe(
      Effect.catchReason("KafkaError", "ProtocolFailure", (failure) =>
        failure.code === ErrorCode.invalidConfig
          ? Effect.succeed(false)
          : Effect.fail(new Failed({ operation: "configs", reason: failure }))
      )
    )
  return Effect.gen(function* () {
    if (yield* given(configs)) return []
    const refused: Array<RefusedConfig> = []
    for (const [name, value] of Object.entries(configs)) {
      // A name that the broker does not know cannot be set there, either: nothing is to be reset.
      if (!(yield* given({ [name]: value })) && value !== null) refused.push({ topic, name })
    }
    return refused
  })
}
