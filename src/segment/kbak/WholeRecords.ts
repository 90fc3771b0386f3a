import * as Kbak from "./Kbak.ts"

/** Longest record that is put together when it comes in several pieces; Kafka's brokers refuse far smaller ones. */
const maxRecordBytes = 1024 * 1024 * 1024
/** Length of the field that says how long a record is. */
const lengthBytes = 4

/**
 * Cuts a record stream that comes in pieces at record boundaries. Keeps at most one incomplete record, and nothing of
 * the pieces themselves.
 */
export class WholeRecords {
  /** The incomplete record: its parts, how long they are, and how long they have to be before something can be done. */
  #parts: Array<Buffer> = []
  #have = 0
  #need = lengthBytes

  /**
   * The whole records that the piece completes, in order: one that began in an earlier piece, then those inside of this
   * one, each a run of records in one buffer.
   */
  push(piece: Buffer): ReadonlyArray<Buffer> {
    let at = 0
    const runs: Array<Buffer> = []
    while (this.#have > 0) {
      const part = piece.subarray(at, at + this.#need - this.#have)
      this.#parts.push(Buffer.from(part))
      this.#have += part.length
      at += part.length
      if (this.#have < this.#need) return runs
      const bytes = Buffer.concat(this.#parts, this.#have)
      if (this.#need === lengthBytes) {
        this.#need += recordLength(bytes, 0)
        this.#parts = [bytes]
      } else {
        runs.push(bytes)
        this.#keep(piece.subarray(0, 0), lengthBytes)
      }
    }
    const start = at
    let need = lengthBytes
    while (at + lengthBytes <= piece.length) {
      need = lengthBytes + recordLength(piece, at)
      if (at + need > piece.length) break
      at += need
      need = lengthBytes
    }
    this.#keep(piece.subarray(at), need)
    if (at > start) runs.push(piece.subarray(start, at))
    return runs
  }

  /** To be called at the end of the stream, which must be the end of a record. */
  end(): void {
    if (this.#have > 0)
      throw new Kbak.Corruption(`ends in the middle of a record, ${this.#have} bytes after its beginning`)
  }

  #keep(bytes: Buffer, need: number): void {
    this.#parts = bytes.length > 0 ? [Buffer.from(bytes)] : []
    this.#have = bytes.length
    this.#need = need
  }
}

const recordLength = (bytes: Buffer, at: number): number => {
  const length = bytes.readUInt32LE(at)
  if (length < Kbak.emptyRecordBytes - lengthBytes || length > maxRecordBytes)
    throw new Kbak.Corruption(`has a record of the invalid length ${length}`)
  return length
}
