import { Array as Arr, Cause, Clock, Effect, Fiber, Pull, Scope, type Semaphore, Stream } from "effect"
import { BatchHeader } from "../kafka/batch/BatchHeader.ts"
import type { RecordBatch } from "../kafka/batch/RecordBatch.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import type { FetchedBatches } from "../kafka/KafkaSource.ts"
import type { FoundGap } from "../manifest/Checkpoint.ts"
import type { SegmentFormat, SegmentWriter } from "../segment/Segment.ts"
import type { SegmentError } from "../segment/SegmentError.ts"
import type { RunProgress } from "../worker/RunProgress.ts"

/** Behind an answer larger than this, and than was asked for, nothing is called ahead, in bytes: two would be held. */
const aheadBytes = 2 * 1024 * 1024

/** When a segment is closed. */
export interface SealingRules {
  /** Record stream bytes at which a segment is full; keeps the manifest of a 1 TB set loadable. */
  readonly segmentBytes: number
  /** A segment older than this is closed whatever its size. */
  readonly maxAgeMillis: number
  /** From this size on an open segment needs one of `largeSlots`: bounds memory whatever the partition count. */
  readonly largeBytes: number
  readonly largeSlots: Semaphore.Semaphore
  /** True once the run is to stop: what came is not used up then, and its rest is read again by the next attempt. */
  readonly isStopping: () => boolean
}

/** A segment that takes no more records, and how far its partition has come with it. */
export interface ClosedSegment {
  /** Absent where only the position moved: holes of compaction, aborted transactions, gaps. */
  readonly writer?: SegmentWriter
  readonly position: number
  readonly gaps: ReadonlyArray<FoundGap>
  /** Of the leader that wrote the last batch below `position`; absent where nothing was used, or it is not known. */
  readonly leaderEpoch?: number
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
  leaderEpoch: number | undefined
}

const opened = (position: number): Open => ({
  writer: undefined,
  openedMillis: 0,
  isLarge: false,
  position,
  movedTo: position,
  gaps: [],
  leaderEpoch: undefined
})

/** Epoch of the leader that wrote the last batch of the element that begins below `offset`. */
const epochBelow = ({ batches }: FetchedBatches, offset: number): number | undefined => {
  const batch = batches.findLast(({ baseOffset }) => baseOffset < offset)
  const epoch = batch?.bytes.readInt32BE(batch.start + BatchHeader.leaderEpoch) ?? -1
  return epoch < 0 ? undefined : epoch
}

