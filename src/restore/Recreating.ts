import { createHash } from "node:crypto"
import { Effect } from "effect"
import { ErrorCode } from "../kafka/ErrorCode.ts"
import { KafkaError as Failed, ProtocolFailure, TopicRecreated } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape, NewTopic } from "../kafka/KafkaSink.ts"
import * as Configuring from "./Configuring.ts"
import type { Objection } from "./Objection.ts"
import type { Memory } from "./RestoreMemory.ts"
import type { PlannedTopic } from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import * as SourcePartitions from "./SourcePartitions.ts"
import type { Recreated, TargetTopic } from "./TargetTopic.ts"

/*
 * Topics of others that are deleted and created again, because the resource asks for it and names each of them. What
 * decides is the topic's id: one that this restore wrote to, under whatever plan, is never deleted. Whether it wrote to
 * a topic it knows from its own group alone, so that group must be readable.
 */

const isRecreated = (target: TargetTopic): target is Recreated => target._tag === "Recreated"

const denied = (owner: string): Objection => ({
  reason: "TargetDenied",
  message: `existingTopics: Recreate needs Read on consumer group ${owner}: without it, a repeat would delete the topics again`,
  advice: `grant the principal Read on group ${owner}, or delete the topics yourself`
})

/** Why an existing topic, which holds records or has other partitions, may not be deleted; undefined: it may. */
export const refusal = (
  { confirmRecreate = new Set() }: Pick<RestoreRequest, "confirmRecreate">,
  memory: Memory,
  { name, topicId }: { readonly name: string; readonly topicId?: string | undefined }
): Objection | undefined => {
  const known = memory.get(name)
  if (known !== undefined && known.topicId === topicId) {
    return {
      reason: "RecreateNotConfirmed",
      message: `topic ${name} holds what this restore wrote before it was edited`,
      advice: "create a restore of another name, which may delete the topic"
    }
  }
  return confirmRecreate.has(name)
    ? undefined
    : {
        reason: "RecreateNotConfirmed",
        message: `topic ${name} exists, and confirmRecreate does not list it`,
        advice: `add ${name} to confirmRecreate to delete what it holds, or restore to another name with topicMapping`
      }
}

/** Names that are to be deleted, and that no topic is restored to. */
export const unused = (
  { confirmRecreate = new Set() }: Pick<RestoreRequest, "confirmRecreate">,
  targets: ReadonlyArray<string>
): ReadonlyArray<Objection> =>
  [...confirmRecreate]
    .filter((name) => !targets.includes(name))
    .map((name) => ({
      reason: "RecreateUnused",
      message: `confirmRecreate lists ${name}, and no topic is restored to that name`,
      advice: `remove ${name} from confirmRecreate, or correct it`
    }))

/** What is lost for good: the restore deletes it, and brings nothing back there. */
export const notes = (
  targets: ReadonlyArray<TargetTopic>,
  { sourcePartitions }: Pick<RestoreRequest, "sourcePartitions">
): ReadonlyArray<string> =>
  targets.filter(isRecreated).flatMap(({ topic: { partitions, source, sources = partitions, target } }) => {
    const left = sources
      .map(({ partition }) => partition)
      .filter((partition) => !SourcePartitions.isChosen(sourcePartitions, source, partition))
    if (left.length === 0) return []
    const named = `${left.length === 1 ? "partition" : "partitions"} ${left.join(", ")}`
    return [`topic ${target} is deleted with all partitions, and of ${named} nothing is restored: see sourcePartitions`]
  })

/** Longest name of a topic that Kafka allows. */
const longestName = 249

/** A name that nobody has, like that of the topic. */
const freeName = (name: string): string => {
  const suffix = `-${createHash("sha256").update(`created again: ${name}`).digest("hex").slice(0, 16)}`
  return `${name.slice(0, longestName - suffix.length)}${suffix}`
}

/** Answers that say something of the free name alone, and nothing of the topic. */
const ofNameAlone: ReadonlySet<number> = new Set([
  ErrorCode.none,
  ErrorCode.topicAuthorizationFailed,
  ErrorCode.topicAlreadyExists,
  ErrorCode.invalidTopic
])

/**
 * What the brokers would say against a new topic: their policy for new topics, their limits. Of a name that is taken
 * they say only that, so the same topic is validated under a free name.
 */
const uncreatable = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  targets: ReadonlyArray<TargetTopic>,
  tooLarge: ReadonlySet<string>
) {
  const names = new Map<string, string>()
  const asked = targets.filter(isRecreated).flatMap(({ create }): ReadonlyArray<NewTopic> => {
    if (tooLarge.has(create.name)) return []
    const name = freeName(create.name)
    names.set(name, create.name)
    return [{ ...create, name }]
  })
  if (asked.length === 0) return []
  const outcomes = yield* sink.createTopics(asked, { validateOnly: true })
  return outcomes.flatMap(({ detail, errorCode, name }): ReadonlyArray<Objection> => {
    // The configuration was validated on the topic itself.
    if (ofNameAlone.has(errorCode) || errorCode === ErrorCode.invalidConfig) return []
    const message = `the brokers would refuse to create topic ${names.get(name)} again: ${detail ?? `error ${errorCode}`}`
    return [{ reason: "TargetRefused", message, advice: "correct what the brokers name, or create the topic yourself" }]
  })
})

