import { Effect, Option, Stream } from "effect"
import * as Formats from "../../segment/Formats.ts"
import { lengthOf, offsetOf, timestampOf } from "../../segment/records/recordFields.ts"
import { ObjectKey, type ObjectStoreShape } from "../../storage/ObjectStore.ts"
import * as Cut from "../Cut.ts"
import type { PlannedPartition, PlannedSegment } from "../PlannedPartition.ts"
import type { RestorePlan } from "../RestorePlan.ts"

/** Whether control markers stand for holes of the partition. They have the time of the restore. */
export const hasMarkers = ({ end, records, start }: PlannedPartition): boolean => end - start > records

/** Whether a record of that time or later may be restored from the segment. */
const mayHave = ({ end_timestamp, kept }: PlannedSegment, plan: RestorePlan, timestampMillis: number): boolean =>
  (kept?.maxTimestamp ?? (plan.hasTimeRanges ? end_timestamp : Infinity)) >= timestampMillis

/**
 * The offset of the first restored record with this timestamp (milliseconds since 1970) or a later one, in a partition
 * that keeps its offsets; undefined if there is none. Asked by time, a broker answers with a marker as with a record.
 */
export const offsetOfFirst = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  plan: RestorePlan,
  partition: PlannedPartition,
  timestampMillis: number
) {
  for (const segment of partition.segments.filter((each) => mayHave(each, plan, timestampMillis))) {
    const keeps = Cut.ofSegment(plan.cut, segment) ?? (() => true)
    const found = yield* Formats.reader.runs(segment, store.read(ObjectKey.make(segment.key))).pipe(
      Stream.map((run) => {
        for (let at = 0; at < run.length; at += lengthOf(run, at)) {
          if (timestampOf(run, at) >= timestampMillis && keeps(run, at)) return offsetOf(run, at)
        }
        return -1
      }),
      Stream.filter((offset) => offset >= 0),
      Stream.runHead
    )
    if (Option.isSome(found)) return found.value
  }
  return undefined
})
