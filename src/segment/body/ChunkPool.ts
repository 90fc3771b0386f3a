import { freeMemory } from "../../compression/freeMemory.ts"

/** Bytes of record stream that travel together, unless a single record is larger: one zstd frame. */
export const defaultChunkBytes = 4 * 1024 * 1024

/** Spare chunks up to this many bytes are kept: more than a whole segment of chunks that come back together. */
const spareBytes = 96 * 1024 * 1024

/**
 * Equal buffers that are used again and again. It hands out as many as are asked for: those who ask bound the number.
 * Fresh chunks are not zeroed, so what is never written of them costs no resident memory.
 */
export class ChunkPool {
  readonly chunkBytes: number
  readonly #spare: Array<Buffer> = []

  constructor(chunkBytes: number) {
    this.chunkBytes = chunkBytes
  }

  /** A chunk of at least `bytes`; only those of the common size are used again. */
  take(bytes: number): Buffer {
    if (bytes > this.chunkBytes) return Buffer.allocUnsafeSlow(bytes)
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.chunkBytes)
  }

  /** Call once per chunk, when nothing reads it any more. */
  give(chunk: Buffer): void {
    if (chunk.length === this.chunkBytes && (this.#spare.length + 1) * this.chunkBytes <= spareBytes) {
      this.#spare.push(chunk)
    } else freeMemory(chunk)
  }
}
