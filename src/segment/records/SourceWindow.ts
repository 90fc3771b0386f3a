import { freeMemory } from "../../compression/freeMemory.ts"
import { inflatedPieceBytes } from "../../compression/PieceInflater.ts"

const smallestBytes = 2 * inflatedPieceBytes

/** The inflated bytes that are not transcoded yet: part of a record and the piece that came last, side by side. */
export class SourceWindow {
  #buffer = Buffer.allocUnsafeSlow(smallestBytes)
  #filled = 0

  /** A view, valid until the next change. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#filled)
  }

  get length(): number {
    return this.#filled
  }

  /** Copies the piece behind what is there. */
  add(piece: Buffer): void {
    const needed = this.#filled + piece.length
    if (needed > this.#buffer.length) this.#resize(Math.max(needed, Math.min(2 * this.#buffer.length, needed * 2)))
    piece.copy(this.#buffer, this.#filled)
    this.#filled = needed
  }

  /** Drops what comes before `at`, and the memory of a large record that is done. */
  dropBefore(at: number): void {
    this.#buffer.copyWithin(0, at, this.#filled)
    this.#filled -= at
    if (this.#buffer.length > smallestBytes && this.#filled <= smallestBytes) this.#resize(smallestBytes)
  }

  /** Makes room for a record of that many bytes at once, and for the piece that ends it. */
  reserve(bytes: number): void {
    if (bytes + inflatedPieceBytes > this.#buffer.length) this.#resize(bytes + inflatedPieceBytes)
  }

  giveBack(): void {
    freeMemory(this.#buffer)
  }

  #resize(bytes: number): void {
    const old = this.#buffer
    this.#buffer = Buffer.allocUnsafeSlow(bytes)
    old.copy(this.#buffer, 0, 0, this.#filled)
    freeMemory(old)
  }
}
