import { Readable, pipeline } from "node:stream"
import { promisify } from "node:util"
import zlib from "node:zlib"
import { DecompressionFailed } from "./DecompressionFailed.ts"
import { inflatedPieceBytes, type PieceInflater } from "./PieceInflater.ts"
import { wholeInflater } from "./WholeInflater.ts"
import { zlibOptions } from "./zlibOptions.ts"

const gunzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip)

/** Gzip of one or more members. Node's decoder takes them all, and lets zeros follow. */
export const gzip = wholeInflater({
  codec: "gzip",
  parts: (bytes) => [bytes],
  oneSync: (bytes, maxBytes) => zlib.gunzipSync(bytes, zlibOptions(bytes.length, maxBytes)),
  one: (bytes, maxBytes) => gunzip(bytes, zlibOptions(bytes.length, maxBytes))
})

/** The same in pieces. Memory: a few pieces. */
export const gzipPieces: PieceInflater = async function* (pieces) {
  const decoder = zlib.createGunzip({ chunkSize: inflatedPieceBytes })
  try {
    pipeline(Readable.from(pieces, { objectMode: false }), decoder, () => {})
    for await (const output of decoder) yield output as Buffer
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && typeof cause.code === "string" && cause.code.startsWith("Z_"))
      throw new DecompressionFailed({ kind: "damaged", codec: "gzip", detail: cause.message, cause })
    throw cause
  }
}
