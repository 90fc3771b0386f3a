import { Effect, Schema } from "effect"
import { headerBytes } from "../kafka/batch/RecordBatch.ts"
import { ErrorCode } from "../kafka/ErrorCode.ts"
import { BatchRefused, KafkaError } from "../kafka/KafkaError.ts"
import type { KafkaSourceShape, TopicPartition } from "../kafka/KafkaSource.ts"
import type * as AsStored from "./AsStored.ts"
import type { Codec } from "./Compression.ts"
import type { PlannedTopic } from "./RestorePlan.ts"

/*
 * From a batch on that is larger than the broker allows, batches are half as long, down to one record, and then
 * compressed with zstd: with another codec a record may be larger than it was in the source. What is refused then needs
 * a higher limit, which only a person can give. It stays so for the rest of a partition: what follows is much the same,
 * and each refusal costs another look at the log.
 */

/** A batch with one record is larger than the record in a segment by no more, with headers that a restore adds. */
const overheadBytes = 300

/**
 * Bytes of a batch with a record of that length. What does not compress is never sent longer than it is, but a broker
 * whose topic has a `compression.type` compresses it all the same, and no frame is longer by more than a 256th. Source:
 * ZSTD_COMPRESSBOUND of zstd.h; LZ4_COMPRESSBOUND of lz4.h is a 255th, but an LZ4 frame stores such blocks plain.
 */
const batchOf = (recordBytes: number): number => recordBytes + overheadBytes + Math.ceil(recordBytes / 256)

/**
 * Bytes of a batch that the largest record needs, even where it does not compress. Where the backup does not say how
 * large it is, the least that it needs: some record is as large as the mean of its segment. Pure.
 */
export const knownBytes = ({ largestRecordBytes = 0, partitions, sources }: PlannedTopic): number => {
  const record = (sources ?? partitions)
    .flatMap(({ segments }) => segments)
    .filter(({ record_count }) => record_count > 0)
    .reduce(
      (most, { record_count, uncompressed_size = 0 }) => Math.max(most, Math.ceil(uncompressed_size / record_count)),
      largestRecordBytes
    )
  return record === 0 ? 0 : batchOf(record)
}

/** The broker refuses a batch for its size. */
export class TooLarge extends Schema.TaggedError<TooLarge>()("TooLarge", {
  reason: BatchRefused,
  firstOffset: Schema.Int,
  lastOffset: Schema.Int,
  /** Of the whole batch, as it was sent. */
  bytes: Schema.Int,
  /** It was one of the backup. */
  isAsStored: Schema.Boolean
}) {}

/** How batches are made. */
export interface Making {
  readonly codec: Codec
  /** Most bytes of a batch before compression. A record that is longer has a batch of its own. */
  readonly batchBytes: number
  /** Absent: no batch is appended as the backup has it. */
  readonly asStored?: AsStored.Rules
}

/** No record fits beside another one. */
const smallestBatchBytes = headerBytes

/** How batches are made after one that was made so was refused; undefined where none is smaller. Pure. */
export const smaller = (
  { batchBytes, codec, asStored: rules }: Making,
  { bytes, firstOffset, isAsStored, lastOffset, reason }: TooLarge
): Making | undefined => {
  // Its records are looked at by themselves from now on.
  if (isAsStored && !isForSize(reason)) return { codec, batchBytes }
  const asStored =
    rules === undefined ? {} : { asStored: { ...rules, mostBytes: Math.min(rules.mostBytes, bytes - 1) } }
  if (isAsStored) return { codec, batchBytes, ...asStored }
  return firstOffset < lastOffset && batchBytes > smallestBatchBytes
    ? { codec, batchBytes: Math.max(smallestBatchBytes, Math.floor(batchBytes / 2)), ...asStored }
    : codec === "zstd"
      ? undefined
      : { codec: "zstd", batchBytes, ...asStored }
}

/**
 * The reason of a refusal for size, if it is one. A batch of the backup may be refused for something else that a batch
 * of its records would not be: its codec, for one.
 */
export const reasonOf = ({ reason }: KafkaError, isAsStored: boolean): BatchRefused | undefined =>
  reason._tag === "BatchRefused" && (isAsStored || isForSize(reason)) ? reason : undefined

const isForSize = ({ code }: BatchRefused): boolean =>
  code === ErrorCode.messageTooLarge || code === ErrorCode.recordListTooLarge

/** What is left to say of a record that is too large by itself: its place, its size, the limit and the remedy. */
export const refusal = Effect.fnUntraced(function* (
  source: KafkaSourceShape,
  { partition, topic }: TopicPartition,
  { bytes, firstOffset, reason }: TooLarge
) {
  const [name, what] =
    reason.code === ErrorCode.messageTooLarge
      ? (["max.message.bytes", "the limit of a batch"] as const)
      : (["segment.bytes", "the length of a segment"] as const)
  const configs = yield* Effect.orElseSucceed(source.topicConfigs([topic]), () => new Map())
  const limit: string | undefined = configs.get(topic)?.[name]
  const detail = `the record at offset ${firstOffset} has ${bytes} bytes in a batch of its own, compressed with zstd where that makes it smaller, and ${what} is ${limit ?? "that of the brokers"} (${name})`
  const advice = `set ${name} of topic ${topic} to at least ${bytes} with kafka-configs, then continue the restore`
  return new KafkaError({
    operation: "produce",
    reason: new BatchRefused({ topic, partition, code: reason.code, detail, advice })
  })
})
