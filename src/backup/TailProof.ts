import { createHash } from "node:crypto"
import { Effect, Stream } from "effect"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import type { ManifestSegment } from "../manifest/Manifest.ts"
import * as Formats from "../segment/Formats.ts"
import { lengthOf, offsetOf } from "../segment/records/recordFields.ts"
import { RecordEditor } from "../segment/records/RecordEditor.ts"
import * as RecordStreaming from "../segment/records/RecordStreaming.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"

/*
 * Backups of before leader epochs were kept cannot prove by them that a log is still the same. Their last records are
 * read from Kafka once more instead and compared: where a leader that was elected uncleanly had replaced records below
 * the end, those at the end would be others.
 */

/** The end of one partition of a backup. */
export interface Tail {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  /** The last segment; its end is still in the log. */
  readonly segment: ManifestSegment
  /** First offset that Kafka still has. */
  readonly logStart: number
  /** First offset behind the backup. */
  readonly until: number
  /** Headers that the backup added to each record. */
  readonly addedHeaders: ReadonlyArray<string>
}

export interface Compared {
  readonly isEqual: boolean
  /** Epoch of the leader that wrote the last batch below the end, for the next time. */
  readonly leaderEpoch?: number
}

/** How many records are compared at most, and about how many bytes of them. */
const mostRecords = 1000
const mostBytes = 1024 * 1024

/** First offset that is compared. */
const startOf = ({ logStart, segment }: Tail): number => {
  const recordBytes = (segment.uncompressed_size ?? mostBytes) / Math.max(1, segment.record_count)
  const records = Math.max(1, Math.min(mostRecords, Math.floor(mostBytes / Math.max(1, recordBytes))))
  return Math.max(logStart, segment.start_offset, segment.end_offset - records + 1)
}

/** A digest of each record, by offset. */
class Digests {
  readonly byOffset = new Map<number, string>()
  add(run: Buffer): void {
    for (let at = 0; at < run.length;) {
      const length = lengthOf(run, at)
      const digest = createHash("sha256")
        .update(run.subarray(at, at + length))
        .digest("base64")
      this.byOffset.set(offsetOf(run, at), digest)
      at += length
    }
  }
}

/** True if the live records are all stored ones, the last one among them; without compaction, all of them. */
const isSame = (stored: Digests["byOffset"], live: Digests["byOffset"], last: number, isCompacted: boolean): boolean =>
  live.has(last) &&
  (isCompacted || live.size === stored.size) &&
  [...live].every(([offset, digest]) => stored.get(offset) === digest)

/** Compares the last records of a partition of a backup with those in Kafka. Fails as the store and the source do. */
export const compare = Effect.fn("TailProof.compare")(function* (
  kafka: KafkaSourceShape,
  store: ObjectStoreShape,
  tail: Tail,
  isCompacted: boolean
) {
  const { addedHeaders, partition, segment, topic, topicId, until } = tail
  const from = startOf(tail)
  const stored = new Digests()
  const editor = new RecordEditor({ from, until, addedHeaders })
  yield* Formats.reader
    .runs(segment, store.read(ObjectKey.make(segment.key)))
    .pipe(Stream.runForEach((run) => Effect.sync(() => stored.add(editor.push(run)))))
  const live = new Digests()
  const streamer = RecordStreaming.make(topic, partition)
  let leaderEpoch: number | undefined
  yield* kafka.read({ topic, topicId, partition, from, until }).pipe(
    Stream.runForEach((fetched) =>
      Effect.ensuring(
        streamer.forEachRun(fetched.batches, from, until, (run) => live.add(run)),
        Effect.sync(() => {
          leaderEpoch = fetched.leaderEpoch ?? leaderEpoch
          fetched.release()
        })
      )
    )
  )
  const isEqual = isSame(stored.byOffset, live.byOffset, segment.end_offset, isCompacted)
  return { isEqual, ...(leaderEpoch === undefined ? {} : { leaderEpoch }) } satisfies Compared as Compared
})
