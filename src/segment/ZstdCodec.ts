import { Effect } from "effect"
import zlib from "node:zlib"
import type { ChunkCodec } from "./CompressedBody.ts"

/** Largest result of compressing `bytes` bytes. Source: ZSTD_compressBound for inputs of 128 KiB and more, rounded up. */
const compressBound = (bytes: number): number => bytes + (bytes >>> 8) + 1024

/** Every chunk is a zstd frame with content size and checksum; the body is their concatenation. `level`: 1-22. */
export const make = (level: number): ChunkCodec => ({
  limitBytes: Number.MAX_SAFE_INTEGER,
  compress: (chunk) =>
    Effect.uninterruptible(
      Effect.callback((resume) => {
        const options = {
          // That of the output: with Node's default every 16 KiB would come back to the event loop.
          chunkSize: compressBound(chunk.length),
          pledgedSrcSize: chunk.length,
          params: { [zlib.constants.ZSTD_c_compressionLevel]: level, [zlib.constants.ZSTD_c_checksumFlag]: 1 }
        }
        zlib.zstdCompress(chunk, options, (error, output) =>
          resume(error === null ? Effect.succeed([output]) : Effect.die(error))
        )
      })
    ),
  join: (frames) => frames
})
