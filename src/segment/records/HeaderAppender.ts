import { emptyHeaderBytes, maxUint16 } from "./limits.ts"
import { offsetOf } from "./recordFields.ts"

/** A header for every record. Its value is one of the record's own numbers, 8 bytes little-endian, or fixed. */
export interface AppendedHeader {
  readonly key: string
  readonly value: "offset" | "timestamp" | Buffer
}

/** Thrown by `append`: a record of the stream has at most 65,535 headers. */
export class TooManyHeaders extends Error {
  readonly offset: number
  constructor(offset: number, count: number, appended: number) {
    super(`it has ${count} headers, and ${appended} are to be added; a record of a segment has at most ${maxUint16}`)
    this.offset = offset
  }
}

const integerBytes = 8

/** Where a record has its timestamp and its offset, each 8 bytes little-endian. */
const positions = { timestamp: 4, offset: 12 } as const

/** Appends headers to records of the record stream. A record that has a header of the same key gets no second one. */
export class HeaderAppender {
  readonly #headers: ReadonlyArray<{ readonly head: Buffer; readonly value: AppendedHeader["value"] }>
  /** Most bytes by which a record grows. */
  readonly mostBytes: number

  constructor(headers: ReadonlyArray<AppendedHeader>) {
    this.#headers = headers.map(({ key, value }) => {
      const head = Buffer.alloc(emptyHeaderBytes + Buffer.byteLength(key))
      head.writeUInt16LE(Buffer.byteLength(key), 0)
      head.write(key, 2)
      head.writeInt32LE(typeof value === "string" ? integerBytes : value.length, head.length - 4)
      return { head, value }
    })
    this.mostBytes = this.#headers.reduce(
      (sum, { head, value }) => sum + head.length + (typeof value === "string" ? integerBytes : value.length),
      0
    )
  }

  /** Changes the record between `start` and `end`, behind which there is room. Returns where it ends. */
  append(records: Buffer, start: number, end: number): number {
    const keyEnd = start + 24 + Math.max(0, records.readInt32LE(start + 20))
    const countAt = keyEnd + 4 + Math.max(0, records.readInt32LE(keyEnd))
    const count = records.readUInt16LE(countAt)
    const present = this.#present(records, countAt + 2, count)
    let out = end
    let appended = 0
    for (const [i, { head, value }] of this.#headers.entries()) {
      if ((present & (1 << i)) !== 0) continue
      out += head.copy(records, out)
      if (typeof value === "string") {
        const from = start + positions[value]
        out += records.copy(records, out, from, from + integerBytes)
      } else out += value.copy(records, out)
      appended++
    }
    if (count + appended > maxUint16) throw new TooManyHeaders(offsetOf(records, start), count, appended)
    records.writeUInt16LE(count + appended, countAt)
    records.writeUInt32LE(out - start - 4, start)
    return out
  }

  /** A bit for each header whose key the record has already. */
  #present(records: Buffer, from: number, count: number): number {
    let present = 0
    let at = from
    for (let i = 0; i < count; i++) {
      const length = records.readUInt16LE(at)
      const keyAt = at + 2
      for (const [bit, { head }] of this.#headers.entries()) {
        if (head.length !== length + emptyHeaderBytes) continue
        if (records.compare(head, 2, 2 + length, keyAt, keyAt + length) === 0) present |= 1 << bit
      }
      at = keyAt + length
      at += 4 + Math.max(0, records.readInt32LE(at))
    }
    return present
  }
}
