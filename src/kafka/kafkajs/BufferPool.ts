/** A buffer at least as long as what was asked for, and the way to hand it back. */
export interface PooledBuffer {
  readonly buffer: Buffer
  /** Calling it again does nothing. */
  readonly release: () => void
}

export interface BufferPool {
  readonly take: (bytes: number) => PooledBuffer
  /** Bytes that wait for their next use. */
  readonly idleBytes: () => number
}

const smallest = 64 * 1024

/** The power of two that holds `bytes`; sizes in classes, so that a buffer fits the next response too. */
const sizeClass = (bytes: number): number => 2 ** Math.ceil(Math.log2(Math.max(bytes, smallest)))

/**
 * Buffers for fetch answers, used again instead of being allocated megabyte by megabyte. Keeps at most `maxIdleBytes`
 * unused; a buffer above `maxBufferBytes` is allocated to measure and left to the garbage collector.
 */
export const make = (options: { readonly maxIdleBytes: number; readonly maxBufferBytes: number }): BufferPool => {
  const idle = new Map<number, Array<Buffer>>()
  let idleBytes = 0
  const giveBack = (buffer: Buffer) => {
    if (idleBytes + buffer.length > options.maxIdleBytes) return
    idleBytes += buffer.length
    const shelf = idle.get(buffer.length)
    if (shelf === undefined) idle.set(buffer.length, [buffer])
    else shelf.push(buffer)
  }
  return {
    idleBytes: () => idleBytes,
    take: (bytes) => {
      if (bytes > options.maxBufferBytes) return { buffer: Buffer.allocUnsafeSlow(bytes), release: () => undefined }
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
          giveBack(buffer)
        }
      }
    }
  }
}
