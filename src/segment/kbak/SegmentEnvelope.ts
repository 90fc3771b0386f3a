import { createHash } from "node:crypto"
import { crc32 } from "node:zlib"
import * as Kbak from "./Kbak.ts"

/** Reads a file of which only the front is known to be there: header, then the body piece by piece, then the footer. */
export class SegmentEnvelope {
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #sha256 = createHash("sha256")
  #crc = 0
  /** Read and hashed, not yet handed on: the last 8 bytes may be the footer. */
  #held: Buffer = Buffer.alloc(0)
  /** Known after `header`. */
  compression: Kbak.Compression = "none"
  storedBytes = 0

  constructor(pieces: AsyncIterator<Uint8Array>) {
    this.#pieces = pieces
  }

  /** SHA-256 of the file, lower-case hex. Call once, after the body has ended. */
  sha256(): string {
    return this.#sha256.digest("hex")
  }

  async #next(): Promise<Buffer | undefined> {
    const { done, value } = await this.#pieces.next()
    if (done === true) return undefined
    this.storedBytes += value.length
    this.#sha256.update(value)
    return Buffer.from(value.buffer, value.byteOffset, value.length)
  }

  /** A string says which version or codec the file has that we do not know. */
  async header(): Promise<Kbak.Header | string> {
    while (this.#held.length < Kbak.headerBytes + Kbak.footerBytes) {
      const piece = await this.#next()
      if (piece === undefined)
        throw new Kbak.Corruption(`has ${this.storedBytes} bytes, fewer than the smallest segment`)
      this.#held = Buffer.concat([this.#held, piece])
    }
    const bytes = this.#held.subarray(0, Kbak.headerBytes)
    this.#crc = crc32(bytes)
    this.#held = this.#held.subarray(Kbak.headerBytes)
    const header = Kbak.parseHeader(bytes)
    if (typeof header !== "string") this.compression = header.compression
    return header
  }

  /** The body's bytes. Ends only when the footer is there and its checksum is that of header and body. */
  async *body(): AsyncGenerator<Buffer, void> {
    for (let piece: Buffer | undefined = this.#held; piece !== undefined; piece = await this.#next()) {
      const joined = piece === this.#held ? piece : this.#joined(piece)
      this.#held = joined.subarray(Math.max(0, joined.length - Kbak.footerBytes))
      const sure = joined.subarray(0, joined.length - this.#held.length)
      if (sure.length === 0) continue
      this.#crc = crc32(sure, this.#crc)
      yield sure
    }
    const expected = Kbak.parseFooter(this.#held)
    if (expected !== this.#crc)
      throw new Kbak.Corruption(`has checksum ${hex(this.#crc)}, but its footer says ${hex(expected)}`)
  }

  #joined(piece: Buffer): Buffer {
    return Buffer.concat([this.#held, piece])
  }
}

const hex = (crc: number) => crc.toString(16).padStart(8, "0")
