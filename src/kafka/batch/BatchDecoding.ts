import { crc32c } from "@node-rs/crc32"
import { crc32 } from "node:zlib"
import { abortedTransactions, type AbortedTransaction } from "./AbortedTransactions.ts"
import { BatchAttribute, BatchHeader, ControlType, readInt64 } from "./BatchHeader.ts"
import { batchAt, headerBytes, type RecordBatch } from "./RecordBatch.ts"

/** One answer's record set and what we wanted of it. */
export interface RecordSet {
  readonly records: Buffer
  /** First offset wanted. */
  readonly from: number
  /** First offset not wanted. */
  readonly until: number
  /** Ceiling that the fetch asked for, in bytes: a batch may be cut because of it. */
  readonly maxBytes: number
  /** As the answer says; -1 when it does not. Nothing at or beyond it is ever served. */
  readonly highWatermark: number
  readonly aborted: ReadonlyArray<AbortedTransaction>
}

/** Why the walk ended before the end of the set. */
export type BatchProblem =
  | { readonly _tag: "Corrupt"; readonly offset: number; readonly detail: string }
  | { readonly _tag: "Unsupported"; readonly offset: number; readonly detail: string; readonly advice: string }
  /** The first batch is longer than the fetch allowed and arrived cut; `neededBytes` would hold it. */
  | { readonly _tag: "CutShort"; readonly neededBytes: number }

export interface DecodedBatches {
  /** Validated, in offset order, each with at least one record slot in `[from, until)`. */
  readonly batches: ReadonlyArray<RecordBatch>
  /** Between `from` and `until`, both inclusive: all below was decoded or is known not to exist. */
  readonly position: number
  /** Of the last batch that the position was moved by, delivered or not; absent without one, or where it has none. */
  readonly leaderEpoch?: number
  /** Present when the set holds something that is not usable. What precedes it is in `batches`. */
  readonly problem?: BatchProblem
}

/** Largest batch that we believe in. A broker's limit is `max.message.bytes`, 1 MiB by default, 2 GiB at most. */
const maxBatchBytes = 256 * 1024 * 1024

const minimumLength = headerBytes - BatchHeader.prefixBytes
const smallestPrefix = BatchHeader.magic + 1

/**
 * Walks a record set. Pure. Every batch's checksum is verified before a field of it is trusted; the base offset, which
 * no checksum covers, must follow its predecessor's and lie below the high watermark. Control batches, batches of
 * aborted transactions and batches emptied by compaction are never delivered; they only move the position. A cut batch
 * at the end is normal when something precedes it.
 */
export const decodeBatches = (set: RecordSet): DecodedBatches => {
  const { records, until } = set
  const batches: Array<RecordBatch> = []
  const aborted = abortedTransactions(set.aborted)
  let position = set.from
  let previousLast = -1
  let skippedBelow = false
  let leaderEpoch = -1

  const epoch = () => (leaderEpoch < 0 ? {} : { leaderEpoch })
  const stop = (problem: BatchProblem): DecodedBatches => ({ batches, position, ...epoch(), problem })
  // Disorder says that some base offset in this set is wrong, but not which: nothing of the set is believed.
  const distrust = (offset: number, detail: string): DecodedBatches => ({
    batches: [],
    position: set.from,
    problem: { _tag: "Corrupt", offset, detail }
  })

  for (let start = 0; start < records.length;) {
    const step = frameAt(set, start, position, previousLast !== -1)
    if (step._tag === "End") break
    if (step._tag === "Problem") return stop(step.problem)
    const end = step.end

    const batch = batchAt(records, start, end)
    const { baseOffset, codec, lastOffset, recordCount } = batch
    const attributes = records.readInt16BE(start + BatchHeader.attributes)
    const offsets = lastOffset - baseOffset + 1
    if (baseOffset < 0) return stop(corrupt(position, `a batch claims the offset ${baseOffset}`))
    if (!Number.isSafeInteger(lastOffset)) {
      return stop(
        unsupported(position, "an offset beyond 2^53 - 1", "such a partition cannot be backed up; exclude the topic")
      )
    }
    if (offsets < 1 || recordCount < 0 || recordCount > offsets) {
      return stop(corrupt(baseOffset, `a batch of ${recordCount} records spans ${offsets} offsets`))
    }
    if (baseOffset <= previousLast) {
      return distrust(position, `a batch at offset ${baseOffset} follows one that ends at ${previousLast}`)
    }
    if (set.highWatermark >= 0 && lastOffset >= set.highWatermark) {
      return stop(
        corrupt(position, `a batch ends at offset ${lastOffset}, beyond the high watermark ${set.highWatermark}`)
      )
    }
    if (skippedBelow && baseOffset > set.from && position === set.from && baseOffset !== previousLast + 1) {
      return distrust(position, `the answer jumps from offset ${previousLast} to ${baseOffset}`)
    }
    previousLast = lastOffset

    const producerId = readInt64(records, start + BatchHeader.producerId)
    const inAborted = aborted.covers(producerId, lastOffset)
    if ((attributes & BatchAttribute.control) !== 0) {
      const type = recordCount === 0 ? ControlType.commit : controlType(records, start + headerBytes, end)
      if (type === undefined) return stop(corrupt(baseOffset, "a control batch holds no control record"))
      if (type === ControlType.abort) aborted.end(producerId)
    } else if (lastOffset < position) {
      skippedBelow = true
    } else if (baseOffset >= until) {
      return { batches, position: until, ...epoch() }
    } else if (recordCount > 0 && !(inAborted && (attributes & BatchAttribute.transactional) !== 0)) {
      if (codec > 4)
        return stop(
          unsupported(baseOffset, `compression codec ${codec}`, "exclude the topic, or ask for support of this codec")
        )
      batches.push(batch)
    }
    if (lastOffset >= position) leaderEpoch = records.readInt32BE(start + BatchHeader.leaderEpoch)
    position = Math.min(until, Math.max(position, lastOffset + 1))
    if (position >= until) break
    start = end
  }
  return { batches, position, ...epoch() }
}

