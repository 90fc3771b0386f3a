import type { ChunkPool } from "./ChunkPool.ts"

/**
 * Copies of byte strings, side by side in pooled chunks. Thousands of buffers of all sizes that live as long as a
 * segment would leave the allocator's heap full of holes, half as large again as what is in it.
 */
export class PackedBytes {
  readonly #pool: ChunkPool
  #chunks: Array<Buffer> = []
  #filled = 0

  constructor(pool: ChunkPool) {
    this.#pool = pool
  }

  /** Copies in one piece each, where a chunk may stay unfilled; valid until `giveBack`. */
  addWhole(bytes: Uint8Array): ReadonlyArray<Uint8Array> {
    if (bytes.length === 0) return []
    const last = this.#chunks.at(-1)
    if (last === undefined || this.#filled + bytes.length > last.length) this.#open(bytes.length)
    return [this.#append(bytes)]
  }

  /** As `addWhole`, but chunks are filled to the end: a copy may be in several pieces. */
  add(bytes: Uint8Array): ReadonlyArray<Uint8Array> {
    const pieces: Array<Uint8Array> = []
    for (let at = 0; at < bytes.length;) {
      const room = (this.#chunks.at(-1)?.length ?? 0) - this.#filled
      if (room === 0) this.#open(1)
      const piece = this.#append(bytes.subarray(at, at + (room === 0 ? this.#pool.chunkBytes : room)))
      pieces.push(piece)
      at += piece.length
    }
    return pieces
  }

  /** Ends it: nothing is to be added afterwards. */
  giveBack(): void {
    for (const chunk of this.#chunks) this.#pool.give(chunk)
    this.#chunks = []
    this.#filled = 0
  }

  #open(bytes: number): void {
    this.#chunks.push(this.#pool.take(bytes))
    this.#filled = 0
  }

  #append(bytes: Uint8Array): Uint8Array {
    const chunk = this.#chunks.at(-1)!
    chunk.set(bytes, this.#filled)
    const from = this.#filled
    this.#filled += bytes.length
    return chunk.subarray(from, this.#filled)
  }
}
