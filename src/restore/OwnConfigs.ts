import { Effect } from "effect"
import { type KafkaError } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import * as Configuring from "./Configuring.ts"
import * as LargeRecords from "./LargeRecords.ts"
import type { TargetTopic } from "./TargetTopic.ts"
import type { Memory } from "./RestoreMemory.ts"
import type { PlannedTopic } from "./RestorePlan.ts"
import type { ConfigChoice } from "./RestoreRequest.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import * as WantedConfigs from "./WantedConfigs.ts"

/*
 * What a topic had that existed before the restore, of the configurations that a restore changes. It is remembered
 * before the first change, and comes back where the restore gives the topic none of the backup, or fails for good and
 * is to leave nothing behind.
 */

type Configs = Readonly<Record<string, string>>

/** The names that a restore sets in this topic. */
const changed = (topic: PlannedTopic, choice: TopicConfigs.Wanted): ReadonlyArray<string> => {
  const record = LargeRecords.knownBytes(topic)
  const names = (knowsBounds: boolean) =>
    Object.keys(TopicConfigs.initial(topic.configs, knowsBounds, choice, {}, record))
  return [...new Set([true, false].flatMap(names))]
}

/** Of topics that exist and of which nothing is remembered; without DescribeConfigs, nothing is known of them. */
export const read = (
  source: KafkaSourceShape,
  targets: ReadonlyArray<TargetTopic>,
  choice: ConfigChoice
): Effect.Effect<ReadonlyMap<string, Configs>, KafkaError> => {
  const existing = targets.filter((target) => target._tag === "Present" && target.remembered === undefined)
  if (existing.length === 0) return Effect.succeed(new Map())
  return source.topicConfigs(existing.map(({ topic }) => topic.target)).pipe(
    Effect.map(
      (found) =>
        new Map(
          existing.map(({ topic }) => {
            const names = new Set(changed(topic, WantedConfigs.of(topic, choice)))
            const own = Object.entries(found.get(topic.target) ?? {}).filter(([name]) => names.has(name))
            return [topic.target, Object.fromEntries(own)]
          })
        )
    ),
    Effect.catchReason("KafkaError", "KafkaAuthorizationFailed", () => Effect.succeed(new Map<string, Configs>()))
  )
}

/** What a topic is to have, and what it had. */
export const wanted = (topic: PlannedTopic, choice: ConfigChoice, own: Configs | undefined): TopicConfigs.Wanted => ({
  ...WantedConfigs.of(topic, choice),
  ...(own === undefined ? {} : { own })
})

/**
 * After an attempt that failed for good: topics that were there before have again what they had. Fails never; what
 * could not be given back is logged.
 */
export const giveBack = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  topics: ReadonlyArray<PlannedTopic>,
  choice: ConfigChoice,
  memory: Memory
) {
  for (const topic of topics) {
    const own = memory.get(topic.target)?.own
    if (own === undefined) continue
    const names = changed(topic, WantedConfigs.of(topic, choice))
    const given = yield* Effect.result(
      Configuring.giveConfigs(sink, topic.target, Object.fromEntries(names.map((name) => [name, own[name] ?? null])))
    )
    const isWhole = given._tag === "Success" && given.success.length === 0
    yield* (
      isWhole
        ? Effect.logInfo("the topic has the configuration again that it had before the restore")
        : Effect.logWarning("the topic does not have the configuration again that it had before the restore")
    ).pipe(Effect.annotateLogs({ topic: topic.target, configs: JSON.stringify(own) }))
  }
})
