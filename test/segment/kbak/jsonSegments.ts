import * as lz4 from "lz4-napi"
import zlib from "node:zlib"
import type { PlainRecord } from "../plainRecords.ts"

/** As the first tools of the format wrote it; byte strings in base64, numbers of 64 bits as they are. */
export const json = (records: ReadonlyArray<PlainRecord>, space = ""): Buffer => {
  const text = (bytes: Buffer | null) => (bytes === null ? "null" : JSON.stringify(bytes.toString("base64")))
  const objects = records.map(({ headers, key, offset, timestamp, value }) => {
    const all = headers.map(([name, content]) => `{"key":${JSON.stringify(name.toString())},"value":${text(content)}}`)
    return `{${space}"key":${text(key)},"value":${text(value)},"headers":[${all.join(",")}],${space}"timestamp":${timestamp},"offset":${offset}}`
  })
  return Buffer.from(`[${space}${objects.join(`,${space}`)}${space}]`)
}

/** How a file of each ending is compressed. */
export const files: ReadonlyArray<readonly [suffix: string, (bytes: Buffer) => Buffer]> = [
  [".bin", (bytes) => bytes],
  [".bin.zst", (bytes) => zlib.zstdCompressSync(bytes)],
  [".bin.lz4", (bytes) => lz4.compressSync(bytes)]
]
