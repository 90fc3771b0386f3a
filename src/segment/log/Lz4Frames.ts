import { Effect } from "effect"
import { freeMemory } from "../../compression/freeMemory.ts"
import * as Lz4Frame from "../../compression/Lz4Frame.ts"
import type { ChunkCodec } from "../body/CompressedBody.ts"

/** Every chunk becomes a standard LZ4 frame of its own; `lz4 -d` reads them one after the other. */
export const codec: ChunkCodec = {
  limitBytes: Number.MAX_SAFE_INTEGER,
  compress: (chunk, packed) =>
    Effect.uninterruptible(
      Effect.map(
        Effect.promise(() => Lz4Frame.compress(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))),
        (frame) => {
          const pieces = packed.add(frame)
          freeMemory(frame)
          return pieces
        }
      )
    ),
  join: (frames) => frames
}
