import { Effect } from "effect"
import { ErrorCode } from "../kafka/ErrorCode.ts"
import type { KafkaSinkShape, NewTopic } from "../kafka/KafkaSink.ts"
import type { TopicLookup } from "../kafka/KafkaSource.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as Verification from "../manifest/Verification.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Appending from "./Appending.ts"
import * as Attempt from "./Attempt.ts"
import * as Configuring from "./Configuring.ts"
import type { Means } from "./HoleMeans.ts"
import * as InSyncReplicas from "./InSyncReplicas.ts"
import * as Replication from "./Replication.ts"
import * as LargeRecords from "./LargeRecords.ts"
import type { Objection } from "./Objection.ts"
import type { PlannedTopic, RestorePlan } from "./RestorePlan.ts"
import * as GoneTopics from "./GoneTopics.ts"
import * as Recreating from "./Recreating.ts"
import * as RestoreMemory from "./RestoreMemory.ts"
import { type Memory, type Remembered, rememberedOf } from "./RestoreMemory.ts"
import type { ConfigChoice, RestoreRequest } from "./RestoreRequest.ts"
import * as TargetRights from "./TargetRights.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import * as WantedConfigs from "./WantedConfigs.ts"

/** What is to be done with one topic of the target. */
export interface TargetTopic {
  readonly topic: PlannedTopic
  /** Absent: it is there already, and empty or of this restore. */
  readonly create: NewTopic | undefined
  /** Of an existing topic: every log ends where it should. */
  readonly isWritten: boolean
  /** Of an existing topic that an earlier attempt of this restore wrote to. */
  readonly remembered: Remembered | undefined
  /** Present where a topic of others is deleted first, and created again: which one. */
  readonly recreates?: { readonly topicId: string | undefined }
}

/** Whether the backup can be restored at all: every object is there with its size, and its documents are intact. */
export const ofBackup = Effect.fnUntraced(function* (store: ObjectStoreShape, set: BackupSet) {
  const found = yield* Verification.verify(store, set, "objects")
  const problems = [
    ...found.problems.map(({ detail, key }) => `${key} ${detail}`),
    ...found.broken.map(({ detail, key }) => `${key} ${detail}`)
  ]
  return problems.map((message): Objection => ({
    reason: "BackupDamaged",
    message: `backup ${set.backupId} is damaged: ${message}`,
    advice: "restore another backup"
  }))
})

