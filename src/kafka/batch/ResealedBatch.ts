import { crc32c } from "@node-rs/crc32"
import { BatchAttribute, BatchHeader } from "./BatchHeader.ts"
import { recordsSection } from "./Decompression.ts"
import { headerBytes, type RecordBatch } from "./RecordBatch.ts"
import type { ProducerPosition } from "./SealedBatch.ts"

/** Whether its records have every offset from the first to the last: brokers take no other batch from a producer. */
export const hasNoHoles = ({ baseOffset, lastOffset, recordCount }: RecordBatch): boolean =>
  recordCount === lastOffset - baseOffset + 1

/** Length of the whole batch. */
export const batchBytes = ({ end, start }: RecordBatch): number => end - start

/**
 * A batch that a broker has stored, as another producer's Produce request carries it, in pieces that follow each other:
 * a new header and the records section as it is, a view. The header keeps the codec, both timestamps and the record
 * count. Base offset and leader epoch are those that brokers ask for; producer, epoch and sequence are the given ones.
 * The batch is part of no transaction, and loses the mark of a cleaner that its base timestamp is a delete horizon
 * (KIP-534): records count their timestamps from that field all the same.
 *
 * For batches with `hasNoHoles` and without `logAppendTime`: brokers refuse others.
 */
export const resealBatch = (batch: RecordBatch, producer: ProducerPosition): ReadonlyArray<Buffer> => {
  const section = recordsSection(batch)
  const header = Buffer.allocUnsafe(headerBytes)
  batch.bytes.copy(header, 0, batch.start, batch.recordsStart)
  header.fill(0, BatchHeader.baseOffset, BatchHeader.length)
  header.writeInt32BE(-1, BatchHeader.leaderEpoch)
  header.writeInt16BE(batch.codec & BatchAttribute.codecMask, BatchHeader.attributes)
  header.writeInt32BE(Math.floor(producer.producerId / 0x1_0000_0000), BatchHeader.producerId)
  header.writeInt32BE(producer.producerId | 0, BatchHeader.producerId + 4)
  header.writeInt16BE(producer.producerEpoch, BatchHeader.producerEpoch)
  header.writeInt32BE(producer.baseSequence, BatchHeader.baseSequence)
  header.writeUInt32BE(crc32c(section, crc32c(header.subarray(BatchHeader.attributes))), BatchHeader.crc)
  return [header, section]
}
