import { Damage } from "./Damage.ts"
import * as Kbak from "./Kbak.ts"

/** Longest record that is put together when it comes in several pieces; Kafka's brokers refuse far smaller ones. */
const maxRecordBytes = 1024 * 1024 * 1024

/** Cuts a record stream that comes in pieces at record boundaries. Keeps at most one incomplete record. */
export class WholeRecords {
  #parts: Array<Buffer> = []
  #have = 0
  #need = 4

  /** The whole records that the piece completes, as one view; empty while there is none. */
  push(piece: Buffer): Buffer {
    this.#parts.push(piece)
    this.#have += piece.length
    if (this.#have < this.#need) return piece.subarray(0, 0)
    const bytes = this.#parts.length === 1 ? piece : Buffer.concat(this.#parts, this.#have)
    let at = 0
    this.#need = 4
    while (at + 4 <= bytes.length) {
      const length = bytes.readUInt32LE(at)
      if (length < Kbak.emptyRecordBytes - 4 || length > maxRecordBytes)
        throw new Damage(`has a record of impossible length ${length}`)
      if (at + 4 + length > bytes.length) {
        this.#need = 4 + length
        break
      }
      at += 4 + length
    }
    this.#parts = at < bytes.length ? [bytes.subarray(at)] : []
    this.#have = bytes.length - at
    return bytes.subarray(0, at)
  }

  /** To be called at the end of the stream, which must be the end of a record. */
  end(): void {
    if (this.#have > 0) throw new Damage(`ends in the middle of a record, ${this.#have} bytes after its beginning`)
  }
}
