import { emptyHeaderBytes } from "../records/limits.ts"
import * as Kbak from "./Kbak.ts"
import { TimestampRange } from "../records/TimestampRange.ts"

/** Goes through all records of one segment, checks each against the format and the header, and remembers the sums. */
export class RecordScan {
  readonly #header: Kbak.Header
  readonly timestamps = new TimestampRange()
  recordCount = 0
  uncompressedBytes = 0
  payloadBytes = 0
  /** Of the records seen; −1 before the first. */
  firstOffset = -1
  lastOffset = -1

  constructor(header: Kbak.Header) {
    this.#header = header
  }

  /** `bytes` are whole records, by their length fields. */
  push(bytes: Buffer): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at < bytes.length;) at = this.#record(view, at)
    this.uncompressedBytes += bytes.length
  }

  /** To be called after the last record. */
  end(): void {
    const { firstOffset, lastOffset, recordCount } = this.#header
    if (this.recordCount !== recordCount)
      throw new Kbak.Corruption(`has ${this.recordCount} records, but its header says ${recordCount}`)
    if (recordCount > 0 && (this.firstOffset !== firstOffset || this.lastOffset !== lastOffset))
      throw new Kbak.Corruption(
        `has offsets ${this.firstOffset} to ${this.lastOffset}, but its header says ${firstOffset} to ${lastOffset}`
      )
  }

  /** Returns where the record ends. */
  #record(view: DataView, start: number): number {
    const end = start + 4 + view.getUint32(start, true)
    const low = view.getInt32(start + 4, true)
    const high = view.getInt32(start + 8, true)
    const offset = view.getUint32(start + 12, true) + view.getInt32(start + 16, true) * 0x1_0000_0000
    const { firstOffset, lastOffset, recordCount } = this.#header
    if (offset <= this.lastOffset) throw new Kbak.Corruption(`has offset ${offset} after offset ${this.lastOffset}`)
    if (offset < firstOffset || offset > lastOffset)
      throw new Kbak.Corruption(
        `has a record with offset ${offset}, but its header says ${firstOffset} to ${lastOffset}`
      )
    if (this.recordCount === recordCount)
      throw new Kbak.Corruption(`has more records than the ${recordCount} of its header`)

    const keyLength = view.getInt32(start + 20, true)
    let at = start + 24
    if (keyLength > 0) at += keyLength
    if (keyLength < -1 || at + 6 > end) throw misframed(offset, "key")
    const valueLength = view.getInt32(at, true)
    at += 4
    if (valueLength > 0) at += valueLength
    if (valueLength < -1 || at + 2 > end) throw misframed(offset, "value")
    const headers = view.getUint16(at, true)
    at += 2
    for (let i = 0; i < headers; i++) {
      if (at + emptyHeaderBytes > end) throw misframed(offset, "headers")
      at += 2 + view.getUint16(at, true)
      if (at + 4 > end) throw misframed(offset, "headers")
      const length = view.getInt32(at, true)
      at += 4
      if (length > 0) at += length
      if (length < -1 || at > end) throw misframed(offset, "headers")
    }
    if (at !== end) throw misframed(offset, "length")

    if (this.recordCount === 0) this.firstOffset = offset
    this.recordCount++
    this.lastOffset = offset
    this.timestamps.add(high, low)
    this.payloadBytes += Math.max(0, keyLength) + Math.max(0, valueLength)
    return end
  }
}

const misframed = (offset: number, what: string) =>
  new Kbak.Corruption(`has a record, offset ${offset}, with an invalid ${what}`)
