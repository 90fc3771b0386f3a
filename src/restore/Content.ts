import { Effect, Stream } from "effect"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Formats from "../segment/Formats.ts"
import { TooManyHeaders } from "../segment/records/HeaderAppender.ts"
import { RecordEditor } from "../segment/records/RecordEditor.ts"
import { RecordNotRepresentable, SegmentError } from "../segment/SegmentError.ts"
import * as Cut from "./Cut.ts"
import * as OriginalHeaders from "./OriginalHeaders.ts"
import type { PlannedPartition, PlannedTopic, RestorePlan } from "./RestorePlan.ts"

const unlimited = Number.MAX_SAFE_INTEGER

/** One partition of a plan. */
export interface Place {
  readonly plan: RestorePlan
  readonly topic: PlannedTopic
  readonly partition: PlannedPartition
}

/** The segments that hold records of the target in `[from, until)`, each with the target offset of its first record. */
const needed = ({ partition, topic }: Place, from: number, until: number) => {
  let renumbered = 0
  return partition.segments.flatMap((segment) => {
    const base = renumbered
    renumbered += segment.kept?.records ?? segment.record_count
    const end = topic.renumbered === undefined ? (segment.kept?.lastOffset ?? segment.end_offset) + 1 : renumbered
    const start = topic.renumbered === undefined ? (segment.kept?.firstOffset ?? segment.start_offset) : base
    return end <= from || start >= until ? [] : [{ segment, base }]
  })
}

/**
 * The records that the target partition shall hold in `[from, until)`, with the offsets that they shall have there:
 * runs of whole records in the form of the record stream. Segments that lie before it are not read. A damaged segment
 * fails the stream, at the latest in place of its end.
 */
export const records = (store: ObjectStoreShape, place: Place, from: number, until: number = unlimited) => {
  const { partition, plan, topic } = place
  const appends =
    plan.originalHeaders === undefined ? undefined : OriginalHeaders.appender(plan.originalHeaders, partition.partition)
  return Stream.fromIterable(needed(place, from, until)).pipe(
    Stream.flatMap(({ base, segment }) => {
      const stored = new RecordEditor({
        from: 0,
        until: unlimited,
        addedHeaders: plan.addedHeaders,
        ...(segment.kept === undefined || plan.cut === undefined ? {} : { keeps: Cut.filter(plan.cut) }),
        ...(appends === undefined ? {} : { appends }),
        ...(topic.renumbered === undefined ? {} : { renumberFrom: base })
      })
      const asked = new RecordEditor({ from, until, addedHeaders: [] })
      return Formats.reader
        .runs(segment.key, store.read(ObjectKey.make(segment.key)))
        .pipe(
          Stream.mapEffect((run) =>
            Effect.try({ try: () => asked.push(stored.push(run)), catch: (cause) => notRepresentable(place, cause) })
          )
        )
    }),
    Stream.filter((run) => run.length > 0)
  )
}

/** Everything else that an editor throws is a defect. */
const notRepresentable = ({ partition: { partition }, topic: { source } }: Place, cause: unknown): SegmentError => {
  if (!(cause instanceof TooManyHeaders)) throw cause
  const { message: detail, offset } = cause
  return new SegmentError({ reason: new RecordNotRepresentable({ topic: source, partition, offset, detail }) })
}
