import { Effect, FiberSet, type Scope, Semaphore } from "effect"
import { availableParallelism } from "node:os"
import { maxInflatedBytes } from "../kafka/Decompression.ts"
import { ChunkPool, defaultChunkBytes } from "./ChunkPool.ts"
import * as CompressedBody from "./CompressedBody.ts"
import * as Kbak from "./Kbak.ts"
import * as KbakWriter from "./KbakWriter.ts"
import * as Lz4Codec from "./Lz4Codec.ts"
import * as OffsetHeaders from "./OffsetHeaders.ts"
import * as PlainBody from "./PlainBody.ts"
import type { SegmentFormat, SegmentSettings } from "./Segment.ts"
import type { SegmentBody } from "./SegmentBody.ts"
import * as ZstdCodec from "./ZstdCodec.ts"

/** How much memory a run may spend on its segments. */
export interface SegmentMemory {
  /** Record stream that is compressed at once, in bytes. Default 4 MiB; zstd's ratio hardly grows beyond 8 MiB. */
  readonly chunkBytes?: number
  /** Compressions in flight across all writers of the run. Default: one more than there are cores. */
  readonly compressions?: number
  /** Largest batch after decompression, in bytes. Default 512 MiB. */
  readonly maxInflatedBytes?: number
  /** Largest record stream of an lz4 segment, in bytes. Default: what an LZ4 block can hold, 2,113,929,216. */
  readonly maxLz4Bytes?: number
}

/**
 * KBAK version 1 with the given settings. The scope is the run: closing it waits for compressions in flight.
 *
 * Memory, with chunks of C bytes, N compressions, and S bytes of record stream in a segment (where its owner seals it):
 * - zstd: an open writer holds one chunk and what its full chunks were compressed to; the run N times two chunks and
 *   zstd's own tables (a few MiB at level 3, up to about 10 C at level 22).
 * - lz4: the same with N times one chunk, and some 100 MiB that lz4-napi's allocator does not give back.
 * - none: an open writer holds S, and so does a sealed segment until it is released.
 * - Up to 64 MiB of spare chunks are kept. A record larger than a chunk gets a chunk of its own size. A compressed batch
 *   is held whole, decompressed, while it is appended.
 */
export const make = (
  settings: SegmentSettings,
  memory: SegmentMemory = {}
): Effect.Effect<SegmentFormat, never, Scope.Scope> =>
  Effect.gen(function* () {
    const pool = new ChunkPool(memory.chunkBytes ?? defaultChunkBytes)
    const slots = yield* Semaphore.make(memory.compressions ?? availableParallelism() + 1)
    const fibers = yield* FiberSet.make<ReadonlyArray<Uint8Array>>()
    const { compression, level } = settings
    const body = (): SegmentBody => {
      switch (compression) {
        case "zstd":
          return CompressedBody.make(ZstdCodec.make(level), { pool, slots, fibers })
        case "lz4":
          return CompressedBody.make(Lz4Codec.make(memory.maxLz4Bytes ?? Kbak.maxLz4Bytes), { pool, slots, fibers })
        case "none":
          return PlainBody.make(pool)
      }
    }
    const shared = {
      compression,
      pool,
      offsetHeaders: OffsetHeaders.fromSettings(settings.offsetHeaders),
      maxInflatedBytes: memory.maxInflatedBytes ?? maxInflatedBytes
    }
    return {
      suffix: Kbak.suffix(compression),
      open: (topic, partition) => Effect.sync(() => KbakWriter.make({ ...shared, topic, partition, body: body() }))
    }
  })
