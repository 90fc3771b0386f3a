import { Effect } from "effect"
import type { KafkaSinkShape, TopicOutcome } from "../kafka/KafkaSink.ts"
import * as Configuring from "./Configuring.ts"
import type { ConfigChoice } from "./RestoreRequest.ts"
import * as Targets from "./TargetTopic.ts"
import type { TargetTopic } from "./TargetTopic.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import * as WantedConfigs from "./WantedConfigs.ts"

/* What the brokers say beforehand of the configuration that topics get in the end, after the hold included. */

type Answer = Pick<TopicOutcome, "errorCode" | "detail"> | undefined

/** Topics that are asked about at the same time. */
const atOnce = 8

/** What would become of these values. A new topic is validated as a whole, with the values of the beginning. */
const answerTo = (sink: KafkaSinkShape, target: TargetTopic, configs: Readonly<Record<string, string>>) => {
  const create = Targets.made(target)
  return create === undefined
    ? Effect.map(sink.validateConfigs(target.topic.target, configs), (answer): Answer => answer)
    : Effect.map(
        sink.createTopics([{ ...create, configs: { ...create.configs, ...configs } }], { validateOnly: true }),
        ([answer]): Answer => answer
      )
}

const ofTopic = Effect.fnUntraced(function* (sink: KafkaSinkShape, target: TargetTopic, choice: ConfigChoice) {
  const { topic } = target
  const { fromBackup } = choice
  const wanted = { fromBackup, overrides: WantedConfigs.of(topic, choice).overrides }
  // What configOverrides asks for is an objection of its own, and what is reset is not known to the brokers yet.
  const values = Object.fromEntries(
    Object.entries(TopicConfigs.final(topic.configs, true, false, wanted)).filter(
      (entry): entry is [string, string] => entry[1] !== null && wanted.overrides[entry[0]] === undefined
    )
  )
  const isRefused = (answer: Answer) => Configuring.isRefusal(answer?.errorCode)
  if (Object.keys(values).length === 0 || !isRefused(yield* answerTo(sink, target, values))) return []
  const refused: Array<Configuring.RefusedConfig> = []
  for (const [name, value] of Object.entries(values)) {
    const answer = yield* answerTo(sink, target, { [name]: value })
    if (isRefused(answer)) refused.push({ topic: topic.target, name, detail: answer?.detail })
  }
  return refused
})

/** Configurations of the backup that the brokers are going to refuse. Changes nothing. */
export const refusals = (sink: KafkaSinkShape, targets: ReadonlyArray<TargetTopic>, choice: ConfigChoice) =>
  Effect.map(
    Effect.forEach(
      targets.filter((target) => Targets.remembered(target)?.configs === undefined && Targets.isConfigured(target)),
      (target) => ofTopic(sink, target, choice),
      { concurrency: atOnce }
    ),
    (all) => all.flat()
  )