type Frame =
  | { readonly _tag: "Whole"; readonly end: number }
  | { readonly _tag: "End" }
  | { readonly _tag: "Problem"; readonly problem: BatchProblem }

/** Finds the end of the batch at `start` and checks length, format and checksum. */
const frameAt = (set: RecordSet, start: number, position: number, somethingPrecedes: boolean): Frame => {
  const { records } = set
  const left = records.length - start
  const cutAtEnd = (neededBytes: number): Frame => {
    if (somethingPrecedes) return { _tag: "End" }
    if (neededBytes > set.maxBytes || left >= set.maxBytes)
      return { _tag: "Problem", problem: { _tag: "CutShort", neededBytes } }
    return {
      _tag: "Problem",
      problem: corrupt(position, `the answer ends inside its first batch, after ${left} bytes`)
    }
  }
  if (left < smallestPrefix) return cutAtEnd(smallestPrefix)
  const length = records.readInt32BE(start + BatchHeader.length)
  const magic = records[start + BatchHeader.magic]!
  if (magic < 2) return legacy(set, start, length, position)
  if (length < minimumLength || length > maxBatchBytes) {
    return { _tag: "Problem", problem: corrupt(position, `a batch claims a length of ${length} bytes`) }
  }
  const end = start + BatchHeader.prefixBytes + length
  if (end > records.length) return cutAtEnd(BatchHeader.prefixBytes + length)
  if (magic !== 2) return { _tag: "Problem", problem: corrupt(position, `a batch of unknown format ${magic}`) }
  const expected = records.readUInt32BE(start + BatchHeader.crc)
  if (crc32c(records.subarray(start + BatchHeader.attributes, end)) !== expected) {
    return { _tag: "Problem", problem: corrupt(position, "a batch's checksum (CRC32C) does not match its bytes") }
  }
  return { _tag: "Whole", end }
}

/** A message of format v0 or v1 if its own checksum says so; otherwise a damaged format byte. */
const legacy = (set: RecordSet, start: number, length: number, position: number): Frame => {
  const { records } = set
  const end = start + BatchHeader.prefixBytes + length
  const crcAt = start + BatchHeader.prefixBytes
  const whole = length >= 14 && end <= records.length
  if (whole && crc32(records.subarray(crcAt + 4, end)) === records.readUInt32BE(crcAt)) {
    const advice = "rewrite the topic with a client of Kafka 0.11 or newer, or exclude it"
    const detail = `message format v${records[start + BatchHeader.magic]} (before Kafka 0.11) is not read`
    return { _tag: "Problem", problem: unsupported(position, detail, advice) }
  }
  return { _tag: "Problem", problem: corrupt(position, "a batch of a format before Kafka 0.11 that is cut or damaged") }
}

/** The type of the one record of a control batch: key = int16 version, int16 type. Never compressed. */
const controlType = (records: Buffer, start: number, end: number): number | undefined => {
  let at = start
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) return Number.NaN
      const byte = records[at++]!
      if (shift < 35) value |= (byte & 127) << shift
      if (byte < 128) return (value >>> 1) ^ -(value & 1)
    }
    return Number.NaN
  }
  varint() // length of the record
  at += 1 // attributes
  varint() // timestamp delta; may be a long, its value does not matter
  varint() // offset delta
  const keyBytes = varint()
  return keyBytes >= 4 && at + keyBytes <= end ? records.readInt16BE(at + 2) : undefined
}

const corrupt = (offset: number, detail: string): BatchProblem => ({ _tag: "Corrupt", offset, detail })
const unsupported = (offset: number, detail: string, advice: string): BatchProblem => ({
  _tag: "Unsupported",
  offset,
  detail,
  advice
})