/**
 * What can be asked before a topic is deleted: whether the brokers would take the configuration of the new one. They
 * refuse to validate a topic whose name is taken, after they have checked the permission to create it.
 * `forgetfulGroup`: the group of this restore, if it may not be read or written to. `tooLarge`: topics whose
 * replication factor is refused already.
 */
export const validate = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  targets: ReadonlyArray<TargetTopic>,
  newTopic: (topic: PlannedTopic, knowsBounds: boolean) => NewTopic,
  forgetfulGroup: string | undefined,
  tooLarge: ReadonlySet<string>
) {
  const recreated = targets.filter(isRecreated)
  if (recreated.length === 0) return { targets, objections: [] }
  const objections: Array<Objection> = forgetfulGroup === undefined ? [] : [denied(forgetfulGroup)]
  const outcomes = yield* sink.createTopics(
    recreated.map(({ create }) => create),
    { validateOnly: true }
  )
  for (const { errorCode, name } of outcomes) {
    if (errorCode === ErrorCode.topicAuthorizationFailed) {
      const message = `permission denied: the principal lacks Create on topic ${name}, to create it again`
      objections.push({ reason: "TargetDenied", message, advice: `grant the principal Create on topic ${name}` })
    }
  }
  const valid = yield* Effect.forEach(targets, (target) =>
    Effect.gen(function* () {
      if (!isRecreated(target)) return target
      const { topic } = target
      const first = newTopic(topic, true)
      const found = yield* sink.validateConfigs(topic.target, first.configs)
      if (!Configuring.isRefusal(found.errorCode)) return { ...target, create: first }
      // Before Kafka 3.6 two names are unknown.
      const older = newTopic(topic, false)
      const { detail, errorCode } = yield* sink.validateConfigs(topic.target, older.configs)
      if (Configuring.isRefusal(errorCode)) {
        const message = `the broker refuses the configuration of topic ${topic.target}: ${detail ?? `error ${errorCode}`}`
        objections.push({
          reason: "TargetRefused",
          message,
          advice: "correct what the broker names in configOverrides"
        })
      }
      return { ...target, create: older }
    })
  )
  return { targets: valid, objections: [...objections, ...(yield* uncreatable(sink, valid, tooLarge))] }
})

/** The request of whoever has deleted already: what is there now is somebody else's. */
export const without = (request: RestoreRequest): RestoreRequest => {
  const { confirmRecreate: _confirmRecreate, existingTopics, ...rest } = request
  return existingTopics === "append" ? { ...rest, existingTopics } : rest
}

/** Longest wait for a deleted topic to be gone, in tenths of a second. */
const goneWithin = 300

/** Codes after which a topic that was to be deleted is not there; also of an attempt whose answer was lost. */
const isGone: ReadonlySet<number> = new Set([
  ErrorCode.none,
  ErrorCode.unknownTopicOrPartition,
  ErrorCode.unknownTopicId
])

/**
 * Deletes the topics that are to be created again, each by its id, and waits until they are gone. A topic that is
 * another one by now is left alone: then the restore stops.
 */
export const remove = Effect.fnUntraced(function* (sink: KafkaSinkShape, targets: ReadonlyArray<TargetTopic>) {
  const ids = new Map(targets.filter(isRecreated).map(({ topic, topicId }) => [topic.target, topicId]))
  if (ids.size === 0) return
  const names = [...ids.keys()]
  /** Those that are there. Fails for one that is another topic by now. */
  const look = Effect.gen(function* () {
    const found = (yield* sink.lookup(names)).flatMap((one) => (one._tag === "Found" ? [one.topic] : []))
    const other = found.find(({ name, topicId }) => topicId !== ids.get(name))
    if (other === undefined) return found.map(({ name, topicId }) => ({ name, topicId }))
    return yield* new Failed({ operation: "topics", reason: new TopicRecreated({ topic: other.name }) })
  })
  const present = yield* look
  yield* Effect.logWarning("topics are deleted and created again, as confirmRecreate says").pipe(
    Effect.annotateLogs({ topics: present.map(({ name }) => name).join(", ") })
  )
  const refused = (yield* sink.deleteTopics(present)).find(({ errorCode }) => !isGone.has(errorCode))
  if (refused !== undefined) {
    const detail = `topic ${refused.name} was not deleted: ${refused.detail ?? `error ${refused.errorCode}`}`
    const reason = new ProtocolFailure({ detail, code: refused.errorCode, transient: false })
    return yield* new Failed({ operation: "topics", reason })
  }
  for (let tries = 0; tries < goneWithin; tries++) {
    if ((yield* look).length === 0) return
    yield* Effect.sleep(100)
  }
})
