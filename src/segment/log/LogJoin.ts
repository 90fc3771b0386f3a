import { Effect, Stream } from "effect"
import { sha256Of } from "../body/sha256Of.ts"
import { RecordNotRepresentable, SegmentDamaged, SegmentError } from "../SegmentError.ts"
import type { JoinedFile, JoinPart, SegmentJoin } from "../SegmentJoin.ts"
import * as LogBatches from "./LogBatches.ts"
import * as LogPlace from "./LogPlace.ts"

/** Bytes that are looked at without a pause for other fibers; about 2 ms. */
const step = 1024 * 1024

const damaged = ({ key }: JoinPart, detail: string) => new SegmentError({ reason: new SegmentDamaged({ key, detail }) })

const piecesOf = (file: Uint8Array): Stream.Stream<Uint8Array> =>
  Stream.range(0, Math.ceil(file.byteLength / step) - 1).pipe(
    Stream.map((n) => file.subarray(n * step, (n + 1) * step)),
    Stream.rechunk(1)
  )

/** Proves a part, and gives the offsets from the first of its first batch to the last of its last one. */
const proven = Effect.fnUntraced(function* (part: JoinPart) {
  const { file, firstOffset, key, lastOffset, recordCount, sha256 } = part
  if (sha256 === undefined) return yield* damaged(part, "has no SHA-256 in the manifest, which alone proves a log")
  const found = { records: 0, first: -1, last: -1 }
  yield* LogBatches.batches(key, piecesOf(file), { firstOffset, lastOffset, sha256 }).pipe(
    Stream.runForEach((batches) =>
      Effect.sync(() => {
        for (const batch of batches) {
          if (found.first === -1) found.first = batch.baseOffset
          found.records += batch.recordCount
          found.last = batch.lastOffset
        }
      })
    )
  )
  // Batches at its ends may hold records that are not the segment's.
  if (found.records < recordCount) {
    return yield* damaged(part, `holds ${found.records} records, but the manifest says ${recordCount}`)
  }
  return found
})

/**
 * Joins logs: batches, and frames around them, follow one another. A batch that lies at the end of one part and at the
 * beginning of the next, each with its own share of its records, cannot be there twice: such parts stay apart.
 */
export const join: SegmentJoin = Effect.fn("LogJoin.join")(function* (parts) {
  let before = -1
  for (const part of parts) {
    const { first, last } = yield* proven(part)
    if (first <= before) {
      const detail = "its first batch is in the segment before it, too, and a log holds a batch once"
      return yield* new SegmentError({
        reason: new RecordNotRepresentable({ ...LogPlace.of(part.key), offset: first, detail })
      })
    }
    before = last
  }
  const pieces = parts.map(({ file }) => file)
  return {
    pieces,
    storedBytes: pieces.reduce((sum, piece) => sum + piece.length, 0),
    sha256: () => sha256Of(pieces)
  } satisfies JoinedFile
})
