import { Effect } from "effect"
import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import * as RecordStreaming from "../records/RecordStreaming.ts"
import { lengthOf } from "../records/recordFields.ts"
import { RecordTally } from "../records/RecordTally.ts"
import type { SegmentError } from "../SegmentError.ts"

/** Which records a batch holds within a range of offsets. */
export interface BatchBounds {
  readonly records: number
  /** Both inclusive; −1 without a record. */
  readonly firstOffset: number
  readonly lastOffset: number
}

/**
 * What the header alone says, where that is exact: of a batch that lies within the range and has a record at each of
 * its offsets. Undefined of others.
 */
export const ofHeader = (batch: RecordBatch, from: number, until: number): BatchBounds | undefined => {
  const { baseOffset, lastOffset, recordCount } = batch
  const isInside = baseOffset >= from && lastOffset < until
  return isInside && recordCount === lastOffset - baseOffset + 1
    ? { records: recordCount, firstOffset: baseOffset, lastOffset }
    : undefined
}

/** The same of any batch, which is opened for it. Fails with `MalformedRecords`. */
export const opened = (
  topic: string,
  partition: number,
  batch: RecordBatch,
  from: number,
  until: number
): Effect.Effect<BatchBounds, SegmentError> =>
  Effect.suspend(() => {
    const tally = new RecordTally()
    return RecordStreaming.make(topic, partition)
      .forEachRun([batch], from, until, (run) => {
        for (let at = 0; at < run.length; at += lengthOf(run, at)) tally.add(run, at)
      })
      .pipe(Effect.map(() => tally.tally))
  })
