import { Clock, Effect, Semaphore } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import type { KafkaError } from "../KafkaError.ts"
import type { KafkaWire, WireTopic } from "../KafkaWire.ts"

/** Metadata of one topic; `generation` grows with every answer. */
export interface KnownTopic {
  readonly topic: WireTopic
  readonly generation: number
  readonly atMillis: number
}

/** Metadata of the topics that are read, shared by the readers of all partitions: one request serves them all. */
export interface TopicMetadata {
  /** The known metadata; requested if unknown or too old. */
  readonly get: (name: string) => Effect.Effect<KnownTopic, KafkaError>
  /** Metadata newer than `than`: from another reader if it has requested some meanwhile, else from a new request. */
  readonly newer: (name: string, than: KnownTopic | undefined) => Effect.Effect<KnownTopic, KafkaError>
}

export const makeTopicMetadata = (wire: Pick<KafkaWire, "metadata">, maxAgeMillis: number): TopicMetadata => {
  const known = new Map<string, KnownTopic>()
  const gates = new Map<string, Semaphore.Semaphore>()
  let generation = 0

  const gate = (name: string): Semaphore.Semaphore => {
    const existing = gates.get(name)
    if (existing !== undefined) return existing
    const made = Semaphore.makeUnsafe(1)
    gates.set(name, made)
    return made
  }

  const ask = Effect.fnUntraced(function* (name: string) {
    const answer = yield* wire.metadata([name])
    const topic = answer.topics.find((candidate) => candidate.name === name) ?? absent(name)
    const entry: KnownTopic = { topic, generation: ++generation, atMillis: yield* Clock.currentTimeMillis }
    known.set(name, entry)
    return entry
  })

  const serve = (name: string, usable: (entry: KnownTopic, nowMillis: number) => boolean) =>
    Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => {
      const entry = known.get(name)
      return entry !== undefined && usable(entry, nowMillis)
        ? Effect.succeed(entry)
        : gate(name).withPermit(
            Effect.suspend(() => {
              const meanwhile = known.get(name)
              return meanwhile !== undefined && usable(meanwhile, nowMillis) ? Effect.succeed(meanwhile) : ask(name)
            })
          )
    })

  return {
    get: (name) => serve(name, (entry, nowMillis) => nowMillis - entry.atMillis < maxAgeMillis),
    newer: (name, than) => serve(name, (entry) => than !== undefined && entry.generation > than.generation)
  }
}

const absent = (name: string): WireTopic => ({
  errorCode: ErrorCode.unknownTopicOrPartition,
  name,
  isInternal: false,
  partitions: []
})
