import { Effect, FiberSet, type Scope, Semaphore } from "effect"
import { availableParallelism } from "node:os"
import { ChunkPool, defaultChunkBytes } from "../body/ChunkPool.ts"
import * as CompressedBody from "../body/CompressedBody.ts"
import * as PlainBody from "../body/PlainBody.ts"
import * as ZstdCodec from "../body/ZstdCodec.ts"
import type { SegmentFormat, SegmentMemory, SegmentSettings } from "../Segment.ts"
import * as Log from "./Log.ts"
import * as LogWriter from "./LogWriter.ts"
import * as Lz4Frames from "./Lz4Frames.ts"

export { compressionOf, suffixes } from "./Log.ts"

/** Bytes that are stored as they are wait in chunks of this size; of the last one of a segment a part stays empty. */
const storedChunkBytes = 1024 * 1024

/**
 * Kafka log segments. `compression` and `level` speak of what arrives uncompressed: see `LogWriter.isWrapped`. The
 * scope is the run: closing it waits for compressions in flight.
 *
 * Memory, with chunks of C bytes, N compressions, and S bytes of batches in a segment (where its owner seals it): an
 * open writer of a segment that is stored as it is holds S until it is released; one that is wrapped holds one chunk
 * and what its full chunks were compressed to, and the run N times two chunks and the encoder's tables.
 */
export const make = (
  settings: SegmentSettings,
  memory: SegmentMemory = {}
): Effect.Effect<SegmentFormat, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { compression, level } = settings
    const packing = new ChunkPool(Math.min(storedChunkBytes, memory.chunkBytes ?? storedChunkBytes))
    const pool = new ChunkPool(memory.chunkBytes ?? defaultChunkBytes)
    const slots = yield* Semaphore.make(memory.compressions ?? availableParallelism() + 1)
    const fibers = yield* FiberSet.make<ReadonlyArray<Uint8Array>>()
    const codec = compression === "lz4" ? Lz4Frames.codec : ZstdCodec.make(level, pool.chunkBytes)
    const body = (wrapped: Log.Compression): LogWriter.OpenBody =>
      wrapped === "none"
        ? { pool: packing, body: PlainBody.make(packing) }
        : { pool, body: CompressedBody.make(codec, { fibers, packing, pool, slots }) }
    const batchBytes = memory.recordBytes ?? 512 * 1024 * 1024
    return {
      open: (topic, partition) =>
        Effect.sync(() =>
          LogWriter.make({ topic, partition, compression, body, batchBytes, neededMemory: memory.neededMemory })
        )
    }
  })
