import type { RecordBatch } from "../kafka/batch/RecordBatch.ts"
import { batchBytes, hasNoHoles } from "../kafka/batch/ResealedBatch.ts"
import type { PlannedTopic, RestorePlan } from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import * as WantedConfigs from "./WantedConfigs.ts"

/*
 * A backup of format `batches` has the batches of the source as its brokers stored them. One whose records are restored
 * as they are is appended as it is: only its header is made anew, and nothing is inflated, neither here nor when it is
 * read back. All others are taken apart, and go the way of the records of any backup. Pure.
 */

/** Which batches of a topic are appended as they are stored. */
export interface Rules {
  /** Codec of the batches that the brokers keep as they are; absent: every codec. */
  readonly codec?: number
  /**
   * A smaller batch costs less together with others in one that is made anew, since each is a request of its own; so
   * does an uncompressed one of less than twice as many bytes, which has fewer records.
   */
  readonly leastBytes: number
  /** Limit of a batch in the topic. */
  readonly mostBytes: number
}

/** Number of a codec in a batch's attributes, by the name that it has as `compression.type`. */
const numbers: Readonly<Record<string, number>> = { uncompressed: 0, none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

/**
 * The rules for one topic; undefined where every record changes, or goes to a partition of its own choice. With another
 * `compression.type` than a batch has, brokers would compress it again, and reading it back would have to inflate it.
 */
export const rules = (
  { addedHeaders, originalHeaders }: Pick<RestorePlan, "addedHeaders" | "originalHeaders">,
  topic: PlannedTopic,
  { compression, configs }: Pick<RestoreRequest, "compression" | "configs">,
  leastBytes: number
): Rules | undefined => {
  if (originalHeaders !== undefined || addedHeaders.length > 0 || topic.sources !== undefined) return undefined
  // It has a configuration of its own. If that is another one, the comparison inflates what it reads back.
  const isOwn = topic.renumbered?.reason !== "appended"
  const valueOf = (name: string) => (isOwn ? WantedConfigs.valueOf(topic, configs, name) : undefined)
  const wanted = compression ?? valueOf("compression.type")
  const codec = wanted === undefined || wanted === "producer" ? undefined : numbers[wanted]
  const limit = Number(valueOf("max.message.bytes") ?? Number.NaN)
  return {
    ...(codec === undefined ? {} : { codec }),
    leastBytes,
    mostBytes: Number.isSafeInteger(limit) ? limit : Number.MAX_SAFE_INTEGER
  }
}

/** Whether a broker of the topic takes the batch from a producer and keeps its records section. */
export const fits = ({ codec, leastBytes, mostBytes }: Rules, batch: RecordBatch): boolean => {
  const bytes = batchBytes(batch)
  return (
    bytes >= (batch.codec === 0 ? 2 * leastBytes : leastBytes) &&
    bytes <= mostBytes &&
    hasNoHoles(batch) &&
    // Producers set no time for the broker: such a batch is refused, and its records have none of their own.
    !batch.logAppendTime &&
    (codec === undefined || batch.codec === codec)
  )
}
