import { DecompressionFailed } from "../../compression/DecompressionFailed.ts"
import { freeMemory } from "../../compression/freeMemory.ts"
import { decompress, decompressPieces } from "../../kafka/batch/Decompression.ts"
import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import { SourceWindow } from "../records/SourceWindow.ts"
import type { Transcoder } from "../records/Transcoder.ts"
import { Malformed } from "../records/varint.ts"

/**
 * Transcodes the records of the batch with `from <= offset < until` behind what is in the target; gives each time that
 * the target is full, and goes on with the one that is set then. Throws `Malformed`, `NotRepresentable` and
 * `DecompressionFailed`.
 */
export async function* transcoded(
  batch: RecordBatch,
  transcoder: Transcoder,
  from: number,
  until: number
): AsyncGenerator<"target", void> {
  const inflated = await inflatedWhole(batch)
  if (inflated === undefined) return yield* inPieces(batch, transcoder, from, until)
  try {
    transcoder.setBatch(batch, from, until)
    if (batch.codec === 0) transcoder.setSource(batch.bytes, batch.recordsStart, batch.end, true)
    else transcoder.setSource(inflated, 0, inflated.length, true)
    while (transcoder.run() !== "done") yield "target"
  } finally {
    if (batch.codec !== 0) freeMemory(inflated)
  }
}

/** Undefined where that is more than 8 MiB. */
const inflatedWhole = async (batch: RecordBatch): Promise<Buffer | undefined> => {
  try {
    return await decompress(batch)
  } catch (cause) {
    if (cause instanceof DecompressionFailed && cause.kind === "too large") return undefined
    throw cause
  }
}

async function* inPieces(
  batch: RecordBatch,
  transcoder: Transcoder,
  from: number,
  until: number
): AsyncGenerator<"target", void> {
  const pieces = decompressPieces(batch)
  const window = new SourceWindow()
  let isLast = false
  const feed = async (needed: number) => {
    window.reserve(needed)
    do {
      const piece = await pieces.next()
      if (piece.done === true) isLast = true
      else window.add(piece.value)
    } while (window.length < needed && !isLast)
    transcoder.setSource(window.bytes, 0, window.length, isLast)
  }
  try {
    transcoder.setBatch(batch, from, until)
    await feed(1)
    for (let stop = transcoder.run(); stop !== "done"; stop = transcoder.run()) {
      if (stop === "target") yield "target"
      else {
        window.dropBefore(transcoder.sourceAt)
        await feed(transcoder.neededSource)
      }
    }
    for (let piece = await pieces.next(); piece.done !== true; piece = await pieces.next()) {
      if (piece.value.length > 0) throw new Malformed("more bytes follow its last record")
    }
  } finally {
    await pieces.return()
    window.giveBack()
  }
}
