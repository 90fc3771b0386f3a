import { Effect } from "effect"
import zlib from "node:zlib"
import type { ChunkCodec } from "./CompressedBody.ts"
import { freeMemory } from "../../compression/freeMemory.ts"
import type { PackedBytes } from "./PackedBytes.ts"

/**
 * Largest result of compressing `bytes` bytes. Source: ZSTD_compressBound for inputs of 128 KiB and more, rounded up.
 */
const compressBound = (bytes: number): number => bytes + (bytes >>> 8) + 1024

const nothing = Buffer.alloc(0)

/** Chunks up to this many bytes are compressed on the calling thread: two hops to the pool cost more than the work. */
const inlineBytes = 64 * 1024

/**
 * One frame with content size and checksum. With all of the input, the end of it and enough room for the output in one
 * call, zstd works on the input where it stands; else it copies it through a window of its own, 8 % slower and less
 * dense. A stream tells the end together with the input only if the input has to wait, here for an empty write.
 */
const frame = (chunk: Uint8Array, level: number, done: (failure: Error | undefined, frame: Buffer) => void): void => {
  const options = {
    chunkSize: compressBound(chunk.length),
    pledgedSrcSize: chunk.length,
    params: { [zlib.constants.ZSTD_c_compressionLevel]: level, [zlib.constants.ZSTD_c_checksumFlag]: 1 }
  }
  if (chunk.length <= inlineBytes) return done(undefined, zlib.zstdCompressSync(chunk, options))
  const stream = zlib.createZstdCompress(options)
  const parts: Array<Buffer> = []
  stream.on("data", (part: Buffer) => parts.push(part))
  stream.on("error", (error) => done(error, nothing))
  stream.on("end", () => done(undefined, parts.length === 1 ? parts[0]! : Buffer.concat(parts)))
  stream.write(nothing)
  stream.end(chunk)
}

/**
 * Every chunk is a zstd frame with content size and checksum; the body is their concatenation. A chunk of more than
 * `frameBytes` becomes several frames, since the memory that zstd takes grows with what it compresses at once. `level`:
 * 1-22.
 */
export const make = (level: number, frameBytes: number): ChunkCodec => {
  const compressed = (input: Uint8Array, packed: PackedBytes): Effect.Effect<ReadonlyArray<Uint8Array>> =>
    Effect.callback((resume) =>
      frame(input, level, (failure, output) => {
        if (failure !== undefined) return resume(Effect.die(failure))
        const pieces = packed.add(output)
        freeMemory(output)
        resume(Effect.succeed(pieces))
      })
    )
  return {
    limitBytes: Number.MAX_SAFE_INTEGER,
    compress: (chunk, packed) => {
      if (chunk.length <= frameBytes) return Effect.uninterruptible(compressed(chunk, packed))
      const inputs = Array.from({ length: Math.ceil(chunk.length / frameBytes) }, (_, i) =>
        chunk.subarray(i * frameBytes, (i + 1) * frameBytes)
      )
      return Effect.uninterruptible(
        Effect.map(
          Effect.forEach(inputs, (input) => compressed(input, packed)),
          (frames) => frames.flat()
        )
      )
    },
    join: (frames) => frames
  }
}
