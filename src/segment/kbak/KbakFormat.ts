import { Effect, FiberSet, type Scope, Semaphore } from "effect"
import { availableParallelism } from "node:os"
import { wholeBytes } from "../../kafka/batch/Decompression.ts"
import { ByteBudget } from "../ByteBudget.ts"
import { ChunkPool, defaultChunkBytes } from "../body/ChunkPool.ts"
import * as CompressedBody from "../body/CompressedBody.ts"
import * as Kbak from "./Kbak.ts"
import * as KbakWriter from "./KbakWriter.ts"
import * as Lz4Codec from "./Lz4Codec.ts"
import * as OffsetHeaders from "../records/OffsetHeaders.ts"
import * as PlainBody from "../body/PlainBody.ts"
import type { SegmentFormat, SegmentMemory, SegmentSettings } from "../Segment.ts"
import type { SegmentBody } from "../body/SegmentBody.ts"
import * as ZstdCodec from "../body/ZstdCodec.ts"

/**
 * Bytes that are stored as they are wait in chunks of this size: compressed ones, and record streams that are not going
 * to be compressed. Of the last one of each segment a part stays empty.
 */
const storedChunkBytes = 1024 * 1024

const compressions = ["none", "zstd", "lz4"] as const

/** Every ending of a KBAK file's name. */
export const suffixes = compressions.map(Kbak.suffix)

/** The codec that an ending stands for. */
export const compressionOf = (suffix: string | undefined) => compressions.find((one) => Kbak.suffix(one) === suffix)

/**
 * KBAK version 1 with the given settings. The scope is the run: closing it waits for compressions in flight.
 *
 * Memory, with chunks of C bytes, N compressions, and S bytes of record stream in a segment (where its owner seals it):
 * - zstd: an open writer holds one chunk and what its full chunks were compressed to; the run N times two chunks and
 *   zstd's own tables (a few MiB at level 3, up to about 10 C at level 22).
 * - lz4: the same with N times one chunk, and some 100 MiB that lz4-napi's allocator does not give back.
 * - none: an open writer holds S, and so does a sealed segment until it is released.
 * - Up to 96 MiB of spare chunks are kept, and as much for what chunks were compressed to. A record larger than a chunk
 *   gets a chunk of its own size.
 * - Batches are inflated within `inflateBytes`, records of more than 4 MiB wait for each other within `recordBytes`.
 */
export const make = (
  settings: SegmentSettings,
  memory: SegmentMemory = {}
): Effect.Effect<SegmentFormat, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { compression, level } = settings
    const pool = new ChunkPool(memory.chunkBytes ?? (compression === "none" ? storedChunkBytes : defaultChunkBytes))
    const packing = new ChunkPool(storedChunkBytes)
    const slots = yield* Semaphore.make(memory.compressions ?? availableParallelism() + 1)
    const fibers = yield* FiberSet.make<ReadonlyArray<Uint8Array>>()
    const shared = { fibers, packing, pool, slots }
    const body = (): SegmentBody => {
      switch (compression) {
        case "zstd":
          return CompressedBody.make(ZstdCodec.make(level, pool.chunkBytes), shared)
        case "lz4":
          return CompressedBody.make(Lz4Codec.make(memory.maxLz4Bytes ?? Kbak.maxLz4Bytes), shared)
        case "none":
          return PlainBody.make(pool)
      }
    }
    const writing = {
      compression,
      pool,
      offsetHeaders: OffsetHeaders.fromSettings(settings.offsetHeaders),
      wholeBytes: memory.wholeBytes ?? wholeBytes,
      inflating: new ByteBudget(memory.inflateBytes ?? 64 * 1024 * 1024),
      largeRecords: new ByteBudget(memory.recordBytes ?? 512 * 1024 * 1024),
      windowBytes: memory.windowBytes ?? 128 * 1024 * 1024,
      neededMemory: memory.neededMemory
    }
    return {
      open: (topic, partition) => Effect.sync(() => KbakWriter.make({ ...writing, topic, partition, body: body() }))
    }
  })
