import { Effect, Fiber, FiberSet, type Semaphore } from "effect"
import zlib from "node:zlib"
import type { ChunkPool } from "./ChunkPool.ts"
import type { SegmentBody } from "./SegmentBody.ts"

/** What the zstd bodies of one run share. */
export interface ZstdRun {
  readonly pool: ChunkPool
  /** One permit per chunk that is being compressed. */
  readonly slots: Semaphore.Semaphore
  /** Owns the compressions. */
  readonly fibers: FiberSet.FiberSet<Uint8Array>
  /** 1-22 */
  readonly level: number
}

/** Largest result of compressing `bytes` bytes. Source: ZSTD_compressBound for inputs of 128 KiB and more, rounded up. */
const compressBound = (bytes: number): number => bytes + (bytes >>> 8) + 1024

/**
 * One zstd frame with content size and checksum. Uninterruptible: the thread pool reads `input` until it is done.
 * `chunkSize` is that of the output: Node's default of 16 KiB would come back to the event loop for each.
 */
const frame = (input: Uint8Array, level: number) =>
  Effect.uninterruptible(
    Effect.callback<Uint8Array>((resume) => {
      const options = {
        chunkSize: compressBound(input.length),
        pledgedSrcSize: input.length,
        params: { [zlib.constants.ZSTD_c_compressionLevel]: level, [zlib.constants.ZSTD_c_checksumFlag]: 1 }
      }
      zlib.zstdCompress(input, options, (error, output) =>
        resume(error === null ? Effect.succeed(output) : Effect.die(error))
      )
    })
  )

/** Every chunk becomes a frame of its own, on the thread pool, while the next one fills. */
export const make = ({ fibers, level, pool, slots }: ZstdRun): SegmentBody => {
  const frames: Array<Fiber.Fiber<Uint8Array>> = []
  const compress = (chunk: Buffer, filled: number) =>
    frame(chunk.subarray(0, filled), level).pipe(
      Effect.ensuring(
        Effect.andThen(
          Effect.sync(() => pool.give(chunk)),
          slots.release(1)
        )
      )
    )
  return {
    limitBytes: Number.MAX_SAFE_INTEGER,
    add: (chunk, filled) =>
      Effect.uninterruptibleMask((restore) =>
        restore(slots.take(1)).pipe(
          Effect.onInterrupt(() => Effect.sync(() => pool.give(chunk))),
          Effect.andThen(FiberSet.run(fibers, compress(chunk, filled))),
          Effect.map((fiber) => void frames.push(fiber))
        )
      ),
    finish: Effect.suspend(() => Effect.forEach(frames, (fiber) => Fiber.join(fiber))),
    // Each compression gives its own chunk back when it is done.
    giveBack: () => {}
  }
}
