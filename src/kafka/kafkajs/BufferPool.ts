import { freeMemory } from "../../compression/freeMemory.ts"

/** A buffer at least as long as requested, and the function that returns it. */
export interface PooledBuffer {
  readonly buffer: Buffer
  /** Calling it again does nothing. */
  readonly release: () => void
}

export interface BufferPool {
  readonly take: (bytes: number) => PooledBuffer
  /** Bytes of unused buffers. */
  readonly idleBytes: () => number
}

const smallest = 64 * 1024

/** The power of two that holds `bytes`: with few sizes, a buffer fits the next answer, too. */
const sizeClass = (bytes: number): number => 2 ** Math.ceil(Math.log2(Math.max(bytes, smallest)))

/**
 * Reusable buffers for fetch answers. Keeps at most `maxIdleBytes` unused; a buffer above `maxBufferBytes` is allocated
 * with its exact size and freed at once.
 */
export const make = (options: { readonly maxIdleBytes: number; readonly maxBufferBytes: number }): BufferPool => {
  const idle = new Map<number, Array<Buffer>>()
  let idleBytes = 0
  const keep = (buffer: Buffer) => {
    if (idleBytes + buffer.length > options.maxIdleBytes) return
    idleBytes += buffer.length
    const shelf = idle.get(buffer.length)
    if (shelf === undefined) idle.set(buffer.length, [buffer])
    else shelf.push(buffer)
  }
  return {
    idleBytes: () => idleBytes,
    take: (bytes) => {
      if (bytes > options.maxBufferBytes) {
        const large = Buffer.allocUnsafeSlow(bytes)
        return { buffer: large, release: () => freeMemory(large) }
      }
      const size = sizeClass(bytes)
      const reused = idle.get(size)?.pop()
      if (reused !== undefined) idleBytes -= size
      const buffer = reused ?? Buffer.allocUnsafeSlow(size)
      let held = true
      return {
        buffer,
        release: () => {
          if (!held) return
          held = false
          keep(buffer)
        }
      }
    }
  }
}
