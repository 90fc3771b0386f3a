import type { DurableSegment } from "../manifest/Checkpoint.ts"
import type { EncodedSegment } from "../segment/Segment.ts"
import type { ObjectInfo } from "../storage/ObjectStore.ts"

/** What a checkpoint says of a segment whose put has returned; `sha256` is of what was stored. */
export const of = (
  encoded: EncodedSegment,
  { fingerprint, key, sha256 }: ObjectInfo & { readonly sha256: string },
  uploadedMillis: number
): DurableSegment => ({
  key,
  start_offset: encoded.firstOffset,
  end_offset: encoded.lastOffset,
  start_timestamp: encoded.minTimestamp,
  end_timestamp: encoded.maxTimestamp,
  record_count: encoded.recordCount,
  uncompressed_size: encoded.uncompressedBytes,
  compressed_size: encoded.storedBytes,
  sha256,
  uploaded_at: uploadedMillis,
  payloadBytes: encoded.payloadBytes,
  ...(encoded.largestRecordBytes === undefined ? {} : { largestRecordBytes: encoded.largestRecordBytes }),
  ...(fingerprint === undefined ? {} : { fingerprint })
})
