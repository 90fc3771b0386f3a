import type { Stream } from "effect"
import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import { SegmentDamaged, SegmentError } from "../SegmentError.ts"
import type { NamedSegment } from "../SegmentReader.ts"
import * as StreamedReader from "../StreamedReader.ts"
import { LogWalk } from "./LogWalk.ts"

/**
 * The record batches of a stored log, whole, in order, as the broker had them: each with its base offset, last offset
 * and record count, its checksum compared, its records section not opened. The first and the last one may hold records
 * outside of the segment's offsets. Nobody changes their bytes afterwards. Fails with `SegmentDamaged`, at the latest
 * in place of the end, where the file is not the one that is named.
 */
export const batches = <E, R>(
  key: string,
  file: Stream.Stream<Uint8Array, E, R>,
  named?: NamedSegment
): Stream.Stream<ReadonlyArray<RecordBatch>, E | SegmentError, R> =>
  StreamedReader.stream(file, async function* (pieces) {
    const walk = new LogWalk(key, pieces, named)
    yield* walk.batches(false)
    if (named?.sha256 === undefined || named.sha256 === walk.sha256) return
    const detail = StreamedReader.otherFile(walk.sha256, named.sha256)
    throw new SegmentError({ reason: new SegmentDamaged({ key, detail }) })
  })
