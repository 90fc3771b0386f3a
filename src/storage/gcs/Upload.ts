import { randomUUID } from "node:crypto"
import type { Content } from "../cloud/Remote.ts"
import * as Writing from "../cloud/Writing.ts"
import * as Checksums from "./Checksums.ts"

/** Largest object of one request, in bytes. Source: Google Cloud Storage quotas: 5 TiB. */
export const largestBytes = 5 * 1024 ** 4

/**
 * The body of a multipart upload: the object's name, its CRC-32C and how it is to be stored, then its content. The
 * server compares content and checksum before the object appears. (An upload of the content alone, `uploadType=media`,
 * could not carry the checksum so.)
 */
export const body = (name: string, content: Content, more: Readonly<Record<string, unknown>> = {}) => {
  const boundary = randomUUID()
  const crc32c = Checksums.crc32cOf(content.pieces)
  const resource = { name, contentType: "application/octet-stream", crc32c, ...more }
  const head = Buffer.from(
    `--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(resource)}\r\n` +
      `--${boundary}\r\ncontent-type: application/octet-stream\r\n\r\n`
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  return {
    contentType: `multipart/related; boundary=${boundary}`,
    bytes: head.byteLength + content.size + tail.byteLength,
    /** A new one for every request. */
    stream: () => Writing.stream([head, ...content.pieces, tail])
  }
}
