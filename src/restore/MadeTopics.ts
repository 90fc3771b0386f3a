import { Effect, Stream } from "effect"
import { BatchHeader, readInt64 } from "../kafka/batch/BatchHeader.ts"
import { ErrorCode } from "../kafka/ErrorCode.ts"
import { KafkaError as Failed, ProtocolFailure } from "../kafka/KafkaError.ts"
import type { DoomedTopic, KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import * as Preflight from "./Preflight.ts"
import type { Memory, Remembered } from "./RestoreMemory.ts"
import type { PlannedTopic } from "./RestorePlan.ts"
import type { ConfigChoice } from "./RestoreRequest.ts"

/*
 * Topics that a restore made itself. Those alone it deletes, and only while they are the very topics that it made:
 * their ids are the same, and, where they are to be written anew, they hold no record of anybody else.
 */

/** Those that the restore made, with their ids. */
const made = (memory: Memory): ReadonlyArray<DoomedTopic> =>
  [...memory].flatMap(([name, { isMade, topicId }]) => (isMade && topicId !== undefined ? [{ name, topicId }] : []))

/** Which of these topics are still those that the restore made. */
const present = Effect.fnUntraced(function* (sink: KafkaSinkShape, memory: Memory) {
  const found = yield* sink.lookup(made(memory).map(({ name }) => name))
  return found.flatMap((one) =>
    one._tag === "Found" && one.topic.topicId === memory.get(one.topic.name)?.topicId ? [one.topic.name] : []
  )
})

/** Codes after which the very topic is not there. */
const isGone: ReadonlySet<number> = new Set([ErrorCode.none, ErrorCode.unknownTopicId])

/** Deletes those of the topics that the restore made, by their ids. Returns the names of those that are gone by now. */
export const remove = Effect.fnUntraced(function* (sink: KafkaSinkShape, memory: Memory) {
  const outcomes = yield* sink.deleteTopics(made(memory))
  return outcomes.filter(({ errorCode }) => isGone.has(errorCode)).map(({ name }) => name)
})

const producerOf = (bytes: Buffer, start: number): number => readInt64(bytes, start + BatchHeader.producerId)

/**
 * Whether every record of the topic is of an attempt of this restore. Control markers, and records of transactions that
 * were aborted, are not delivered: nobody misses them.
 */
const holdsOnlyOwn = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  source: KafkaSourceShape,
  { partitions, target }: PlannedTopic,
  { producerIds = [], topicId }: Remembered
) {
  const own = new Set(producerIds)
  const places = partitions.map(({ partition }) => ({ topic: target, partition }))
  const starts = yield* sink.offsets(places, "logStart")
  const ends = yield* sink.offsets(places, "highWatermark")
  for (const [at, place] of places.entries()) {
    const [from, until] = [starts[at]?.offset ?? 0, ends[at]?.offset ?? 0]
    if (from >= until) continue
    const isForeign = yield* source.read({ ...place, topicId, from, until }).pipe(
      Stream.map((fetched) => {
        const foreign = fetched.batches.some(({ bytes, start }) => !own.has(producerOf(bytes, start)))
        fetched.release()
        return foreign
      }),
      Stream.filter((foreign) => foreign),
      Stream.take(1),
      Stream.runCollect
    )
    if (isForeign.length > 0) return false
  }
  return true
})

/** What became of the topics that a restore had made, after it failed for good. */
export interface Removed {
  readonly deleted: ReadonlyArray<string>
  /** Others may have written to them, or they could not be deleted. */
  readonly kept: ReadonlyArray<string>
}

/**
 * After an attempt that failed for good: deletes the topics that the restore made, and that hold no record of others.
 * Fails never; what could not be deleted stays, and is logged.
 */
export const removeAfterFailure = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  source: KafkaSourceShape,
  topics: ReadonlyArray<PlannedTopic>,
  memory: Memory
) {
  const deleted: Array<string> = []
  const kept: Array<string> = []
  for (const topic of topics) {
    const name = topic.target
    const remembered = memory.get(name)
    if (remembered === undefined || !remembered.isMade) continue
    const own = new Map([[name, remembered]])
    const removed = Effect.gen(function* () {
      if ((yield* present(sink, own)).length === 0) return false
      if (!(yield* holdsOnlyOwn(sink, source, topic, remembered))) return false
      return (yield* remove(sink, own)).length > 0
    })
    const isRemoved = yield* Effect.orElseSucceed(removed, () => false)
    ;(isRemoved ? deleted : kept).push(name)
  }
  if (deleted.length > 0) {
    yield* Effect.logWarning("topics that the restore had created were deleted, because it failed").pipe(
      Effect.annotateLogs({ topics: deleted.join(", ") })
    )
  }
  if (kept.length > 0) {
    yield* Effect.logWarning(
      "topics that the restore had created stay: others may have written to them, or they could not be deleted"
    ).pipe(Effect.annotateLogs({ topics: kept.join(", ") }))
  }
  return { deleted, kept } satisfies Removed
})

/** Longest wait for a deleted topic to be gone, in tenths of a second. */
const goneWithin = 300

/**
 * Deletes a topic in which earlier attempts left other records than the backup has, because requests arrived too late
 * or a segment was damaged then, and makes it anew. Returns its id. Undefined, and nothing is changed, if the restore
 * did not make the topic, or if others wrote to it.
 */
export const renew = Effect.fnUntraced(function* (
  { sink, source }: { readonly sink: KafkaSinkShape; readonly source: KafkaSourceShape },
  topic: PlannedTopic,
  choice: ConfigChoice,
  memory: Memory
) {
  const name = topic.target
  const remembered = memory.get(name)
  if (remembered === undefined) return undefined
  const own = new Map([[name, remembered]])
  if ((yield* present(sink, own)).length === 0) return undefined
  if (!(yield* holdsOnlyOwn(sink, source, topic, remembered))) return undefined
  if ((yield* remove(sink, own)).length === 0) return undefined
  yield* Effect.logWarning(
    "the topic is written anew: an earlier attempt left other records in it than the backup has, by a late request or from a damaged segment"
  ).pipe(Effect.annotateLogs({ topic: name }))
  for (let tries = 0; tries < goneWithin && (yield* sink.lookup([name]))[0]?._tag === "Found"; tries++) {
    yield* Effect.sleep(100)
  }
  const create = (knowsBounds: boolean) => sink.createTopics([Preflight.newTopic(topic, knowsBounds, choice)])
  const [first] = yield* create(true)
  const [outcome] = first?.errorCode === ErrorCode.invalidConfig ? yield* create(false) : [first]
  if (outcome?.errorCode === ErrorCode.none && outcome.topicId !== undefined) return outcome.topicId
  const detail = `topic ${name} was not created again: ${outcome?.detail ?? `error ${outcome?.errorCode}`}`
  return yield* new Failed({
    operation: "topics",
    reason: new ProtocolFailure({ detail, transient: false })
  })
})
