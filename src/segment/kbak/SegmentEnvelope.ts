import { crc32 } from "@node-rs/crc32"
import { createHash } from "node:crypto"
import * as Kbak from "./Kbak.ts"

/** Reads a file of which only the front is known to be there: header, then the body piece by piece, then the footer. */
export class SegmentEnvelope {
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #sha256 = createHash("sha256")
  #crc = 0
  /** Read and hashed, not yet handed on. */
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
    // The last 8 bytes may be the footer: a piece is handed on when so many came after it.
    const held = [this.#held]
    let after = 0
    for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) {
      held.push(piece)
      after += piece.length
      while (after >= Kbak.footerBytes && held.length > 1) {
        const sure = held.shift()!
        after -= held[0]!.length
        if (sure.length > 0) yield this.#summed(sure)
      }
    }
    const rest = held.length === 1 ? held[0]! : Buffer.concat(held)
    const end = rest.length - Kbak.footerBytes
    if (end > 0) yield this.#summed(rest.subarray(0, end))
    const expected = Kbak.parseFooter(rest.subarray(end))
    if (expected !== this.#crc)
      throw new Kbak.Corruption(`has checksum ${hex(this.#crc)}, but its footer says ${hex(expected)}`)
  }

  #summed(bytes: Buffer): Buffer {
    this.#crc = crc32(bytes, this.#crc)
    return bytes
  }
}

const hex = (crc: number) => crc.toString(16).padStart(8, "0")
