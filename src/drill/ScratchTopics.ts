import { Effect } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import { ErrorCode } from "../kafka/ErrorCode.ts"
import { KafkaError, ProtocolFailure } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape, NewTopic, TopicOutcome } from "../kafka/KafkaSink.ts"
import * as LargeRecords from "../restore/LargeRecords.ts"
import * as MadeTopics from "../restore/MadeTopics.ts"
import * as RestoreMemory from "../restore/RestoreMemory.ts"
import type { RestorePlan } from "../restore/RestorePlan.ts"
import * as TopicConfigs from "../restore/TopicConfigs.ts"
import { DrillError, PreflightFailed } from "./DrillError.ts"

/*
 * The topics that drills make. Their ids are remembered in the drill's own consumer group before anything is written
 * into them, and they alone are ever deleted: by this drill, or, if it dies, by the next one. A name proves nothing.
 */

/** Ids of topics that this attempt made, by name. Filled by `create`, and emptied by `remove`. */
export type Made = Map<string, string>

const memoryOf = (made: ReadonlyMap<string, string>, token: string): RestoreMemory.Memory =>
  new Map(
    [...made].map(([name, topicId]) => [
      name,
      { plan: token, topicId, isMade: true, retention: { "retention.ms": null, "retention.bytes": null } }
    ])
  )

/** Their log is kept as it is written, and one replica is enough to write to it. */
const newTopics = ({ topics }: RestorePlan, knowsBounds: boolean): ReadonlyArray<NewTopic> =>
  topics.map((topic) => ({
    name: topic.target,
    partitions: topic.partitions.length,
    replicationFactor: topic.replicationFactor,
    configs: {
      ...TopicConfigs.initial(topic.configs, knowsBounds, undefined, {}, LargeRecords.knownBytes(topic)),
      "min.insync.replicas": "1"
    }
  }))

const objection = ({ detail, errorCode, name }: TopicOutcome) => ({
  message: `the broker refuses topic ${name}: ${detail ?? `error ${errorCode}`}`,
  advice:
    errorCode === ErrorCode.invalidReplicationFactor
      ? "set spec.drill.replicationFactor to at most the number of brokers"
      : "correct what the broker names"
})

const refuse = (objections: ReadonlyArray<{ readonly message: string; readonly advice: string }>) =>
  new DrillError({ reason: new PreflightFailed({ objections }) })

const taken = (name: string) => ({
  message: `topic ${name} exists already, and this drill did not make it`,
  advice: "give the drill another prefix in spec.drill.topicPrefix, or delete the topic if nobody needs it"
})

/** Everything that stands against these topics, without making one. `knowsBounds` is false before Kafka 3.6. */
export const check = Effect.fnUntraced(function* (sink: KafkaSinkShape, plan: RestorePlan) {
  const looked = yield* sink.lookup(plan.topics.map(({ target }) => target))
  const present = looked.flatMap((one) => (one._tag === "Found" ? [one.topic.name] : []))
  if (present.length > 0) return { knowsBounds: true, objections: present.map(taken) }
  const refusals = (knowsBounds: boolean) =>
    Effect.map(sink.createTopics(newTopics(plan, knowsBounds), { validateOnly: true }), (outcomes) =>
      outcomes.filter(({ errorCode }) => errorCode !== ErrorCode.none)
    )
  const first = yield* refusals(true)
  const isOlder = first.some(({ errorCode }) => errorCode === ErrorCode.invalidConfig)
  const left = isOlder ? yield* refusals(false) : first
  return { knowsBounds: !isOlder, objections: left.map(objection) }
})

/** The ids of topics that were just made, where the answer does not name them. */
const idsOf = Effect.fnUntraced(function* (sink: KafkaSinkShape, outcomes: ReadonlyArray<TopicOutcome>) {
  const made = outcomes.filter(({ errorCode }) => errorCode === ErrorCode.none)
  const ids = new Map(made.flatMap(({ name, topicId }) => (topicId === undefined ? [] : [[name, topicId] as const])))
  const unknown = made.filter(({ topicId }) => topicId === undefined).map(({ name }) => name)
  if (unknown.length === 0) return ids
  for (const found of yield* sink.lookup(unknown)) {
    if (found._tag === "Found" && found.topic.topicId !== undefined) ids.set(found.topic.name, found.topic.topicId)
  }
  return ids
})

