import { Duration, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { KafkaError } from "../../src/kafka/KafkaError.ts"
import type { KafkaSourceShape, OffsetGap, ReadRequest } from "../../src/kafka/KafkaSource.ts"
import { type DecodedRecord, recordsOf } from "./RecordDecoding.ts"

/** What a whole read brought: the records of the range, copied, and what was said beside them. */
export interface Collected {
  readonly records: ReadonlyArray<DecodedRecord>
  readonly gaps: ReadonlyArray<OffsetGap>
  /** Position after each element. */
  readonly positions: ReadonlyArray<number>
  readonly fetchedBytes: number
}

/** Reads to the end as a careful consumer does: checks order and ranges, copies, releases each element. */
export const collect = (source: KafkaSourceShape, request: ReadRequest): Effect.Effect<Collected, KafkaError> =>
  Effect.gen(function* () {
    const records: Array<DecodedRecord> = []
    const gaps: Array<OffsetGap> = []
    const positions: Array<number> = []
    let fetchedBytes = 0
    let position = request.from
    yield* source.read(request).pipe(
      Stream.runForEach((element) =>
        Effect.gen(function* () {
          if (element.position <= position) throw new Error(`position went from ${position} to ${element.position}`)
          if (element.position > request.until) throw new Error(`position ${element.position} is beyond the end`)
          for (const batch of element.batches) {
            if (batch.lastOffset < request.from || batch.baseOffset >= request.until) {
              throw new Error(`batch [${batch.baseOffset}, ${batch.lastOffset}] lies outside of the range`)
            }
            for (const record of yield* recordsOf(batch)) {
              if (record.offset < request.from || record.offset >= request.until) continue
              if (record.offset <= (records.at(-1)?.offset ?? -1)) throw new Error(`offset ${record.offset} twice`)
              records.push(record)
            }
          }
          if (element.gap !== undefined) gaps.push(element.gap)
          position = element.position
          positions.push(position)
          fetchedBytes += element.fetchedBytes
          element.release()
        })
      )
    )
    if (position < request.until && request.from < request.until) throw new Error(`the read ended at ${position}`)
    return { records, gaps, positions, fetchedBytes }
  })

/** Offsets alone, for comparisons. */
export const offsetsOf = (records: ReadonlyArray<{ readonly offset: number }>) => records.map(({ offset }) => offset)

/** `count` records with text keys and values; `from` numbers them. */
export const someRecords = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({
    key: `key-${from + i}`,
    value: `value-${from + i}`,
    timestamp: 1_700_000_000_000 + from + i
  }))

/** Lets every fiber run until it sleeps or ends: moving the test clock alone does not wait for them. */
export const settle = Effect.repeat(
  Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))),
  { times: 3 }
)

/** Moves the clock in small steps, letting all fibers settle at each, until the effect ends or the time is over. */
export const within = <A, E>(limit: Duration.Input, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    yield* pass(limit, fiber)
    if (fiber.pollUnsafe() === undefined) throw new Error("still running when the time was over")
    return yield* Fiber.join(fiber)
  })

/** Lets the time pass, in steps of five seconds at most; stops early when `fiber` has ended. */
export const pass = (duration: Duration.Input, fiber?: Fiber.Fiber<unknown, unknown>) =>
  Effect.gen(function* () {
    let left = Duration.toMillis(duration)
    yield* settle
    while (left > 0 && (fiber === undefined || fiber.pollUnsafe() === undefined)) {
      const step = Math.min(5000, left)
      left -= step
      yield* TestClock.adjust(step)
      yield* settle
    }
  })
