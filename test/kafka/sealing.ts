import { headerBytes } from "../../src/kafka/batch/RecordBatch.ts"
import { encodeBatch } from "../../src/kafka/batch/RecordBatchEncoding.ts"
import { type ProducerPosition, sealBatch } from "../../src/kafka/batch/SealedBatch.ts"
import type { ContractRecord } from "../contract/kafkaSource.ts"

/** Codecs of produced batches, and their numbers in the attributes. */
export const codecs = { none: 0, gzip: 1, lz4: 3, zstd: 4 } as const

export type SealedCodec = keyof typeof codecs

const int64 = (value: number) => ({ high: Math.floor(value / 2 ** 32), low: value | 0 })

const bytesOf = (text: string | null) => (text === null ? null : Buffer.from(text))

/** The records as one sealed batch in two pieces, its header and its section. `deltas` are their inner offsets. */
export const sealed = (
  records: ReadonlyArray<ContractRecord>,
  producer?: ProducerPosition,
  codec: SealedCodec = "none",
  deltas: ReadonlyArray<number> = records.map((_, i) => i)
): ReadonlyArray<Buffer> => {
  const timestamps = records.map(({ timestamp }) => timestamp)
  const encoded = encodeBatch({
    baseOffset: 0,
    codec,
    records: records.map(({ headers = [], key, timestamp, value }, i) => ({
      offset: deltas[i]!,
      key: bytesOf(key),
      value: bytesOf(value),
      headers: headers.map(([name, each]) => [Buffer.from(name), bytesOf(each)] as const),
      timestamp
    }))
  })
  const unsealed = {
    bytes: Buffer.alloc(headerBytes),
    recordCount: records.length,
    firstOffset: 0,
    lastOffset: records.length - 1,
    baseTimestamp: int64(timestamps[0]!),
    maxTimestamp: int64(Math.max(...timestamps))
  }
  return sealBatch(unsealed, codecs[codec], encoded.subarray(headerBytes), producer)
}