/**
 * Cuts one partition's batches into segments: by size, by age even when nothing arrives, and at the end of the stream.
 * A segment has at most `segmentBytes` and one batch, or, where a batch is large, one record.
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
              ...(open.leaderEpoch === undefined ? {} : { leaderEpoch: open.leaderEpoch }),
              done: open.isLarge ? Effect.asVoid(rules.largeSlots.release(1)) : Effect.void
            }
          ]

    const takeSlot = Effect.fnUntraced(function* (open: Open) {
      yield* rules.largeSlots.take(1)
      open.isLarge = true
    })

    /** Appends of the batches until the segment is full, or needs a slot to grow; gives the offset to go on from. */
    const append = Effect.fnUntraced(function* (open: Open, batches: ReadonlyArray<RecordBatch>) {
      if (open.writer === undefined) {
        // To go on inside of a batch, it is inflated from its beginning: with a slot, that happens once and not twice.
        const { movedTo } = open
        const isInside = batches.some(({ baseOffset, lastOffset }) => baseOffset < movedTo && movedTo <= lastOffset)
        if (isInside && partition.from < movedTo) yield* takeSlot(open)
        open.writer = yield* format.open(partition.topic, partition.partition)
        open.openedMillis = yield* Clock.currentTimeMillis
      }
      const before = open.writer.recordCount()
      const fullBytes = open.isLarge ? rules.segmentBytes : Math.min(rules.largeBytes, rules.segmentBytes)
      const stoppedAt = yield* open.writer.append(batches, open.movedTo, partition.until, fullBytes)
      progress.records += open.writer.recordCount() - before
      return stoppedAt
    })

    /**
     * Takes of the element until it is used up (true), or the segment is full or has got a slot (false). Slots are
     * taken between the appends, so that nobody waits for one while holding memory for inflated records.
     */
    const take = Effect.fnUntraced(function* (open: Open, element: FetchedBatches) {
      if (element.gap !== undefined) {
        open.gaps.push({ ...element.gap, detectedMillis: yield* Clock.currentTimeMillis })
      }
      const stoppedAt = element.batches.length === 0 ? undefined : yield* append(open, element.batches)
      open.leaderEpoch =
        (stoppedAt === undefined ? element.leaderEpoch : epochBelow(element, stoppedAt)) ?? open.leaderEpoch
      if (stoppedAt === undefined) {
        element.release()
        progress.fetchedBytes += element.fetchedBytes
      }
      const position = Math.min(stoppedAt ?? element.position, partition.until)
      progress.offsetsDone += position - open.movedTo
      open.movedTo = position
      const isLargeNow = open.writer !== undefined && open.writer.uncompressedBytes() >= rules.largeBytes
      if (isLargeNow && !open.isLarge) yield* takeSlot(open)
      return stoppedAt === undefined
    })

    const isDue = (open: Open, nowMillis: number) =>
      open.writer !== undefined &&
      (open.writer.uncompressedBytes() >= rules.segmentBytes || nowMillis - open.openedMillis >= rules.maxAgeMillis)

    /** The closed segments, one by one: no record of the next one is taken before this one was handed on. */
    const segments = (
      upstream: Pull.Pull<Arr.NonEmptyReadonlyArray<FetchedBatches>, KafkaError>,
      scope: Scope.Scope
    ): Effect.Effect<Pull.Pull<Arr.NonEmptyReadonlyArray<ClosedSegment>, KafkaError | SegmentError>> => {
      const tickMillis = Math.max(1000, rules.maxAgeMillis / 4)
      let open = opened(partition.from)
      /** What came and is not used up. */
      let waiting: ReadonlyArray<FetchedBatches> = []
      let coming: Fiber.Fiber<ReadonlyArray<FetchedBatches>, KafkaError> | undefined
      let hasEnded = false
      const closed = () => {
        const found = close(open)
        open = opened(open.movedTo)
        return found
      }
      const call = Effect.gen(function* () {
        coming ??= yield* Effect.forkIn(
          Pull.catchDone(upstream, () => Effect.succeed([])),
          scope
        )
        return coming
      })
      /** What came and was never looked at, because the stream ends before, however it ends. */
      const unseen = Effect.sync(() => {
        const exit = coming?.pollUnsafe()
        if (exit?._tag === "Success") for (const element of exit.value) element.release()
      })
      /** Waits for what comes next, no longer than until the age of the open segment is to be looked at. */
      const receive = Effect.gen(function* () {
        const next = yield* call
        const hasCome = yield* Effect.raceFirst(
          Effect.as(Fiber.await(next), true),
          Effect.as(Effect.sleep(tickMillis), false)
        )
        if (!hasCome) return
        waiting = yield* Fiber.join(next)
        coming = undefined
        hasEnded = waiting.length === 0
      })
      const pull = Effect.gen(function* () {
        for (;;) {
          if (rules.isStopping()) {
            for (const element of waiting) element.release()
            waiting = []
          }
          const [element] = waiting
          if (element !== undefined) {
            // The next one comes meanwhile: together with the one that the source fetches ahead, no link of the chain
            // waits.
            const mostBytes = Math.max(aheadBytes, element.askedBytes ?? 0)
            if (!hasEnded && waiting.length === 1 && element.fetchedBytes <= mostBytes) yield* call
            if (yield* take(open, element)) waiting = waiting.slice(1)
          } else if (!hasEnded) yield* receive
          const isOver = hasEnded && waiting.length === 0
          if (!isOver && !isDue(open, yield* Clock.currentTimeMillis)) continue
          const found = closed()
          if (Arr.isReadonlyArrayNonEmpty(found)) return found
          if (isOver) return yield* Cause.done()
        }
      })
      return Effect.as(Scope.addFinalizer(scope, unseen), pull)
    }

    return Stream.transformPull(fetched, segments)
  }
