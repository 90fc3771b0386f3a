import { isUtf8 } from "node:buffer"
import type { StoredRecord } from "../segment/StoredRecord.ts"

/** Topic and partition of an exported record. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `"name":"text"` where the bytes are UTF-8, `"nameBase64":"…"` where they are not, `"name":null` for null. */
const field = (name: string, bytes: Uint8Array | null): string => {
  if (bytes === null) return `"${name}":null`
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return isUtf8(buffer)
    ? `"${name}":${JSON.stringify(buffer.toString("utf8"))}`
    : `"${name}Base64":"${buffer.toString("base64")}"`
}

/**
 * One record as one line of JSON that loses nothing: null and empty stay different, headers keep order and duplicates,
 * bytes that are not UTF-8 are base64 in `keyBase64` or `valueBase64`, and the timestamp has all its digits.
 */
export const jsonLine = (
  { partition, topic }: TopicPartition,
  record: StoredRecord,
  headers: StoredRecord["headers"]
): string =>
  `{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${record.offset},"timestamp":${record.timestamp},` +
  `${field("key", record.key)},${field("value", record.value)},"headers":[${headers
    .map((header) => `{${field("key", header.key)},${field("value", header.value)}}`)
    .join(",")}]}\n`

const readable = (bytes: Uint8Array | null): string => {
  if (bytes === null) return "null"
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return isUtf8(buffer) ? JSON.stringify(buffer.toString("utf8")) : `base64:${buffer.toString("base64")}`
}

const instant = (timestamp: bigint): string => {
  const date = new Date(Number(timestamp))
  return Number.isNaN(date.getTime()) ? `${timestamp} ms` : date.toISOString()
}

/** One record as one line for people: partition, offset, time, key, value, headers. Control characters are escaped. */
export const textLine = (
  { partition, topic }: TopicPartition,
  record: StoredRecord,
  headers: StoredRecord["headers"]
): string =>
  `${topic}[${partition}]@${record.offset}  ${instant(record.timestamp)}  ${readable(record.key)}  ${readable(record.value)}` +
  `${headers.map((header) => `  ${readable(header.key)}=${readable(header.value)}`).join("")}\n`

/** The record's own headers, without those that the backup appended: these are last and in a known order. */
export const ownHeaders = (
  headers: StoredRecord["headers"],
  addedHeaders: ReadonlyArray<string>
): StoredRecord["headers"] => {
  const own = headers.length - addedHeaders.length
  return own >= 0 && addedHeaders.every((name, i) => Buffer.from(headers[own + i]!.key).toString("latin1") === name)
    ? headers.slice(0, own)
    : headers
}
