import { Effect, Fiber, FiberSet, type Semaphore } from "effect"
import type { ChunkPool } from "./ChunkPool.ts"
import { PackedBytes } from "./PackedBytes.ts"
import type { SegmentBody } from "./SegmentBody.ts"

type Pieces = ReadonlyArray<Uint8Array>

/** How chunks of record stream become a body. */
export interface ChunkCodec {
  readonly limitBytes: number
  /** Into `packed`. Must not be interruptible: the thread pool reads the chunk until it is done. */
  readonly compress: (chunk: Uint8Array, packed: PackedBytes) => Effect.Effect<Pieces>
  /** The body, from what every chunk was compressed to, in order, and the length of the whole record stream. */
  readonly join: (compressed: Pieces, streamBytes: number) => Pieces
}

/** What the bodies of one run share. */
export interface CompressionRun {
  readonly pool: ChunkPool
  /** Chunks for what comes out. */
  readonly packing: ChunkPool
  /** One permit per chunk that is being compressed. */
  readonly slots: Semaphore.Semaphore
  /** Owns the compressions. */
  readonly fibers: FiberSet.FiberSet<Pieces>
}

/** Compresses every chunk by itself, on the thread pool, while the next one fills. */
export const make = (codec: ChunkCodec, { fibers, packing, pool, slots }: CompressionRun): SegmentBody => {
  const running: Array<Fiber.Fiber<Pieces>> = []
  let streamBytes = 0
  const packed = new PackedBytes(packing)
  const give = (chunk: Buffer) => Effect.sync(() => pool.give(chunk))
  const compress = (chunk: Buffer, filled: number) =>
    codec
      .compress(chunk.subarray(0, filled), packed)
      .pipe(Effect.ensuring(Effect.andThen(give(chunk), slots.release(1))))
  return {
    limitBytes: codec.limitBytes,
    add: (chunk, filled) =>
      Effect.uninterruptibleMask((restore) =>
        restore(slots.take(1)).pipe(
          Effect.onInterrupt(() => give(chunk)),
          Effect.andThen(FiberSet.run(fibers, compress(chunk, filled))),
          Effect.map((fiber) => {
            running.push(fiber)
            streamBytes += filled
          })
        )
      ),
    settled: Effect.suspend(() => Effect.forEach(running, (fiber) => Fiber.join(fiber), { discard: true })),
    finish: Effect.suspend(() => Effect.forEach(running, (fiber) => Fiber.join(fiber))).pipe(
      Effect.map((compressed) => codec.join(compressed.flat(), streamBytes))
    ),
    // Each compression gives its own chunk back when it is done.
    giveBack: () => packed.giveBack()
  }
}
