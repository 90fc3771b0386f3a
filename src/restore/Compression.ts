import { Effect } from "effect"
import * as lz4 from "lz4-napi"
import zlib from "node:zlib"
import { promisify } from "node:util"

/** How batches are compressed. */
export type Codec = "none" | "gzip" | "lz4" | "zstd"

/** A compressed records section, and the codec's number in a batch's attributes. */
export interface Section {
  readonly codec: number
  readonly bytes: Buffer
}

/** zstd's fastest level: the broker keeps a batch as it is, and reading costs the same at every level. */
const zstdOptions = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } }

const gzip = promisify(zlib.gzip)
const zstd = promisify(zlib.zstdCompress)

/** Compresses on the thread pool. Uninterruptible: the pool reads the section until it is done. */
export const compress = (codec: Codec, section: Buffer): Effect.Effect<Section> => {
  const pooled = (number: number, act: () => Promise<Buffer>) =>
    Effect.uninterruptible(Effect.map(Effect.promise(act), (bytes) => ({ codec: number, bytes })))
  switch (codec) {
    case "none":
      return Effect.succeed({ codec: 0, bytes: section })
    case "gzip":
      return pooled(1, () => gzip(section))
    case "lz4":
      return pooled(3, () => lz4.compressFrame(section))
    case "zstd":
      return pooled(4, () => zstd(section, zstdOptions))
  }
}

/** The codec for a topic whose `compression.type` is `configured`: its own, or else lz4, which costs least. */
export const codecOf = (configured: string | undefined): Codec => {
  switch (configured) {
    case "gzip":
    case "zstd":
      return configured
    case "uncompressed":
      return "none"
    default:
      return "lz4"
  }
}
