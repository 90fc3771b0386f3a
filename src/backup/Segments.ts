import { Clock, Effect, type Semaphore, Stream } from "effect"
import type { KafkaError } from "../kafka/KafkaError.ts"
import type { FetchedBatches } from "../kafka/KafkaSource.ts"
import type { FoundGap } from "../manifest/Checkpoint.ts"
import type { SegmentFormat, SegmentWriter } from "../segment/Segment.ts"
import type { SegmentError } from "../segment/SegmentError.ts"
import type { RunProgress } from "../worker/RunProgress.ts"

/** When a segment is closed. */
export interface SealingRules {
  /** Record stream bytes at which a segment is full; keeps the manifest of a 1 TB set loadable. */
  readonly segmentBytes: number
  /** A segment older than this is closed whatever its size. */
  readonly maxAgeMillis: number
  /** From this size on an open segment needs one of `largeSlots`: bounds memory whatever the partition count. */
  readonly largeBytes: number
  readonly largeSlots: Semaphore.Semaphore
}

/** A segment that takes no more records, and how far its partition has come with it. */
export interface ClosedSegment {
  /** Absent where only the position moved: holes of compaction, aborted transactions, gaps. */
  readonly writer?: SegmentWriter
  readonly position: number
  readonly gaps: ReadonlyArray<FoundGap>
  /** Gives the large slot back, where there is one; call once, when the segment is durable. */
  readonly done: Effect.Effect<void>
}

/** What a partition has open. Replaced, never shared, when a segment closes. */
interface Open {
  writer: SegmentWriter | undefined
  openedMillis: number
  isLarge: boolean
  position: number
  movedTo: number
  gaps: Array<FoundGap>
}

const opened = (position: number): Open => ({
  writer: undefined,
  openedMillis: 0,
  isLarge: false,
  position,
  movedTo: position,
  gaps: []
})

/**
 * Cuts one partition's batches into segments: by size, by age even when nothing arrives, and at the end of the stream.
 */
export const cut =
  (
    format: SegmentFormat,
    rules: SealingRules,
    progress: RunProgress,
    partition: { readonly topic: string; readonly partition: number; readonly from: number; readonly until: number }
  ) =>
  (fetched: Stream.Stream<FetchedBatches, KafkaError>): Stream.Stream<ClosedSegment, KafkaError | SegmentError> => {
    const close = (open: Open): ReadonlyArray<ClosedSegment> =>
      open.movedTo === open.position && open.gaps.length === 0
        ? []
        : [
            {
              ...(open.writer === undefined ? {} : { writer: open.writer }),
              position: open.movedTo,
              gaps: open.gaps,
              done: open.isLarge ? Effect.asVoid(rules.largeSlots.release(1)) : Effect.void
            }
          ]

    const take = Effect.fnUntraced(function* (open: Open, element: FetchedBatches) {
      if (element.gap !== undefined) {
        open.gaps.push({ ...element.gap, detectedMillis: yield* Clock.currentTimeMillis })
      }
      if (element.batches.length > 0) {
        if (open.writer === undefined) {
          open.writer = yield* format.open(partition.topic, partition.partition)
          open.openedMillis = yield* Clock.currentTimeMillis
        }
        const before = open.writer.recordCount()
        yield* open.writer.append(element.batches, open.movedTo, partition.until)
        progress.records += open.writer.recordCount() - before
      }
      element.release()
      const position = Math.min(element.position, partition.until)
      progress.offsetsDone += position - open.movedTo
      progress.fetchedBytes += element.fetchedBytes
      open.movedTo = position
      if (open.writer === undefined) return
      if (!open.isLarge && open.writer.uncompressedBytes() >= rules.largeBytes) {
        yield* rules.largeSlots.take(1)
        open.isLarge = true
      }
    })

    const isDue = (open: Open, nowMillis: number) =>
      open.writer !== undefined &&
      (open.writer.uncompressedBytes() >= rules.segmentBytes || nowMillis - open.openedMillis >= rules.maxAgeMillis)

    return fetched.pipe(
      Stream.map((element): FetchedBatches | undefined => element),
      Stream.merge(Stream.tick(Math.max(1000, rules.maxAgeMillis / 4)).pipe(Stream.as(undefined)), {
        haltStrategy: "left"
      }),
      Stream.mapAccumEffect(
        () => opened(partition.from),
        (open, element) =>
          Effect.gen(function* () {
            if (element !== undefined) yield* take(open, element)
            return isDue(open, yield* Clock.currentTimeMillis)
              ? ([opened(open.movedTo), close(open)] as const)
              : ([open, []] as const)
          }),
        { onHalt: close }
      )
    )
  }
