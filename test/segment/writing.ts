import { Effect, type Scope } from "effect"
import type { RecordBatch } from "../../src/kafka/batch/RecordBatch.ts"
import * as KbakFormat from "../../src/segment/kbak/KbakFormat.ts"
import type { EncodedSegment, SegmentFormat, SegmentMemory, SegmentSettings } from "../../src/segment/Segment.ts"
import type { SegmentError } from "../../src/segment/SegmentError.ts"

export interface Written extends Omit<EncodedSegment, "pieces" | "release" | "sha256"> {
  readonly file: Buffer
  readonly sha256: string
}

interface Range {
  readonly from?: number
  readonly until?: number
}

/** Writes the batches, one `append` each, into one segment and copies it out. Dies when there is no record. */
export const writeWith = (
  make: Effect.Effect<SegmentFormat, never, Scope.Scope>,
  batches: ReadonlyArray<RecordBatch>,
  { from = 0, until = Number.MAX_SAFE_INTEGER }: Range = {}
): Effect.Effect<Written, SegmentError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const format = yield* make
      const writer = yield* format.open("orders", 3)
      for (const batch of batches) yield* writer.append([batch], from, until)
      const sealed = yield* writer.seal
      if (sealed === undefined) return yield* Effect.die(new Error("the segment is empty"))
      const { pieces, release, sha256: hash, ...facts } = sealed
      const file = Buffer.concat(pieces)
      const sha256 = hash()
      release()
      return { ...facts, file, sha256 }
    })
  )

/** The same as a KBAK segment, uncompressed where nothing else is said. */
export const write = (
  batches: ReadonlyArray<RecordBatch>,
  settings: Partial<SegmentSettings> = {},
  options: Range & SegmentMemory = {}
): Effect.Effect<Written, SegmentError> =>
  writeWith(KbakFormat.make({ compression: "none", level: 3, ...settings }, options), batches, options)
