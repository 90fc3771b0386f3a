import { Effect, Stream } from "effect"
import { headerBytes, type RecordBatch } from "../kafka/batch/RecordBatch.ts"
import { batchBytes } from "../kafka/batch/ResealedBatch.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import * as Formats from "../segment/Formats.ts"
import { TooManyHeaders } from "../segment/records/HeaderAppender.ts"
import * as RecordStreaming from "../segment/records/RecordStreaming.ts"
import { RecordEditor } from "../segment/records/RecordEditor.ts"
import type { RecordFilter } from "../segment/records/RecordFilter.ts"
import { RecordNotRepresentable, SegmentError } from "../segment/SegmentError.ts"
import * as Cut from "./Cut.ts"
import * as OriginalHeaders from "./OriginalHeaders.ts"
import type { PlannedSegment } from "./PlannedPartition.ts"
import * as Repartition from "./Repartition.ts"
import type { StoredBatch } from "./Produced.ts"
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

/** Records with their offsets in the target: a run of whole ones in the form of the record stream, or a whole batch. */
export type Piece = Buffer | StoredBatch

export const isRun = (piece: Piece): piece is Buffer => Buffer.isBuffer(piece)

const nothing = Buffer.alloc(0)

/** No batch comes as it is stored. */
const none = () => false

/**
 * The records that the target partition shall hold in `[from, until)`, with the offsets that they shall have there:
 * runs, and those stored batches for which `takes` is true, if nothing of them is left out. Parts that lie before it
 * are not read. A damaged segment fails the stream, at the latest in place of its end.
 */
export const pieces = (
  store: ObjectStoreShape,
  place: Place,
  from: number,
  until: number = unlimited,
  takes: (batch: RecordBatch) => boolean = none
): Stream.Stream<Piece, SegmentError | ObjectStoreError> => {
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
      const edited = (run: Buffer) =>
        Effect.try({ try: () => asked.push(stored.push(run)), catch: (cause) => notRepresentable(place, cause) })
      const passed = Effect.fnUntraced(function* (batch: RecordBatch): Effect.fn.Return<Piece, SegmentError> {
        const firstOffset = stored.placeOf(batch.baseOffset)
        const end = firstOffset + batch.recordCount
        if (end > from && firstOffset < until && (firstOffset < from || end > until)) return yield* opened(batch)
        stored.pass(batch.recordCount)
        return end <= from || firstOffset >= until ? nothing : { batch: owned(batch), firstOffset, lastOffset: end - 1 }
      })
      /** Of the first and the last one a part may be asked for. */
      const opened = Effect.fnUntraced(function* (batch: RecordBatch) {
        const runs: Array<Buffer> = []
        const { baseOffset, lastOffset } = batch
        yield* RecordStreaming.make(topic.source, source).forEachRun([batch], baseOffset, lastOffset + 1, (run) => {
          runs.push(Buffer.from(asked.push(stored.push(run))))
        })
        return Buffer.concat(runs)
      })
      return Stream.fromIterable(segments).pipe(
        Stream.flatMap((segment) => {
          const { end_offset, key, start_offset } = segment
          const isWhole = (batch: RecordBatch) =>
            keeps === undefined && batch.baseOffset >= start_offset && batch.lastOffset <= end_offset
          const file = store.read(ObjectKey.make(key))
          return Formats.reader.pieces(segment, file, (batch) => isWhole(batch) && takes(batch))
        }),
        Stream.mapEffect((piece): Effect.Effect<Piece, SegmentError> =>
          Buffer.isBuffer(piece) ? edited(piece) : passed(piece)
        )
      )
    }),
    Stream.filter((piece) => !isRun(piece) || piece.length > 0)
  )
}

/** As `pieces`, all of them runs. */
export const records = (store: ObjectStoreShape, place: Place, from: number, until: number) =>
  pieces(store, place, from, until).pipe(Stream.filter(isRun))

/** The batch in memory of its own, which can be given back. */
const owned = (batch: RecordBatch): RecordBatch => {
  const length = batchBytes(batch)
  const bytes = Buffer.allocUnsafeSlow(length)
  batch.bytes.copy(bytes, 0, batch.start, batch.end)
  return { ...batch, bytes, start: 0, recordsStart: headerBytes, end: length }
}

/** Everything else that an editor throws is a defect. */
const notRepresentable = ({ partition: { partition }, topic: { source } }: Place, cause: unknown): SegmentError => {
  if (!(cause instanceof TooManyHeaders)) throw cause
  const { message: detail, offset } = cause
  return new SegmentError({ reason: new RecordNotRepresentable({ topic: source, partition, offset, detail }) })
}
