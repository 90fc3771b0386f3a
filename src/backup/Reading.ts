import { Clock, Deferred, Duration, Effect, type Scope, Semaphore, Stream } from "effect"
import type { LogReplaced } from "../kafka/KafkaError.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import type { DurableSegment, PartitionAdvance } from "../manifest/Checkpoint.ts"
import {
  type ContentSettings,
  formatOf,
  type PlannedPartition,
  type PlannedTopic,
  type RunPlan
} from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import type { SegmentFormat } from "../segment/Segment.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Checkpoints from "./Checkpoints.ts"
import * as FetchRoom from "./FetchRoom.ts"
import * as Healing from "./Healing.ts"
import * as PacedReads from "./PacedReads.ts"
import type * as ReachedParts from "./ReachedParts.ts"
import * as ReadingOrder from "./ReadingOrder.ts"
import type { RunProgress } from "../worker/RunProgress.ts"
import type { RunRequest } from "./RunRequest.ts"
import * as SameLog from "./SameLog.ts"
import * as Segments from "./Segments.ts"
import * as StoredSegment from "./StoredSegment.ts"
import type * as TakenOver from "./TakenOver.ts"
import type { WrittenDigests } from "./WrittenDigests.ts"

/** How a run reads: the segment format, the bounds of memory, the progress that it shows, and the signal to stop. */
export interface ReadOptions {
  readonly format: (settings: RunPlan["settings"]) => Effect.Effect<SegmentFormat, never, Scope.Scope>
  /** Partitions read at the same time. */
  readonly openPartitions: number
  /** Segments beyond `largeBytes` that may be open or on their way to storage at the same time. */
  readonly largeSegments: number
  readonly largeBytes: number
  /** Bytes of record stream at which a segment is full. */
  readonly segmentBytes: number
  /** Bytes to ask for in one fetch; a rate limit makes it smaller. */
  readonly fetchBytes: number
  readonly progress: RunProgress
  /** Present: filled with what the run works at, for the report of a run without a set. */
  readonly parts?: ReachedParts.Parts
  /** What of all this changes where a backup is held in memory that names so many segments. */
  readonly beside?: (segments: number) => Partial<ReadOptions>
  /** See `ManifestMemory.mostSegments`; as many as can be without it. */
  readonly mostSegments?: (ledgerBytes: number) => number
  /** Completed when the run should stop: open segments are sealed and recorded, then it fails with `Interrupted`. */
  readonly stop: Deferred.Deferred<void>
}

/** One attempt at its plan. */
export interface PlannedAttempt {
  readonly request: RunRequest
  readonly plan: RunPlan
  readonly attempt: number
  /** Everything durable so far; grows while the attempt reads. */
  readonly state: RunState.RunState
  /** Advances that void what earlier attempts recorded of partitions with lost segments. */
  readonly restarts: ReadonlyArray<PartitionAdvance>
  /** Of the segments that this attempt writes. */
  readonly written: WrittenDigests
  readonly sameLog: SameLog.SameLog
  /** How the segments of the base were written, where there is one. */
  readonly baseSettings?: ContentSettings | undefined
}

/** What is not at its end, although the reading is. */
export interface Ended {
  /** How many the attempt has written. */
  readonly checkpoints: number

  /** The partitions whose log was replaced meanwhile. */
  readonly replaced: ReadonlyArray<LogReplaced>
  /** Those whose log has too little of what is damaged of the base. */
  readonly givenUp: ReadonlyArray<TakenOver.GivenUp>
}

/**
 * Reads what is damaged of the base again, and every unfinished partition to its end, or until the stop: Kafka streams
 * the record batches, the format frames them, the store keeps them, checkpoints record them.
 */
