import { headerBytes } from "../../kafka/batch/RecordBatch.ts"
import type { UnsealedBatch } from "../../kafka/batch/SealedBatch.ts"
import { copyBytes } from "./copyBytes.ts"
import { longBytes, signedBytes, writeLong, writeSigned } from "./varint.ts"

/** Why `push` stopped before the end of the records: a broker takes only batches whose offsets are consecutive. */
export type Stop = "full" | "hole"

/**
 * Turns the record stream of a segment into record batches of message format v2, without an object per record: the
 * inverse of `Transcoder`. Push runs of whole, scanned records; when `push` stops before their end, or after the last
 * run, `take` the batch and push the rest.
 */
export class RecordBatcher {
  readonly #targetBytes: number
  #target: Buffer
  #view: DataView
  #out = headerBytes
  #count = 0
  #firstOffset = -1
  #lastOffset = -1
  #baseHigh = 0
  #baseLow = 0
  #maxHigh = 0
  #maxLow = 0

  /** Why the last `push` stopped; undefined when it took everything. */
  stop: Stop | undefined

  /**
   * `targetBytes`: most bytes of a batch before compression, its header included. A record that is larger has a batch
   * of its own.
   */
  constructor(targetBytes: number) {
    this.#targetBytes = targetBytes
    this.#target = Buffer.allocUnsafeSlow(targetBytes)
    this.#view = viewOf(this.#target)
  }

  /** Records of the batch so far. */
  get recordCount(): number {
    return this.#count
  }

  /** Takes records from `at` on. Returns where it stopped. */
  push(records: Buffer, at: number): number {
    const source = viewOf(records)
    this.stop = undefined
    while (at < records.length) {
      const end = at + 4 + source.getUint32(at, true)
      const offset = source.getUint32(at + 12, true) + source.getInt32(at + 16, true) * 0x1_0000_0000
      if (this.#count > 0 && offset !== this.#lastOffset + 1) {
        this.stop = "hole"
        return at
      }
      if (!this.#append(records, source, at, offset)) {
        this.stop = "full"
        return at
      }
      at = end
    }
    return at
  }

  /** The batch so far, which must not be empty. It keeps no more memory than twice its length. */
  take(): UnsealedBatch {
    // Where holes are near each other, as in a compacted log, a run gives thousands of small batches at once.
    const isSmall = this.#out <= this.#targetBytes / 2
    const batch: UnsealedBatch = {
      bytes: isSmall ? this.#copied() : this.#target.subarray(0, this.#out),
      recordCount: this.#count,
      firstOffset: this.#firstOffset,
      lastOffset: this.#lastOffset,
      baseTimestamp: { high: this.#baseHigh, low: this.#baseLow },
      maxTimestamp: { high: this.#maxHigh, low: this.#maxLow }
    }
    if (!isSmall) {
      this.#target = Buffer.allocUnsafeSlow(this.#targetBytes)
      this.#view = viewOf(this.#target)
    }
    this.#out = headerBytes
    this.#count = 0
    return batch
  }

  #copied(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.#out)
    this.#target.copy(bytes, 0, 0, this.#out)
    return bytes
  }

  /** False: the batch is full, and nothing was taken. */
  #append(records: Buffer, source: DataView, start: number, offset: number): boolean {
    const low = source.getInt32(start + 4, true)
    const high = source.getInt32(start + 8, true)
    const isFirst = this.#count === 0
    const baseLow = isFirst ? low : this.#baseLow
    const baseHigh = isFirst ? high : this.#baseHigh
    const deltaLow = (low - baseLow) | 0
    const deltaHigh = (high - baseHigh - (low >>> 0 < baseLow >>> 0 ? 1 : 0)) | 0

    const keyAt = start + 24
    const keyLength = source.getInt32(start + 20, true)
    const keyEnd = keyAt + Math.max(0, keyLength)
    const valueLength = source.getInt32(keyEnd, true)
    const valueAt = keyEnd + 4
    const valueEnd = valueAt + Math.max(0, valueLength)
    const headers = source.getUint16(valueEnd, true)

    let length =
      1 + longBytes(deltaHigh, deltaLow) + signedBytes(this.#count) + signedBytes(keyLength) + signedBytes(valueLength)
    length += Math.max(0, keyLength) + Math.max(0, valueLength) + signedBytes(headers)
    if (headers > 0) length += headersLength(source, valueEnd + 2, headers)
    const room = this.#out + signedBytes(length) + length
    if (room > this.#targetBytes) {
      if (!isFirst) return false
      this.#grow(room)
    }
    const target = this.#target
    const view = this.#view
    let out = writeSigned(target, this.#out, length)
    target[out++] = 0
    out = writeLong(target, out, deltaHigh, deltaLow)
    out = writeSigned(target, out, this.#count)
    out = writeSigned(target, out, keyLength)
    if (keyLength > 0) {
      copyBytes(records, source, keyAt, target, view, out, keyLength)
      out += keyLength
    }
    out = writeSigned(target, out, valueLength)
    if (valueLength > 0) {
      copyBytes(records, source, valueAt, target, view, out, valueLength)
      out += valueLength
    }
    out = writeSigned(target, out, headers)
    if (headers > 0) out = this.#headers(records, source, valueEnd + 2, out, headers)
    this.#out = out
    if (isFirst) {
      this.#firstOffset = offset
      this.#baseLow = low
      this.#baseHigh = high
    }
    if (isFirst || high > this.#maxHigh || (high === this.#maxHigh && low >>> 0 > this.#maxLow >>> 0)) {
      this.#maxHigh = high
      this.#maxLow = low
    }
    this.#lastOffset = offset
    this.#count++
    return true
  }

  #headers(records: Buffer, source: DataView, from: number, to: number, count: number): number {
    const target = this.#target
    const view = this.#view
    let at = from
    let out = to
    for (let i = 0; i < count; i++) {
      const keyLength = source.getUint16(at, true)
      at += 2
      out = writeSigned(target, out, keyLength)
      copyBytes(records, source, at, target, view, out, keyLength)
      at += keyLength
      out += keyLength
      const valueLength = source.getInt32(at, true)
      at += 4
      out = writeSigned(target, out, valueLength)
      if (valueLength > 0) {
        copyBytes(records, source, at, target, view, out, valueLength)
        at += valueLength
        out += valueLength
      }
    }
    return out
  }

  #grow(bytes: number): void {
    this.#target = Buffer.allocUnsafeSlow(bytes)
    this.#view = viewOf(this.#target)
  }
}

/** Bytes of the headers in Kafka's form; their count excluded. */
const headersLength = (source: DataView, from: number, count: number): number => {
  let at = from
  let length = 0
  for (let i = 0; i < count; i++) {
    const keyLength = source.getUint16(at, true)
    at += 2 + keyLength
    const valueLength = source.getInt32(at, true)
    const valueBytes = Math.max(0, valueLength)
    at += 4 + valueBytes
    length += signedBytes(keyLength) + keyLength + signedBytes(valueLength) + valueBytes
  }
  return length
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
