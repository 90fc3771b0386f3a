import { Effect } from "effect"
import type { ChunkPool } from "./ChunkPool.ts"
import type { FilledChunk, SegmentBody } from "./SegmentBody.ts"

/** The record stream as it is: the chunks are the pieces. */
export const make = (pool: ChunkPool): SegmentBody => {
  let chunks: Array<FilledChunk> = []
  return {
    limitBytes: Number.MAX_SAFE_INTEGER,
    add: (chunk, filled) => Effect.sync(() => void chunks.push({ chunk, filled })),
    settled: Effect.void,
    finish: Effect.sync(() => chunks.map(({ chunk, filled }) => chunk.subarray(0, filled))),
    giveBack: () => {
      for (const { chunk } of chunks) pool.give(chunk)
      chunks = []
    }
  }
}