export const readAll = Effect.fnUntraced(function* (
  kafka: KafkaSourceShape,
  store: ObjectStoreShape,
  { attempt, baseSettings, plan, request, restarts, sameLog, state, written }: PlannedAttempt,
  options: ReadOptions
) {
  const { progress } = options
  const interval = request.checkpointIntervalMillis
  const checkpoints = yield* Checkpoints.make(store, { backupId: plan.backupId, attempt }, state)
  // Recorded before any of these partitions is stored again, so that old and new segments are never counted together.
  yield* Effect.forEach(restarts, checkpoints.remember, { discard: true })
  yield* checkpoints.flush
  const format = yield* options.format(plan.settings)
  const toHeal = RunState.toHeal(plan, state)
  const unfinished = RunState.unfinished(plan, state)
  const room = FetchRoom.make(toHeal.length + unfinished.length, options.openPartitions, options.fetchBytes)
  const read = PacedReads.of(kafka, PacedReads.share(request, request.seat), options.fetchBytes, room.limit)
  const replaced: Array<LogReplaced> = []
  const rules: Segments.SealingRules = {
    segmentBytes: options.segmentBytes,
    // Half the interval to fill, a quarter to flush: what is lost with the process is less than one interval.
    maxAgeMillis: interval / 2,
    largeBytes: options.largeBytes,
    largeSlots: yield* Semaphore.make(options.largeSegments),
    isStopping: () => Deferred.isDoneUnsafe(options.stop)
  }

  const compacted = new Map<PlannedPartition, TakenOver.GivenUp>()
  const healing = yield* healingFormats(toHeal, baseSettings, plan.settings, options)

  /** Reads what the log has of one damaged segment, as one if it may be that large, and records it as a whole. */
  const healed = ({ from, partition, segment, topic, until }: RunState.ToHeal) => {
    const place = { topic: topic.name, partition: partition.partition, from, until }
    const made = healing(segment)
    return read({ ...place, topicId: topic.topicId }).pipe(
      Stream.interruptWhen(Deferred.await(options.stop)),
      Segments.cut(made, { ...rules, ...Healing.sealing(segment, options.segmentBytes) }, progress, place),
      Stream.mapEffect(storeClosed(store, plan, attempt, progress, written, place)),
      Stream.runCollect,
      Effect.flatMap(
        Effect.fnUntraced(function* (advances) {
          if (advances.at(-1)?.position !== until) return
          // What was read is of the log of the base if that one is still there.
          yield* sameLog.assertTakenOver(topic.name, partition)
          if (!Healing.isAll(segment, from, advances)) {
            compacted.set(partition, { topic: topic.name, partition, reason: "DamagedCompacted" })
            return
          }
          yield* checkpoints.remember({
            topic: topic.name,
            partition: partition.partition,
            position: RunState.of(state, topic.name, partition).position,
            segments: advances.flatMap(({ segments }) => segments),
            gaps: advances.flatMap(({ gaps }) => gaps),
            healed: segment.start_offset
          })
        })
      ),
      Stream.fromEffect,
      Stream.drain,
      Stream.catchIf(SameLog.isReplaced, ({ reason }) => {
        replaced.push(reason)
        return Stream.empty
      })
    )
  }

  const advancesOf = (
    topic: PlannedTopic,
    partition: PlannedPartition,
    position: number,
    knownEpoch: number | undefined
  ) => {
    const place = { topic: topic.name, partition: partition.partition, from: position, until: partition.until }
    return read({ ...place, topicId: topic.topicId }).pipe(
      sameLog.followed(place, knownEpoch),
      Stream.interruptWhen(Deferred.await(options.stop)),
      Segments.cut(format, rules, progress, place),
      Stream.mapEffect(storeClosed(store, plan, attempt, progress, written, place), { concurrency: 2 }),
      Stream.tap((advance) => checkpoints.remember(advance)),
      // The others go on; this one is left unfinished, for the attempt that reads it again.
      Stream.catchIf(SameLog.isReplaced, ({ reason }) => {
        replaced.push(reason)
        return Stream.empty
      }),
      Stream.ensuring(Effect.sync(() => progress.partitionsDone++))
    )
  }

  const order = ReadingOrder.make(
    unfinished,
    ({ partition: { until }, position }) => until - position,
    options.openPartitions
  )
  yield* kafka.announce(
    order.waiting.map(({ partition: { partition, until }, position, topic }) => ({
      topic: topic.name,
      topicId: topic.topicId,
      partition,
      from: position,
      until
    }))
  )
  /** Made when its turn comes, and garbage after it: thousands of them would take 25 KB each. */
  const nextInTurn = Stream.suspend(() => {
    const turn = order.next()
    if (turn === undefined) return Stream.empty
    const { partition, position, topic } = turn.one
    const knownEpoch = RunState.leaderEpoch(RunState.of(state, topic.name, partition), partition)
    return advancesOf(topic, partition, position, knownEpoch).pipe(Stream.ensuring(Effect.sync(turn.ended)))
  })
  const all = [...toHeal.map((one) => Stream.suspend(() => healed(one))), ...unfinished.map(() => nextInTurn)]
  const reading = Stream.fromIterable(all).pipe(
    Stream.flatMap((one) => Stream.ensuring(one, Effect.sync(room.ended)), { concurrency: options.openPartitions }),
    Stream.runDrain
  )
  yield* Effect.raceFirst(reading, checkpoints.flushing(Duration.millis(interval / 4))).pipe(
    // A failing run records what is durable, too; if even that fails, the first failure is the one to report.
    Effect.tapError(() => Effect.ignore(checkpoints.flush))
  )
  yield* checkpoints.flush
  return {
    checkpoints: checkpoints.written(),
    replaced,
    givenUp: [...compacted.values()]
  } satisfies Ended as Ended
}, Effect.scoped)

