import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import { copyBytes } from "./copyBytes.ts"
import { maxUint16 } from "./limits.ts"
import type { OffsetHeaders } from "./OffsetHeaders.ts"
import { TimestampRange } from "./TimestampRange.ts"
import { cursor, longHigh, Malformed, readLong, readMore } from "./varint.ts"

/**
 * A record of Kafka without key, value and headers: attributes and five one-byte integers. Its length field excluded.
 */
const shortestRecord = 6

/** Thrown by `run`: a good record that the format cannot hold. */
export class NotRepresentable extends Error {
  readonly offset: number
  constructor(offset: number, detail: string) {
    super(detail)
    this.offset = offset
  }
}

const noBytes = Buffer.alloc(0)
const noView = new DataView(new ArrayBuffer(0))

const malformed = (record: number, detail: string): never => {
  throw new Malformed(`record ${record} of the batch ${detail}`)
}

/**
 * Why a run ended: the batch is done; the target is full, set one with room for `needed` bytes; or the source ends
 * inside of a record, set one that begins there and has `neededSource` bytes.
 */
export type Stop = "done" | "target" | "source"

/** Longest length field of a record, in bytes. */
const maxLengthBytes = 5

/**
 * Turns the records section of Kafka batches (after decompression) into the record stream of a segment, without an
 * object per record: 64-bit numbers travel as two 32-bit halves. Set a target and a batch, then `run` until it is done.
 * The section comes whole, or in pieces: `setBatch` with the first one, `setSource` with each that follows.
 */
export class Transcoder {
  readonly #extra: OffsetHeaders

  #source: Buffer = noBytes
  #sourceView: DataView = noView
  #at = 0
  #end = 0
  #isLastSource = true
  #record = 0
  #recordCount = 0
  #baseOffset = 0
  #lastDelta = 0
  #fromDelta = 0
  #untilDelta = 0
  #previousDelta = -1
  #logAppendTime = false
  #timestampLow = 0
  #timestampHigh = 0

  #target: Buffer = noBytes
  #targetView: DataView = noView

  /** Bytes of the target that are filled. */
  filled = 0
  /** After `run` stopped for a target: no more than this many free bytes are needed to go on. */
  needed = 0
  /** After `run` stopped for a source: at least this many bytes of it, from `sourceAt` on, are needed to go on. */
  neededSource = 0
  /** Records written since the transcoder was made. */
  recordCount = 0
  payloadBytes = 0
  /** Of the largest record written, in the record stream. */
  largestRecordBytes = 0
  /** Of the records written; −1 before the first. */
  firstOffset = -1
  lastOffset = -1
  readonly timestamps = new TimestampRange()

  constructor(extra: OffsetHeaders) {
    this.#extra = extra
  }

  /** Where the next records go; the caller keeps what was filled before. */
  setTarget(target: Buffer): void {
    this.#target = target
    this.#targetView = new DataView(target.buffer, target.byteOffset, target.length)
    this.filled = 0
  }

  /** Where in the source the next record begins. */
  get sourceAt(): number {
    return this.#at
  }

  /** Records of the batch that were passed, whether they were wanted or not. */
  get passed(): number {
    return this.#record
  }

  /** The uncompressed records between `start` and `end`. Only the last source of a batch ends with a whole record. */
  setSource(records: Buffer, start: number, end: number, isLast: boolean): void {
    if (start < 0 || start > end || end > records.length) throw new Malformed("it ends before its last record")
    this.#source = records
    this.#sourceView = new DataView(records.buffer, records.byteOffset, records.length)
    this.#at = start
    this.#end = end
    this.#isLastSource = isLast
  }

  /** The next batch, of which the records with `from <= offset < until` are wanted. Needs a source. */
  setBatch(batch: RecordBatch, from: number, until: number): void {
    this.#record = 0
    this.#recordCount = batch.recordCount
    this.#baseOffset = batch.baseOffset
    this.#lastDelta = batch.lastOffset - batch.baseOffset
    this.#fromDelta = Math.max(0, from - batch.baseOffset)
    this.#untilDelta = Math.max(0, Math.min(this.#lastDelta + 1, until - batch.baseOffset))
    this.#previousDelta = Math.max(-1, this.lastOffset - batch.baseOffset)
    this.#logAppendTime = batch.logAppendTime
    // Big-endian in the batch: base timestamp at 27, largest timestamp at 35.
    const timestampAt = batch.start + (batch.logAppendTime ? 35 : 27)
    this.#timestampHigh = batch.bytes.readInt32BE(timestampAt)
    this.#timestampLow = batch.bytes.readInt32BE(timestampAt + 4)
  }

