import { promisify } from "node:util"
import zlib from "node:zlib"
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
