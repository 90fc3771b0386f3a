import { Effect, type Semaphore } from "effect"
import { compress } from "lz4-napi"
import type { ChunkPool } from "./ChunkPool.ts"
import type { FilledChunk, SegmentBody } from "./SegmentBody.ts"

/** What the lz4 bodies of one run share. */
export interface Lz4Run {
  readonly pool: ChunkPool
  /** One permit per segment that is being compressed. */
  readonly slots: Semaphore.Semaphore
  readonly limitBytes: number
}

/**
 * The record stream as one LZ4 block behind its length (u32, little-endian). A block needs all of its input in one
 * place, so the chunks wait until the end and are then moved together, each given back as it is copied.
 */
export const make = ({ limitBytes, pool, slots }: Lz4Run): SegmentBody => {
  let chunks: Array<FilledChunk> = []
  let total = 0
  const giveBack = () => {
    for (const { chunk } of chunks) pool.give(chunk)
    chunks = []
  }
  const gathered = Effect.gen(function* () {
    const whole = Buffer.allocUnsafeSlow(total)
    let at = 0
    for (let next = chunks.shift(); next !== undefined; next = chunks.shift()) {
      next.chunk.copy(whole, at, 0, next.filled)
      at += next.filled
      pool.give(next.chunk)
      yield* Effect.yieldNow
    }
    return whole
  })
  // Uninterruptible: the thread pool reads the input until it is done.
  const block = (input: Uint8Array) => Effect.uninterruptible(Effect.promise(() => compress(input)))
  return {
    limitBytes,
    add: (chunk, filled) =>
      Effect.sync(() => {
        chunks.push({ chunk, filled })
        total += filled
      }),
    finish: Effect.suspend(() => {
      const only = chunks[0]
      return chunks.length === 1 && only !== undefined
        ? Effect.tap(block(only.chunk.subarray(0, only.filled)), Effect.sync(giveBack))
        : Effect.flatMap(gathered, block)
    }).pipe(
      slots.withPermits(1),
      Effect.map((body) => [body])
    ),
    giveBack
  }
}