  /**
   * Transcodes for as long as it can. Throws `Malformed` and `NotRepresentable`; the target then holds part of a record
   * and is of no use.
   */
  run(): Stop {
    const source = this.#source
    const sourceView = this.#sourceView
    const target = this.#target
    const view = this.#targetView
    const capacity = target.length
    const end = this.#end
    const recordCount = this.#recordCount
    const lastDelta = this.#lastDelta
    const fromDelta = this.#fromDelta
    const untilDelta = this.#untilDelta
    const logAppendTime = this.#logAppendTime
    const baseLow = this.#timestampLow
    const baseHigh = this.#timestampHigh
    const offsetLow = this.#baseOffset | 0
    const offsetHigh = Math.floor(this.#baseOffset / 0x1_0000_0000)
    const range = this.timestamps
    const extraCount = this.#extra.count
    const extraBytes = this.#extra.template.length
    let previous = this.#previousDelta
    let largest = this.largestRecordBytes
    let written = 0
    let payload = 0
    let at = this.#at
    let out = this.filled
    let record = this.#record
    let stop: Stop = "done"

    for (; record < recordCount; record++) {
      const recordStart = at
      let length = source[at++]!
      if (length > 127) {
        length = readMore(source, at, length)
        at = cursor
      }
      length = (length >>> 1) ^ -(length & 1)
      const recordEnd = at + length
      if (length < shortestRecord || recordEnd > end) {
        const isCut = recordEnd > end || recordStart + maxLengthBytes > end
        if (this.#isLastSource || !isCut) malformed(record, `has the invalid length ${length}`)
        this.neededSource = Math.max(recordEnd - recordStart, maxLengthBytes)
        at = recordStart
        stop = "source"
        break
      }
      at++ // attributes: no bit is defined

      let low = source[at++]!
      let high = 0
      if (low > 127) {
        low = readLong(source, at - 1)
        high = longHigh
        at = cursor
      } else {
        low = (low >>> 1) ^ -(low & 1)
        high = low >> 31
      }
      let delta = source[at++]!
      if (delta > 127) {
        delta = readMore(source, at, delta)
        at = cursor
      }
      delta = (delta >>> 1) ^ -(delta & 1)
      if (delta < 0 || delta > lastDelta) malformed(record, `has offset delta ${delta}, outside the batch`)
      if (delta < fromDelta || delta >= untilDelta) {
        at = recordEnd
        continue
      }
      if (delta <= previous) malformed(record, `has offset delta ${delta}, not above the record before it`)
      // Kafka spends at least 6 bytes of `length` on what takes 30 here; headers are counted below.
      if (out + length + 24 + extraBytes > capacity) {
        this.needed = length + 24 + extraBytes
        at = recordStart
        stop = "target"
        break
      }
      if (logAppendTime) {
        low = baseLow
        high = baseHigh
      } else {
        const sum = (low >>> 0) + (baseLow >>> 0)
        high = (high + baseHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0
        low = sum | 0
      }
      const recordOut = out
      view.setInt32(out + 4, low, true)
      view.setInt32(out + 8, high, true)
      const offsetSum = (offsetLow >>> 0) + delta
      view.setInt32(out + 12, offsetSum | 0, true)
      view.setInt32(out + 16, offsetHigh + (offsetSum > 0xffff_ffff ? 1 : 0), true)

      let size = source[at++]!
      if (size > 127) {
        size = readMore(source, at, size)
        at = cursor
      }
      size = (size >>> 1) ^ -(size & 1)
      if (size < -1 || at > recordEnd || at + size > recordEnd)
        malformed(record, `has key length ${size} and exceeds the record`)
      view.setInt32(out + 20, size, true)
      out += 24
      if (size > 0) {
        copyBytes(source, sourceView, at, target, view, out, size)
        at += size
        out += size
        payload += size
      }

      size = source[at++]!
      if (size > 127) {
        size = readMore(source, at, size)
        at = cursor
      }
      size = (size >>> 1) ^ -(size & 1)
      if (size < -1 || at > recordEnd || at + size > recordEnd)
        malformed(record, `has value length ${size} and exceeds the record`)
      view.setInt32(out, size, true)
      out += 4
      if (size > 0) {
        copyBytes(source, sourceView, at, target, view, out, size)
        at += size
        out += size
        payload += size
      }

      let headers = source[at++]!
      if (headers > 127) {
        headers = readMore(source, at, headers)
        at = cursor
      }
      headers = (headers >>> 1) ^ -(headers & 1)
      if (at > recordEnd) malformed(record, "has a length that does not match its content")
      if (headers !== 0) {
        // A header takes at least 2 bytes in Kafka and 6 here.
        if (headers < 0 || headers > (recordEnd - at) >> 1)
          malformed(record, `has an impossible header count, ${headers}`)
        if (out + 2 + (recordEnd - at) + 4 * headers + extraBytes > capacity) {
          this.needed = Math.max(length + 24, out - recordOut + 2 + (recordEnd - at) + 4 * headers) + extraBytes
          payload -= Math.max(0, view.getInt32(recordOut + 20, true)) + Math.max(0, size)
          out = recordOut
          at = recordStart
          stop = "target"
          break
        }
      }
      if (headers + extraCount > maxUint16) this.#refuse(delta, `has ${headers} headers`)
      view.setUint16(out, headers + extraCount, true)
      out += 2
      if (headers !== 0) {
        out = this.#copyHeaders(at, recordEnd, out, headers, record, delta)
        at = this.#at
      }
      if (at !== recordEnd) malformed(record, "has a length that does not match its content")
      if (extraCount !== 0) {
        const { template, offsetAt, timestampAt } = this.#extra
        template.copy(target, out)
        view.setInt32(out + offsetAt, view.getInt32(recordOut + 12, true), true)
        view.setInt32(out + offsetAt + 4, view.getInt32(recordOut + 16, true), true)
        view.setInt32(out + timestampAt, low, true)
        view.setInt32(out + timestampAt + 4, high, true)
        out += extraBytes
      }
      view.setInt32(recordOut, out - recordOut - 4, true)
      if (out - recordOut > largest) largest = out - recordOut
      range.add(high, low)
      if (this.firstOffset < 0) this.firstOffset = this.#baseOffset + delta
      previous = delta
      written++
    }

    this.#at = at
    this.#record = record
    this.#previousDelta = previous
    this.filled = out
    this.recordCount += written
    this.payloadBytes += payload
    this.largestRecordBytes = largest
    if (written > 0) this.lastOffset = this.#baseOffset + previous
    if (stop !== "done") return stop
    // A decompressed batch may be large: it is not kept until the next one comes.
    this.#source = noBytes
    this.#sourceView = noView
    if (at !== end) throw new Malformed(`${end - at} bytes follow its ${record} records`)
    return "done"
  }

  /** Returns where the output ends; leaves where the input ends in `#at`. There is room: `run` has looked. */
  #copyHeaders(from: number, recordEnd: number, to: number, count: number, record: number, delta: number): number {
    const source = this.#source
    const sourceView = this.#sourceView
    const target = this.#target
    const view = this.#targetView
    let at = from
    let out = to
    for (let i = 0; i < count; i++) {
      let size = source[at++]!
      if (size > 127) {
        size = readMore(source, at, size)
        at = cursor
      }
      size = (size >>> 1) ^ -(size & 1)
      if (size < 0 || at + size > recordEnd)
        malformed(record, `has a header key of length ${size} and exceeds the record`)
      if (size > maxUint16) this.#refuse(delta, `has a header key of ${size} bytes`)
      view.setUint16(out, size, true)
      out += 2
      copyBytes(source, sourceView, at, target, view, out, size)
      at += size
      out += size

      size = source[at++]!
      if (size > 127) {
        size = readMore(source, at, size)
        at = cursor
      }
      size = (size >>> 1) ^ -(size & 1)
      if (size < -1 || at > recordEnd || at + size > recordEnd)
        malformed(record, `has a header value of length ${size} and exceeds the record`)
      view.setInt32(out, size, true)
      out += 4
      if (size > 0) {
        copyBytes(source, sourceView, at, target, view, out, size)
        at += size
        out += size
      }
    }
    this.#at = at
    return out
  }

  #refuse(delta: number, what: string): never {
    const added = this.#extra.count === 0 ? "" : `, and ${this.#extra.count} offset headers are to be added`
    throw new NotRepresentable(
      this.#baseOffset + delta,
      `${what}${added}; a segment holds at most ${maxUint16} headers with keys of at most ${maxUint16} bytes`
    )
  }
}
