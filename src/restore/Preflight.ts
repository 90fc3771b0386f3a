import { Effect } from "effect"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { TopicLookup } from "../kafka/KafkaSource.ts"
import * as Appending from "./Appending.ts"
import * as Attempt from "./Attempt.ts"
import * as Configuring from "./Configuring.ts"
import type { Means } from "./HoleMeans.ts"
import * as InSyncReplicas from "./InSyncReplicas.ts"
import * as Replication from "./Replication.ts"
import type { Objection } from "./Objection.ts"
import type { RestorePlan } from "./RestorePlan.ts"
import * as GoneTopics from "./GoneTopics.ts"
import * as Recreating from "./Recreating.ts"
import * as RestoreMemory from "./RestoreMemory.ts"
import type { Memory } from "./RestoreMemory.ts"
import type { ConfigChoice, RestoreRequest } from "./RestoreRequest.ts"
import * as TargetQuestions from "./TargetQuestions.ts"
import * as TargetRights from "./TargetRights.ts"
import * as Targets from "./TargetTopic.ts"
import type { TargetTopic } from "./TargetTopic.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import * as TopicValidation from "./TopicValidation.ts"
import * as WantedConfigs from "./WantedConfigs.ts"

export type { TargetTopic } from "./TargetTopic.ts"
export { newTopic } from "./TopicValidation.ts"

/**
 * Compares the plan with the target cluster. Nothing is written: topics that are missing are validated by the broker.
 * `memory`: topics that this restore wrote to before. Those that are proven are not looked at again: since then,
 * others may write to them, and their records may expire. Returns the plan that is left to carry out: without topics
 * that are gone since the restore was complete.
 */
export const ofTarget = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  whole: RestorePlan,
  request: RestoreRequest,
  memory: Memory | undefined,
  means: Means
) {
  const known: Memory = memory ?? new Map()
  const looked = yield* sink.lookup(whole.topics.map(({ target }) => target))
  const { found, plan: given } = GoneTopics.leaveOut(whole, looked, known)
  const objections: Array<Objection> = [
    ...Recreating.unused(
      request,
      whole.topics.map(({ target }) => target)
    )
  ]
  // Also where no topic holds records yet: those of this restore would be somebody's to a repeat.
  if (memory === undefined && request.existingTopics === "append") {
    objections.push(Appending.forgetful(Attempt.nameOf(request.owner)))
  }
  const targets: Array<TargetTopic> = []
  for (const [index, topic] of given.topics.entries()) {
    const answer: TargetQuestions.Answer = yield* TargetQuestions.ofTopic(
      sink,
      topic,
      found[index]!,
      request,
      known,
      given.digest
    )
    objections.push(...answer.objections)
    if (answer.target !== undefined) targets.push(answer.target)
  }
  const brokers = yield* sink.brokerCount
  // The brokers would say the same of these once more.
  const tooLarge = new Set(
    targets
      .filter((target) => Replication.isTooLarge(replicatedOf(target, found, request.configs), brokers))
      .map(({ topic }) => topic.target)
  )
  const doomed = targets.find(({ _tag }) => _tag === "Recreated")
  const remembers =
    memory !== undefined &&
    (doomed === undefined || (yield* RestoreMemory.isWritable(sink, request.owner, doomed.topic.target)))
  const anew = yield* Recreating.validate(
    sink,
    targets,
    (topic, knowsBounds) => TopicValidation.newTopic(topic, knowsBounds, request.configs),
    remembers ? undefined : Attempt.nameOf(request.owner),
    tooLarge
  )
  const validated = yield* TopicValidation.ofNewTopics(
    sink,
    anew.targets.filter(({ topic }) => !tooLarge.has(topic.target)),
    request.configs
  )
  const replicated = (some: ReadonlyArray<TargetTopic>) =>
    some.map((target) => replicatedOf(target, found, request.configs, validated.replicas))
  const topics = new Map(targets.map(({ topic }) => [topic.target, topic]))
  const placed = { ...given, topics: given.topics.map((topic) => topics.get(topic.target) ?? topic) }
  const plan = InSyncReplicas.lowered(placed, replicated(targets.filter(Targets.isConfigured)), request.configs)
  const planned = (some: ReadonlyArray<TargetTopic>) => some.map((target) => inPlan(target, plan, request.configs))
  const unproven = planned(targets.filter((target) => !Targets.isProven(target)))
  const isOwn = (target: TargetTopic) =>
    Targets.made(target) !== undefined || Targets.remembered(target)?.isMade === true
  objections.push(
    ...Replication.objections(replicated(unproven.filter(Targets.isConfigured)), brokers),
    ...(yield* TargetRights.objections(
      sink,
      request.owner,
      unproven.map((target) => ({
        topic: target.topic,
        isDeleted: target._tag === "Recreated" || (request.deletesCreated && isOwn(target))
      })),
      means
    ))
  )
  // A topic that is refused anyway says nothing of its overrides.
  const accepted = planned(validated.targets.filter(({ topic }) => !validated.refused.has(topic.target)))
  const refusedOverrides = yield* TopicValidation.ofOverrides(sink, whole, accepted, request.configs)
  const unprepared = yield* Configuring.unprepared(
    sink,
    unproven.flatMap(({ _tag, topic }) => (_tag === "Present" ? [topic] : [])),
    request.configs
  )
  return {
    plan,
    objections: [...objections, ...anew.objections, ...validated.objections, ...refusedOverrides, ...unprepared],
    targets: planned(validated.targets)
  }
})

/** The topic as the plan has it by now. */
const inPlan = (target: TargetTopic, plan: RestorePlan, choice: ConfigChoice): TargetTopic => {
  const topic = plan.topics.find((one) => one.target === target.topic.target) ?? target.topic
  if (!("create" in target)) return { ...target, topic }
  return {
    ...target,
    topic,
    create: TopicValidation.newTopic(topic, TopicConfigs.haveBounds(target.create.configs), choice)
  }
}

/** The replicas of a topic after the restore. */
const replicatedOf = (
  target: TargetTopic,
  found: ReadonlyArray<TopicLookup>,
  choice: ConfigChoice,
  ofBrokers: ReadonlyMap<string, number> = new Map()
): Replication.Replicated => {
  const { topic } = target
  const create = Targets.made(target)
  const present = found.flatMap((one) =>
    one._tag === "Found" && one.topic.name === topic.target ? one.topic.partitions.map(({ replicas }) => replicas) : []
  )
  const minInSync = WantedConfigs.valueOf(topic, choice, "min.insync.replicas")
  return {
    topic,
    isNew: create !== undefined,
    // Where the brokers choose, they have said what.
    replicas: create === undefined ? Math.min(...present) : (ofBrokers.get(topic.target) ?? create.replicationFactor),
    minInSync: minInSync === undefined ? undefined : Number(minInSync)
  }
}
