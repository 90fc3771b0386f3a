import { emptyHeaderBytes } from "./limits.ts"
import { offsetHeaderKeys, type SegmentSettings } from "../Segment.ts"

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
  const head = Buffer.alloc(emptyHeaderBytes + Buffer.byteLength(key))
  head.writeUInt16LE(Buffer.byteLength(key), 0)
  head.write(key, 2)
  head.writeInt32LE(value.length, head.length - 4)
  return Buffer.concat([head, value])
}

const integerBytes = 8

/** Offset, timestamp and, when the cluster has a name, that; or nothing. */
export const fromSettings = (settings: SegmentSettings["offsetHeaders"]): OffsetHeaders => {
  if (settings === undefined) return { count: 0, template: Buffer.alloc(0), offsetAt: 0, timestampAt: 0 }
  const values = [Buffer.alloc(integerBytes), Buffer.alloc(integerBytes), Buffer.from(settings.sourceClusterId ?? "")]
  const headers = offsetHeaderKeys(settings).map((key, i) => encoded(key, values[i]!))
  const offsetEnd = headers[0]!.length
  return {
    count: headers.length,
    template: Buffer.concat(headers),
    offsetAt: offsetEnd - integerBytes,
    timestampAt: offsetEnd + headers[1]!.length - integerBytes
  }
}
