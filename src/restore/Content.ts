import { Effect, Stream } from "effect"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Formats from "../segment/Formats.ts"
import { TooManyHeaders } from "../segment/records/HeaderAppender.ts"
import { RecordEditor } from "../segment/records/RecordEditor.ts"
import type { RecordFilter } from "../segment/records/RecordFilter.ts"
import { RecordNotRepresentable, SegmentError } from "../segment/SegmentError.ts"
import * as Cut from "./Cut.ts"
import * as OriginalHeaders from "./OriginalHeaders.ts"
import type { PlannedSegment } from "./PlannedPartition.ts"
import * as Repartition from "./Repartition.ts"
import type { PlannedPartition, PlannedTopic, RestorePlan } from "./RestorePlan.ts"

const unlimited = Number.MAX_SAFE_INTEGER

/** One partition of a plan. */
export interface Place {
  readonly plan: RestorePlan
  readonly topic: PlannedTopic
  readonly partition: PlannedPartition
}

/** Records of one source partition that follow one another in the target. */
interface Part {
  readonly source: number
  readonly segments: ReadonlyArray<PlannedSegment>
  /** Target offset of the first record, where records get new offsets. */
  readonly base: number
  /** Present: not all of the records. */
  readonly keeps?: RecordFilter
}

/** The parts that hold records of the target in `[from, until)`: segments, or whole partitions of the source. */
const needed = (place: Place, from: number, until: number): ReadonlyArray<Part> => {
  const { partition, plan, topic } = place
  let renumbered = partition.appendedFrom ?? 0
  if (topic.sources !== undefined) {
    return topic.sources.flatMap((source, i) => {
      const base = renumbered
      renumbered += partition.fromSources?.[i] ?? 0
      if (renumbered === base || renumbered <= from || base >= until) return []
      const count = topic.partitions.length
      const logStart = source.segments[0]?.from
      const keeps = Repartition.filter(plan.cut, count, source.partition, partition.partition, logStart)
      return [{ source: source.partition, segments: source.segments, base, keeps }]
    })
  }
  return partition.segments.flatMap((segment) => {
    const base = renumbered
    renumbered += segment.kept?.records ?? segment.record_count
    const end = topic.renumbered === undefined ? (segment.kept?.lastOffset ?? segment.end_offset) + 1 : renumbered
    const start = topic.renumbered === undefined ? (segment.kept?.firstOffset ?? segment.start_offset) : base
    if (end <= from || start >= until) return []
    const keeps = Cut.ofSegment(plan.cut, segment)
    return [{ source: partition.partition, segments: [segment], base, ...(keeps === undefined ? {} : { keeps }) }]
  })
}

/**
 * The records that the target partition shall hold in `[from, until)`, with the offsets that they shall have there:
 * runs of whole records in the form of the record stream. Parts that lie before it are not read. A damaged segment
 * fails the stream, at the latest in place of its end.
 */
export const records = (store: ObjectStoreShape, place: Place, from: number, until: number = unlimited) => {
  const { plan, topic } = place
  return Stream.suspend(() => Stream.fromIterable(needed(place, from, until))).pipe(
    Stream.flatMap(({ base, keeps, segments, source }) => {
      const stored = new RecordEditor({
        from: 0,
        until: unlimited,
        addedHeaders: plan.addedHeaders,
        ...(keeps === undefined ? {} : { keeps }),
        ...(plan.originalHeaders === undefined
          ? {}
          : { appends: OriginalHeaders.appender(plan.originalHeaders, source) }),
        ...(topic.renumbered === undefined ? {} : { renumberFrom: base })
      })
      const asked = new RecordEditor({ from, until, addedHeaders: [] })
      return Stream.fromIterable(segments).pipe(
        Stream.flatMap((segment) => Formats.reader.runs(segment, store.read(ObjectKey.make(segment.key)))),
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
