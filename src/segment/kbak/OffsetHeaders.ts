import * as Kbak from "./Kbak.ts"
import type { SegmentSettings } from "../Segment.ts"

/** The headers that every record gets after its own, as the bytes that follow the last own header in the stream. */
export interface OffsetHeaders {
  /** Number of headers added to each record; 0 when the user did not ask for any. */
  readonly count: number
  /** The same for every record but for the two integers. */
  readonly template: Buffer
  /** Where in `template` the record's offset and timestamp go, each 8 bytes little-endian. */
  readonly offsetAt: number
  readonly timestampAt: number
}

const encoded = (key: string, value: Buffer): Buffer => {
  const head = Buffer.alloc(Kbak.emptyHeaderBytes + Buffer.byteLength(key))
  head.writeUInt16LE(Buffer.byteLength(key), 0)
  head.write(key, 2)
  head.writeInt32LE(value.length, head.length - 4)
  return Buffer.concat([head, value])
}

/** `x-original-offset`, `x-original-timestamp` and, when the cluster has a name, `x-source-cluster`; or nothing. */
export const fromSettings = (settings: SegmentSettings["offsetHeaders"]): OffsetHeaders => {
  if (settings === undefined) return { count: 0, template: Buffer.alloc(0), offsetAt: 0, timestampAt: 0 }
  const offset = encoded("x-original-offset", Buffer.alloc(8))
  const timestamp = encoded("x-original-timestamp", Buffer.alloc(8))
  const cluster =
    settings.sourceClusterId === undefined
      ? undefined
      : encoded("x-source-cluster", Buffer.from(settings.sourceClusterId, "utf8"))
  return {
    count: cluster === undefined ? 2 : 3,
    template: Buffer.concat(cluster === undefined ? [offset, timestamp] : [offset, timestamp, cluster]),
    offsetAt: offset.length - 8,
    timestampAt: offset.length + timestamp.length - 8
  }
}
