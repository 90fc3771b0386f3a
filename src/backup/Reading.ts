import { Clock, Deferred, Duration, Effect, type Scope, Semaphore, Stream } from "effect"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import type { DurableSegment, PartitionAdvance } from "../manifest/Checkpoint.ts"
import type { PlannedPartition, PlannedTopic, RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import type { EncodedSegment, SegmentFormat } from "../segment/Segment.ts"
import type { ObjectInfo, ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Checkpoints from "./Checkpoints.ts"
import * as RateLimit from "../worker/RateLimit.ts"
import type { RunProgress } from "../worker/RunProgress.ts"
import type { RunRequest } from "./RunRequest.ts"
import * as Segments from "./Segments.ts"

/** What a run needs beside the request: how segments are written, how much may be open, whom to tell, when to stop. */
export interface ReadOptions {
  readonly format: (settings: RunPlan["settings"]) => Effect.Effect<SegmentFormat, never, Scope.Scope>
  /** Partitions read at the same time. */
  readonly openPartitions: number
  /** Segments beyond `largeBytes` that may be open or on their way to storage at the same time. */
  readonly largeSegments: number
  readonly largeBytes: number
  /** Record stream bytes at which a segment is full. */
  readonly segmentBytes: number
  /** Bytes to ask for in one fetch; a rate limit makes it smaller. */
  readonly fetchBytes: number
  readonly progress: RunProgress
  /** Completed when the run should stop: open segments are sealed and remembered, then it fails with `Interrupted`. */
  readonly stop: Deferred.Deferred<void>
}

/** Reads every unfinished partition to its end, or to wherever the stop finds it; all of it durable and remembered. */
export const readAll = Effect.fnUntraced(function* (
  kafka: KafkaSourceShape,
  store: ObjectStoreShape,
  request: RunRequest,
  means: ReadOptions,
  plan: RunPlan,
  attempt: number,
  state: RunState.RunState,
  restarts: ReadonlyArray<PartitionAdvance>
) {
  const { progress } = means
  const interval = request.checkpointIntervalMillis
  const checkpoints = yield* Checkpoints.make(store, { backupId: plan.backupId, attempt }, state)
  // ScheduleMemory before anything of these partitions is stored anew, so that the two are never taken together.
  yield* Effect.forEach(restarts, checkpoints.remember, { discard: true })
  yield* checkpoints.flush
  const format = yield* means.format(plan.settings)
  const bytes = RateLimit.ofOptional(request.bytesPerSecond)
  const records = RateLimit.ofOptional(request.recordsPerSecond)
  const rules: Segments.SealingRules = {
    segmentBytes: means.segmentBytes,
    // Half the interval to fill, a quarter to flush: what is lost with the process is less than one interval.
    maxAgeMillis: interval / 2,
    largeBytes: means.largeBytes,
    largeSlots: yield* Semaphore.make(means.largeSegments)
  }

  const advancesOf = (topic: PlannedTopic, partition: PlannedPartition, position: number) => {
    const place = { topic: topic.name, partition: partition.partition, from: position, until: partition.until }
    return kafka
      .read({
        ...place,
        ...(topic.topicId === undefined ? {} : { topicId: topic.topicId }),
        fetchBytes: RateLimit.fetchBytes(request.bytesPerSecond, means.fetchBytes)
      })
      .pipe(
        Stream.tap((fetched) =>
          Effect.andThen(
            bytes.pay(fetched.fetchedBytes),
            records.pay(fetched.batches.reduce((n, batch) => n + batch.recordCount, 0))
          )
        ),
        Stream.interruptWhen(Deferred.await(means.stop)),
        Segments.cut(format, rules, progress, place),
        Stream.mapEffect(storeClosed(store, plan, attempt, format, progress, place), { concurrency: 2 }),
        Stream.tap((advance) => checkpoints.remember(advance)),
        Stream.ensuring(Effect.sync(() => progress.partitionsDone++))
      )
  }

  const reading = Stream.fromIterable(RunState.unfinished(plan, state)).pipe(
    Stream.flatMap(({ partition, position, topic }) => advancesOf(topic, partition, position), {
      concurrency: means.openPartitions
    }),
    Stream.runDrain
  )
  yield* Effect.raceFirst(reading, checkpoints.flushing(Duration.millis(interval / 4))).pipe(
    // What is durable is remembered on the way out, too; where even that fails, the first error is the one to tell.
    Effect.tapError(() => Effect.ignore(checkpoints.flush))
  )
  yield* checkpoints.flush
}, Effect.scoped)

/** Seals a closed segment and makes it durable; gives what may now be remembered. */
const storeClosed =
  (
    store: ObjectStoreShape,
    plan: RunPlan,
    attempt: number,
    format: SegmentFormat,
    progress: RunProgress,
    place: { readonly topic: string; readonly partition: number }
  ) =>
  (closed: Segments.ClosedSegment) =>
    Effect.gen(function* () {
      const encoded = closed.writer === undefined ? undefined : yield* closed.writer.seal
      const segments: Array<DurableSegment> = []
      if (encoded !== undefined) {
        const key = BackupKeys.segment(
          plan.backupId,
          place.topic,
          place.partition,
          encoded.firstOffset,
          attempt,
          format.suffix
        )
        const stored = yield* store.put(key, encoded.pieces)
        // The store hashes what it sends or writes; a store that does not leaves it to us.
        const sha256 = stored.sha256 ?? encoded.sha256()
        encoded.release()
        segments.push(durableSegment(encoded, { ...stored, sha256 }, yield* Clock.currentTimeMillis))
        progress.storedBytes += encoded.storedBytes
        progress.segments++
      }
      yield* closed.done
      return { ...place, position: closed.position, segments, gaps: closed.gaps } satisfies PartitionAdvance
    })

const durableSegment = (
  encoded: EncodedSegment,
  { fingerprint, key, sha256 }: ObjectInfo & { readonly sha256: string },
  uploadedMillis: number
): DurableSegment => ({
  key,
  start_offset: encoded.firstOffset,
  end_offset: encoded.lastOffset,
  start_timestamp: encoded.minTimestamp,
  end_timestamp: encoded.maxTimestamp,
  record_count: encoded.recordCount,
  uncompressed_size: encoded.uncompressedBytes,
  compressed_size: encoded.storedBytes,
  sha256,
  uploaded_at: uploadedMillis,
  payloadBytes: encoded.payloadBytes,
  ...(fingerprint === undefined ? {} : { fingerprint })
})