const objection = (reason: Objection["reason"], message: string, advice: string): Objection => ({
  reason,
  message,
  advice
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
    const lookup = found[index]!
    switch (lookup._tag) {
      case "Denied":
        objections.push(
          objection(
            "TargetDenied",
            `permission denied for topic ${topic.target}`,
            "grant the principal Describe and Write"
          )
        )
        break
      case "Missing":
        if (!request.createTopics) {
          const message = `topic ${topic.target} does not exist, and createTopics is false`
          objections.push(objection("TargetTopicMissing", message, "create the topic, or set createTopics: true"))
          break
        }
        targets.push({ topic, create: newTopic(topic, true, request.configs), isWritten: false, remembered: undefined })
        break
      case "Found": {
        const remembered = rememberedOf(known, given.digest, lookup.topic)
        const ours = remembered?.bases === undefined ? topic : Appending.behind(topic, remembered.bases)
        if (remembered?.provenMillis !== undefined) {
          targets.push({ topic: ours, create: undefined, isWritten: true, remembered })
          break
        }
        const places = lookup.topic.partitions.map(({ partition }) => ({ topic: topic.target, partition }))
        const ends = yield* sink.offsets(places, "highWatermark")
        const isEmpty = ends.every(({ offset }) => offset === 0)
        const isForeign = remembered === undefined && !lookup.topic.isInternal
        const isAlike = lookup.topic.partitions.length === topic.partitions.length
        if (isForeign && request.existingTopics === "recreate" && !(isEmpty && isAlike)) {
          const refusal = Recreating.refusal(request, known, lookup.topic)
          const { topicId } = lookup.topic
          const create = newTopic(topic, true, request.configs)
          if (refusal !== undefined) objections.push(refusal)
          else targets.push({ topic, create, isWritten: false, remembered, recreates: { topicId } })
          break
        }
        const appends = isForeign && request.existingTopics === "append" && !isEmpty
        objections.push(...existing(topic, lookup.topic, isEmpty || appends, remembered !== undefined))
        const unappendable = appends ? Appending.refusal(known, lookup.topic) : undefined
        if (unappendable !== undefined) objections.push(unappendable)
        const planned = appends
          ? Appending.behind(
              topic,
              ends.map(({ offset }) => offset)
            )
          : ours
        const isWritten = planned.partitions.every(({ end, partition }) => ends[partition]?.offset === end)
        targets.push({ topic: planned, create: undefined, isWritten, remembered })
      }
    }
  }
  const brokers = yield* sink.brokerCount
  // The brokers would say the same of these once more.
  const tooLarge = new Set(
    targets
      .filter((target) => Replication.isTooLarge(replicatedOf(target, found, request.configs), brokers))
      .map(({ topic }) => topic.target)
  )
  const doomed = targets.find(({ recreates }) => recreates !== undefined)
  const remembers =
    memory !== undefined &&
    (doomed === undefined || (yield* RestoreMemory.isWritable(sink, request.owner, doomed.topic.target)))
  const anew = yield* Recreating.validate(
    sink,
    targets,
    (topic, knowsBounds) => newTopic(topic, knowsBounds, request.configs),
    remembers ? undefined : Attempt.nameOf(request.owner),
    tooLarge
  )
  const validated = yield* validate(
    sink,
    anew.targets.filter(({ topic }) => !tooLarge.has(topic.target)),
    request.configs
  )
  const replicated = (some: ReadonlyArray<TargetTopic>) =>
    some.map((target) => replicatedOf(target, found, request.configs, validated.replicas))
  // A topic that is appended to keeps its configuration.
  const isConfigured = ({ topic }: TargetTopic) => !Appending.isAppended(topic)
  const topics = new Map(targets.map(({ topic }) => [topic.target, topic]))
  const placed = { ...given, topics: given.topics.map((topic) => topics.get(topic.target) ?? topic) }
  const plan = InSyncReplicas.lowered(placed, replicated(targets.filter(isConfigured)), request.configs)
  const planned = (some: ReadonlyArray<TargetTopic>) => some.map((target) => inPlan(target, plan, request.configs))
  const unproven = planned(targets.filter(({ remembered }) => remembered?.provenMillis === undefined))
  objections.push(
    ...Replication.objections(replicated(unproven.filter(isConfigured)), brokers),
    ...(yield* TargetRights.objections(
      sink,
      request.owner,
      unproven.map(({ create, recreates, remembered, topic }) => ({
        topic,
        isDeleted:
          recreates !== undefined || (request.deletesCreated && (create !== undefined || remembered?.isMade === true))
      })),
      means,
      request.deletesCreated && unproven.some(({ create, remembered }) => create !== undefined || remembered?.isMade)
    ))
  )
  // A topic that is refused anyway says nothing of its overrides.
  const accepted = planned(validated.targets.filter(({ topic }) => !validated.refused.has(topic.target)))
  const refusedOverrides = yield* ofOverrides(sink, whole, accepted, request.configs)
  const unprepared = yield* Configuring.unprepared(
    sink,
    unproven.flatMap(({ create, topic }) => (create === undefined && !Appending.isAppended(topic) ? [topic] : [])),
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
  if (target.create === undefined) return { ...target, topic }
  return { ...target, topic, create: newTopic(topic, TopicConfigs.haveBounds(target.create.configs), choice) }
}

/** The replicas of a topic after the restore. */
const replicatedOf = (
  { create, topic }: TargetTopic,
  found: ReadonlyArray<TopicLookup>,
  choice: ConfigChoice,
  ofBrokers: ReadonlyMap<string, number> = new Map()
): Replication.Replicated => {
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

/** Lets the broker validate what configOverrides asks for. */
const ofOverrides = Effect.fnUntraced(function* (
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
  for (const { create, recreates, topic } of targets) {
    const { overrides } = WantedConfigs.of(topic, choice)
    if (Object.keys(overrides).length === 0 || recreates !== undefined || Appending.isAppended(topic)) continue
    const [outcome] =
      create === undefined
        ? [yield* sink.validateConfigs(topic.target, overrides)]
        : yield* sink.createTopics([{ ...create, configs: { ...create.configs, ...overrides } }], {
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
const validate = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  targets: ReadonlyArray<TargetTopic>,
  choice: ConfigChoice
) {
  const attempt = (knowsBounds: boolean) =>
    Effect.gen(function* () {
      const made = targets.map((target) =>
        target.create === undefined || target.recreates !== undefined
          ? target
          : { ...target, create: newTopic(target.topic, knowsBounds, choice) }
      )
      const outcomes = yield* sink.createTopics(
        made.flatMap(({ create, recreates }) => (recreates === undefined ? (create ?? []) : [])),
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
