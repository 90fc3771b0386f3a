import { Effect, Stream } from "effect"
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
  Array.from({ length: count }, (_, i) => ({ key: `key-${from + i}`, value: `value-${from + i}`, timestamp: 1_700_000_000_000 + from + i }))
