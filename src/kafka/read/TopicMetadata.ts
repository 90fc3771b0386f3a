import { Clock, Effect, Semaphore } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import type { KafkaError } from "../KafkaError.ts"
import type { KafkaWire, WireMetadata, WireTopic } from "../KafkaWire.ts"

/** Metadata of one topic; `generation` grows with every answer. */
export interface KnownTopic {
  readonly topic: WireTopic
  readonly generation: number
  readonly atMillis: number
}

/**
 * Metadata of topics, shared by all who ask: one request serves them all, so that requests do not grow with the topics.
 */
export interface TopicMetadata {
  /** The known metadata; requested if unknown or too old. */
  readonly get: (name: string) => Effect.Effect<KnownTopic, KafkaError>
  /** Metadata newer than `than`: from another reader if it has requested some meanwhile, else from a new request. */
  readonly newer: (name: string, than: KnownTopic | undefined) => Effect.Effect<KnownTopic, KafkaError>
  /** What is known of all these topics; undefined if some of it is unknown or older than `maxAgeMillis`. */
  readonly known: (
    names: ReadonlyArray<string>,
    maxAgeMillis: number
  ) => Effect.Effect<ReadonlyArray<WireTopic> | undefined>
  /** New metadata of these or all topics, in one request; keeps it for all who ask. */
  readonly request: (names: ReadonlyArray<string> | "all") => Effect.Effect<WireMetadata, KafkaError>
}

export const makeTopicMetadata = (wire: Pick<KafkaWire, "metadata">, maxAgeMillis: number): TopicMetadata => {
  const known = new Map<string, KnownTopic>()
  /** Topics that were asked for by name; the others of the cluster are nobody's concern. */
  const wanted = new Set<string>()
  /** How many wait for a topic at the gate: whoever passes it asks for all of theirs. */
  const waiting = new Map<string, number>()
  const gate = Semaphore.makeUnsafe(1)
  let generation = 0

  /** Keeps what was answered: errors only of topics whose readers wait for just that. */
  const keep = (topics: ReadonlyArray<WireTopic>, atMillis: number) => {
    generation++
    for (const topic of topics) {
      if (topic.errorCode === ErrorCode.none || waiting.has(topic.name)) {
        known.set(topic.name, { topic, generation, atMillis })
      } else known.delete(topic.name)
    }
  }

  const request = Effect.fnUntraced(function* (names: ReadonlyArray<string> | "all") {
    const answer = yield* wire.metadata(names)
    const answered = new Set(answer.topics.map(({ name }) => name))
    const missing = names === "all" ? [] : names.filter((name) => !answered.has(name)).map(absent)
    keep([...answer.topics, ...missing], yield* Clock.currentTimeMillis)
    if (names !== "all") for (const name of names) wanted.add(name)
    return answer
  })

  const isFresh = ({ atMillis }: KnownTopic, nowMillis: number) => nowMillis - atMillis < maxAgeMillis

  /** All topics that have become too old, too: they are asked for next. */
  const askWithOthers = (name: string, nowMillis: number) =>
    Effect.suspend(() => {
      const old = [...wanted].filter((other) => {
        const entry = known.get(other)
        return entry === undefined || !isFresh(entry, nowMillis)
      })
      return Effect.map(request([...new Set([name, ...waiting.keys(), ...old])]), () => known.get(name)!)
    })

  const serve = (name: string, usable: (entry: KnownTopic, nowMillis: number) => boolean) =>
    Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => {
      const usableNow = () => {
        const entry = known.get(name)
        return entry !== undefined && usable(entry, nowMillis) ? entry : undefined
      }
      const entry = usableNow()
      if (entry !== undefined) return Effect.succeed(entry)
      return Effect.acquireUseRelease(
        Effect.sync(() => void waiting.set(name, (waiting.get(name) ?? 0) + 1)),
        () =>
          gate.withPermit(
            Effect.suspend(() => {
              const meanwhile = usableNow()
              return meanwhile === undefined ? askWithOthers(name, nowMillis) : Effect.succeed(meanwhile)
            })
          ),
        () =>
          Effect.sync(() => {
            const others = (waiting.get(name) ?? 1) - 1
            if (others === 0) waiting.delete(name)
            else waiting.set(name, others)
          })
      )
    })

  return {
    get: (name) => serve(name, isFresh),
    newer: (name, than) => serve(name, (entry) => than !== undefined && entry.generation > than.generation),
    known: (names, mostMillis) =>
      Effect.map(Clock.currentTimeMillis, (nowMillis) => {
        const topics: Array<WireTopic> = []
        for (const name of names) {
          const entry = known.get(name)
          if (entry === undefined || nowMillis - entry.atMillis >= mostMillis) return undefined
          if (entry.topic.errorCode !== ErrorCode.none) return undefined
          topics.push(entry.topic)
        }
        for (const name of names) wanted.add(name)
        return topics
      }),
    request
  }
}

const absent = (name: string): WireTopic => ({
  errorCode: ErrorCode.unknownTopicOrPartition,
  name,
  isInternal: false,
  partitions: []
})
