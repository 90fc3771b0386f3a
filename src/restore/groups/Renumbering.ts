import { Effect, Stream } from "effect"
import * as Formats from "../../segment/Formats.ts"
import { ObjectKey, type ObjectStoreShape } from "../../storage/ObjectStore.ts"
import * as Cut from "../Cut.ts"
import type { PlannedPartition } from "../RestorePlan.ts"

const everything = () => true

/**
 * For each of some offsets of the source, ascending: how many records of the partition that are restored lie below it.
 * A segment is read only if one of the offsets lies inside of it; of the others the plan has the count.
 */
export const recordsBelow = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  { segments }: Pick<PlannedPartition, "segments">,
  offsets: ReadonlyArray<number>,
  cut?: Cut.Cut
) {
  const counts = offsets.map(() => 0)
  for (const segment of segments) {
    const inside: Array<number> = []
    for (const [i, offset] of offsets.entries()) {
      if (segment.end_offset < offset) counts[i]! += segment.kept?.records ?? segment.record_count
      else if (segment.start_offset < offset) inside.push(i)
    }
    if (inside.length === 0) continue
    const keeps = Cut.ofSegment(cut, segment) ?? everything
    yield* Formats.reader.runs(segment, store.read(ObjectKey.make(segment.key))).pipe(
      Stream.runForEach((run) =>
        Effect.sync(() => {
          for (let at = 0; at < run.length; at += 4 + run.readUInt32LE(at)) {
            if (!keeps(run, at)) continue
            const offset = run.readUInt32LE(at + 12) + run.readInt32LE(at + 16) * 0x1_0000_0000
            for (const i of inside) if (offset < offsets[i]!) counts[i]!++
          }
        })
      )
    )
  }
  return new Map(offsets.map((offset, i) => [offset, counts[i]!]))
})