/** How each of the damaged segments is written again: they differ where the settings of the resource were changed. */
const healingFormats = Effect.fnUntraced(function* (
  toHeal: ReadonlyArray<RunState.ToHeal>,
  base: ContentSettings | undefined,
  run: ContentSettings,
  options: ReadOptions
) {
  const nameOf = (settings: ContentSettings) =>
    `${formatOf(settings)} ${settings.compression} ${settings.compressionLevel}`
  const formats = new Map<string, SegmentFormat>()
  for (const { segment } of toHeal) {
    const settings = Healing.settingsOf(segment, base, run)
    if (!formats.has(nameOf(settings))) formats.set(nameOf(settings), yield* options.format(settings))
  }
  return (segment: RunState.ToHeal["segment"]) => formats.get(nameOf(Healing.settingsOf(segment, base, run)))!
})

/** Seals a closed segment and makes it durable; gives what may now be remembered. */
const storeClosed =
  (
    store: ObjectStoreShape,
    plan: RunPlan,
    attempt: number,
    progress: RunProgress,
    written: WrittenDigests,
    place: { readonly topic: string; readonly partition: number }
  ) =>
  (closed: Segments.ClosedSegment) =>
    Effect.gen(function* () {
      const readMillis = yield* Clock.currentTimeMillis
      const encoded = closed.writer === undefined ? undefined : yield* closed.writer.seal
      const segments: Array<DurableSegment> = []
      if (encoded !== undefined) {
        const key = BackupKeys.segment(
          plan.backupId,
          place.topic,
          place.partition,
          encoded.firstOffset,
          attempt,
          encoded.suffix
        )
        const digest = written.digest(encoded.pieces)
        const stored = yield* store.put(key, encoded.pieces, { role: "data" })
        written.written(key, digest, stored.fingerprint)
        // The store hashes what it sends or writes; a store that does not leaves it to us.
        const sha256 = stored.sha256 ?? encoded.sha256()
        encoded.release()
        segments.push(StoredSegment.of(encoded, { ...stored, sha256 }, yield* Clock.currentTimeMillis))
        progress.storedBytes += encoded.storedBytes
        progress.segments++
      }
      yield* closed.done
      const epoch = closed.leaderEpoch === undefined ? {} : { leaderEpoch: closed.leaderEpoch }
      return {
        ...place,
        position: closed.position,
        segments,
        gaps: closed.gaps,
        readMillis,
        ...epoch
      } satisfies PartitionAdvance
    })