/**
 * Makes the topics, and remembers their ids. Not interrupted in between. What was made is in `made` even if this fails,
 * save where the answer was lost: then nobody can know whose a topic of that name is.
 */
export const create = (
  sink: KafkaSinkShape,
  owner: Owner,
  plan: RestorePlan,
  knowsBounds: boolean,
  made: Made
): Effect.Effect<void, KafkaError | DrillError> =>
  Effect.gen(function* () {
    const outcomes = yield* sink.createTopics(newTopics(plan, knowsBounds))
    for (const [name, topicId] of yield* idsOf(sink, outcomes)) made.set(name, topicId)
    const failed = outcomes.filter(({ errorCode }) => errorCode !== ErrorCode.none)
    const isRemembered = yield* RestoreMemory.save(sink, owner, memoryOf(made, plan.digest))
    if (failed.length > 0) {
      return yield* refuse(
        failed.map((outcome) =>
          outcome.errorCode === ErrorCode.topicAlreadyExists ? taken(outcome.name) : objection(outcome)
        )
      )
    }
    if (isRemembered && made.size === plan.topics.length) return
    const detail = isRemembered
      ? "the brokers give topics no ids, and without them a drill cannot know which topics are its own"
      : "the ids of the scratch topics could not be remembered: permission denied on the drill's consumer group"
    return yield* new KafkaError({ operation: "topics", reason: new ProtocolFailure({ detail, transient: false }) })
  }).pipe(Effect.uninterruptible)

/** Deletes those of the topics that are still the ones that were made, and returns the names of those that stay. */
const removeAll = Effect.fnUntraced(function* (sink: KafkaSinkShape, memory: RestoreMemory.Memory) {
  yield* MadeTopics.remove(sink, memory)
  const looked = yield* sink.lookup([...memory.keys()])
  return looked.flatMap((one) =>
    one._tag === "Found" && one.topic.topicId === memory.get(one.topic.name)?.topicId ? [one.topic.name] : []
  )
})

/** How often deletion is tried, and the pause before it is tried again, in milliseconds. */
const tries = 5
const pauseMillis = 1000

const patiently = Effect.fnUntraced(function* (sink: KafkaSinkShape, memory: RestoreMemory.Memory) {
  let left = [...memory.keys()]
  for (let n = 0; n < tries && left.length > 0; n++) {
    if (n > 0) yield* Effect.sleep(pauseMillis)
    // What fails is tried again, and in the end the topics are named.
    left = yield* Effect.orElseSucceed(removeAll(sink, memory), () => left)
  }
  return left
})

/** How long a drill that ends waits for its topics to be deleted: a pod that is stopped has 30 s by default. */
const removalMillis = 12_000

/** Deletes what this attempt made. Never fails; returns the names of topics that may still be there. */
export const remove = (sink: KafkaSinkShape, made: Made): Effect.Effect<ReadonlyArray<string>> =>
  Effect.suspend(() => {
    if (made.size === 0) return Effect.succeed([])
    const all = [...made.keys()]
    return Effect.interruptible(patiently(sink, memoryOf(made, ""))).pipe(
      Effect.timeoutOption(removalMillis),
      Effect.map((ended): ReadonlyArray<string> => (ended._tag === "Some" ? ended.value : all)),
      Effect.tap((left) => Effect.sync(() => all.forEach((name) => left.includes(name) || made.delete(name))))
    )
  })

/** Deletes what earlier drills of this resource made and left. Returns what was deleted, and what stays. */
export const removeLeftovers = Effect.fnUntraced(function* (sink: KafkaSinkShape, owner: Owner) {
  const memory = (yield* RestoreMemory.load(sink, owner)) ?? new Map<string, RestoreMemory.Remembered>()
  const looked = yield* sink.lookup([...memory.keys()])
  const present = new Map(
    looked.flatMap((one) => {
      const remembered = one._tag === "Found" ? memory.get(one.topic.name) : undefined
      return one._tag === "Found" && remembered?.isMade === true && remembered.topicId === one.topic.topicId
        ? [[one.topic.name, remembered] as const]
        : []
    })
  )
  const left = present.size === 0 ? [] : yield* patiently(sink, present)
  return { removed: [...present.keys()].filter((name) => !left.includes(name)), left }
})
