import { Deferred, Effect, Exit, type Scope } from "effect"
import type { KafkaError } from "../KafkaError.ts"
import type { ReadRequest } from "../KafkaSource.ts"
import type { KafkaWire, WireFetch, WireFetched } from "../KafkaWire.ts"
import type { TopicMetadata } from "./TopicMetadata.ts"

/** Bytes of answers that are held for reads that have not begun, of all partitions together. */
const heldBytes = 4 * 1024 * 1024
/** With less room left, a partition is fetched by itself. */
const leastBytes = 64 * 1024
/** Partitions in one request: what the broker looks through for it. */
const mostTogether = 1000
const firstTogether = 64

/**
 * The first fetches of reads that are announced: where their partitions hold little, one request serves many of them,
 * so that requests grow with brokers and bytes rather than with partitions.
 */
export interface FirstFetches {
  /** These will be read, in about this order, until the scope closes. */
  readonly announce: (requests: ReadonlyArray<ReadRequest>) => Effect.Effect<void, never, Scope.Scope>
  /** As `wire.fetch`, with an answer that came with that of another partition, or that brings those of others along. */
  readonly fetch: KafkaWire["fetch"]
}

/** One partition whose read was announced and has not begun. */
interface Announced {
  readonly request: ReadRequest
  /** The request that it is part of, while that is on its way. */
  onItsWay: Deferred.Deferred<void> | undefined
  held: WireFetched | undefined
}

/** What is announced of the partitions of one leader. */
interface Queue {
  readonly partitions: Array<Announced>
  /** The first that may not have begun. */
  next: number
  /** How many to ask for together: grows while all of them come with data, shrinks where they do not. */
  together: number
}

const placeOf = ({ partition, topic }: Pick<WireFetch, "topic" | "partition">): string => `${topic}/${partition}`

export const makeFirstFetches = (
  wire: Pick<KafkaWire, "fetch" | "fetchTogether">,
  topics: Pick<TopicMetadata, "known">
): FirstFetches => {
  const waiting = new Map<string, Announced>()
  const queues = new Map<number, Queue>()
  let held = 0

  /** Keeps what came for others; all of it is in one buffer, which lives until the last of them gives it back. */
  const hold = (own: WireFetched, others: ReadonlyArray<readonly [Announced, WireFetched]>): void => {
    const bytes = others.reduce((sum, [, { records }]) => sum + records.length, own.records.length)
    let left = others.length
    if (left > 0) held += bytes
    for (const [announced, answer] of others) {
      let isHeld = true
      const release = () => {
        if (isHeld && --left === 0) held -= bytes
        isHeld = false
        answer.release()
      }
      // The wait that the broker asks for is that of the partition whose fetch it was.
      announced.held = { ...answer, throttleMillis: 0, release }
    }
  }

  /** The next partitions of the leader that can be asked for together with this one. */
  const othersOf = (queue: Queue, request: WireFetch): ReadonlyArray<Announced> => {
    const found: Array<Announced> = []
    const { partitions } = queue
    while (queue.next < partitions.length && !waiting.has(placeOf(partitions[queue.next]!.request))) queue.next++
    for (let i = queue.next; i < partitions.length && found.length < queue.together - 1; i++) {
      const one = partitions[i]!
      const isOpen = waiting.get(placeOf(one.request)) === one && one.held === undefined && one.onItsWay === undefined
      if (isOpen && (one.request.topicId === undefined) === (request.topicId === undefined)) found.push(one)
    }
    return found
  }

  const together = (queue: Queue, request: WireFetch, others: ReadonlyArray<Announced>, maxBytes: number) =>
    Effect.suspend(() => {
      const arrived = Deferred.makeUnsafe<void>()
      for (const one of others) one.onItsWay = arrived
      held += maxBytes
      let own: WireFetched | undefined
      const all = others.map(({ request: { from, partition, topic, topicId } }): WireFetch => ({
        ...request,
        topic,
        partition,
        topicId,
        offset: from,
        maxBytes
      }))
      const keep = (answers: ReadonlyArray<WireFetched>) => {
        own = answers[0]!
        const brought: Array<readonly [Announced, WireFetched]> = []
        for (const [i, one] of others.entries()) {
          const answer = answers[i + 1]!
          const isWanted = waiting.get(placeOf(one.request)) === one
          if (answer.errorCode === 0 && answer.records.length > 0 && isWanted) brought.push([one, answer])
          else answer.release()
        }
        hold(own, brought)
        const isAll = brought.length === others.length
        queue.together = Math.min(mostTogether, 2 * (isAll ? queue.together : brought.length + 1))
        return own
      }
      // Answers are kept as soon as they arrive, so that an interruption cannot lose their buffers.
      return Effect.uninterruptibleMask((restore) =>
        restore(wire.fetchTogether(request.leader, [request, ...all], maxBytes)).pipe(
          Effect.onExit(() => Effect.sync(() => void (held -= maxBytes))),
          Effect.map(keep),
          Effect.onExit(() =>
            Effect.suspend(() => {
              for (const one of others) one.onItsWay = undefined
              return Deferred.succeed(arrived, undefined)
            })
          )
        )
      ).pipe(Effect.onExit((exit) => Effect.sync(() => (Exit.isFailure(exit) ? own?.release() : undefined))))
    })

  const fetch = (request: WireFetch): Effect.Effect<WireFetched, KafkaError> =>
    Effect.suspend(() => {
      const announced = waiting.get(placeOf(request))
      if (announced === undefined || announced.request.from !== request.offset) return wire.fetch(request)
      // Another answer may bring it.
      if (announced.onItsWay !== undefined) {
        return Effect.andThen(Deferred.await(announced.onItsWay), fetch(request))
      }
      waiting.delete(placeOf(request))
      const answer = announced.held
      announced.held = undefined
      if (answer !== undefined) return Effect.succeed(answer)
      const queue = queues.get(request.leader)
      const room = Math.min(request.maxBytes, heldBytes - held)
      if (queue === undefined || room < Math.min(request.maxBytes, leastBytes)) return wire.fetch(request)
      const others = othersOf(queue, request)
      return others.length === 0 ? wire.fetch(request) : together(queue, request, others, room)
    })

  const forget = (all: ReadonlyArray<Announced>): void => {
    for (const one of all) {
      one.held?.release()
      one.held = undefined
      if (waiting.get(placeOf(one.request)) === one) waiting.delete(placeOf(one.request))
    }
    if (waiting.size === 0) queues.clear()
  }

  return {
    announce: (requests) =>
      Effect.flatMap(topics.known([...new Set(requests.map(({ topic }) => topic))], Infinity), (known) => {
        // Where leaders are not known, each read finds its own.
        if (known === undefined) return Effect.void
        const found = new Map(
          known.flatMap(({ name, partitions, topicId }) =>
            partitions.map(
              ({ leader, partition }) => [placeOf({ topic: name, partition }), { leader, topicId }] as const
            )
          )
        )
        const all: Array<Announced> = []
        for (const request of requests) {
          const { leader, topicId } = found.get(placeOf(request)) ?? { leader: -1 }
          if (leader < 0 || waiting.has(placeOf(request))) continue
          const one: Announced = {
            request: { ...request, topicId: request.topicId ?? topicId },
            onItsWay: undefined,
            held: undefined
          }
          waiting.set(placeOf(request), one)
          const queue = queues.get(leader)
          if (queue === undefined) queues.set(leader, { partitions: [one], next: 0, together: firstTogether })
          else queue.partitions.push(one)
          all.push(one)
        }
        return Effect.addFinalizer(() => Effect.sync(() => forget(all)))
      }),
    fetch
  }
}
