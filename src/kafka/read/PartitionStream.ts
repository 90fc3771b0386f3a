import { Cause, Effect, Fiber, Scope, Stream } from "effect"
import type { KafkaError } from "../KafkaError.ts"
import type { FetchedBatches } from "../KafkaSource.ts"
import type { PartitionReader } from "./PartitionReader.ts"

/**
 * After an answer above this size, and above what was asked for, none is fetched ahead, in bytes: the next batch is
 * likely to be as large.
 */
const aheadBytes = 4 * 1024 * 1024

/**
 * The elements of a reader as a stream. The next element is fetched while the consumer works on one, so at most two
 * answers are held, or one where answers are large. An element that was fetched ahead but never pulled is released when
 * the stream ends, however it ends; the consumer releases the elements that it pulled.
 */
export const partitionStream = (open: () => PartitionReader): Stream.Stream<FetchedBatches, KafkaError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const reader = open()
      yield* Scope.addFinalizer(
        scope,
        Effect.sync(() => reader.take()?.release())
      )
      let ahead: Fiber.Fiber<void, KafkaError> | undefined
      const deliver = Effect.suspend(() => {
        const element = reader.take()!
        ahead = undefined
        const mostBytes = Math.max(aheadBytes, element.askedBytes ?? 0)
        if (reader.ended() || element.fetchedBytes > mostBytes) return Effect.succeed([element] as const)
        return Effect.map(Effect.forkIn(reader.advance, scope), (fiber) => {
          ahead = fiber
          return [element] as const
        })
      })
      const pull = Effect.suspend((): Effect.Effect<readonly [FetchedBatches], KafkaError | Cause.Done> => {
        if (ahead !== undefined) return Effect.andThen(Fiber.join(ahead), deliver)
        return reader.ended() ? Cause.done() : Effect.andThen(reader.advance, deliver)
      })
      return Stream.fromPull(Effect.succeed(pull))
    })
  )
