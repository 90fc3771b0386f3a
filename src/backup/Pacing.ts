import { Stream } from "effect"
import type { FetchedBatches } from "../kafka/KafkaSource.ts"
import type { RateLimit } from "../worker/RateLimit.ts"

const recordsOf = ({ batches }: Pick<FetchedBatches, "batches">): number =>
  batches.reduce((sum, { recordCount }) => sum + recordCount, 0)

/**
 * One element as several, each with at most `most` records or with a single batch: a batch is never split. The buffers
 * are released when the last part is.
 */
export const parts = (fetched: FetchedBatches, most: number): ReadonlyArray<FetchedBatches> => {
  const groups: Array<Array<FetchedBatches["batches"][number]>> = []
  let room = 0
  for (const batch of fetched.batches) {
    const group = groups.at(-1)
    if (group !== undefined && batch.recordCount <= room) group.push(batch)
    else {
      groups.push([batch])
      room = most
    }
    room -= batch.recordCount
  }
  if (groups.length < 2) return [fetched]
  let left = groups.length
  const release = () => {
    if (--left === 0) fetched.release()
  }
  const { gap, ...common } = fetched
  return groups.map((batches, index) => ({
    ...common,
    ...(index === 0 && gap !== undefined ? { gap } : {}),
    batches,
    position: index === groups.length - 1 ? fetched.position : (batches.at(-1)?.lastOffset ?? 0) + 1,
    fetchedBytes: index === 0 ? fetched.fetchedBytes : 0,
    release
  }))
}

/**
 * Lets at most one second's worth of records through in a second, and not all records of a fetch at once: a fetch of
 * 1 MiB may hold some 70,000 small ones. A tenth of a second's worth passes at a time, or one batch if it is larger.
 */
export const byRecords =
  (recordsPerSecond: number | undefined, limit: RateLimit) =>
  <E>(fetched: Stream.Stream<FetchedBatches, E>): Stream.Stream<FetchedBatches, E> =>
    recordsPerSecond === undefined
      ? fetched
      : fetched.pipe(
          Stream.flatMap((element) => Stream.fromIterable(parts(element, Math.max(1, recordsPerSecond / 10)))),
          Stream.tap((part) => limit.pay(recordsOf(part)))
        )
