import { Effect } from "effect"
import { compress } from "lz4-napi"
import type { ChunkCodec } from "../body/CompressedBody.ts"
import { freeMemory } from "../../compression/freeMemory.ts"
import * as Lz4Block from "../../compression/Lz4Block.ts"

/**
 * Bytes that are compressed in one call. lz4-napi gives every result in memory of its own allocator, which keeps about
 * as much per thread as the largest calls needed, freed or not: with 4 MiB a process stayed at 0.9 GiB. What it gives
 * is copied and freed at once, so that it is used again.
 */
const blockBytes = 512 * 1024

/** What lz4-napi puts in front of a block: the length of what it inflates to. */
const sizeBytes = 4

/** The body is the length of the record stream (u32, little-endian) and one LZ4 block, joined from many. */
export const make = (limitBytes: number): ChunkCodec => ({
  limitBytes,
  compress: (chunk, packed) => {
    const inputs = Array.from({ length: Math.ceil(chunk.length / blockBytes) }, (_, i) =>
      chunk.subarray(i * blockBytes, (i + 1) * blockBytes)
    )
    const block = (input: Uint8Array) =>
      Effect.map(
        Effect.promise(() => compress(input)),
        (output) => {
          const pieces = packed.addWhole(output.subarray(sizeBytes))
          freeMemory(output)
          return pieces
        }
      )
    return Effect.uninterruptible(Effect.map(Effect.forEach(inputs, block), (blocks) => blocks.flat()))
  },
  join: (blocks, streamBytes) => {
    const size = Buffer.alloc(sizeBytes)
    size.writeUInt32LE(streamBytes)
    return [size, ...Lz4Block.joined(blocks)]
  }
})
