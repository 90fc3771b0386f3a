import { Effect, Stream } from "effect"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { Lease } from "../segment/ByteBudget.ts"
import * as Batches from "./Batches.ts"
import { compressBatch } from "./Compression.ts"
import * as Content from "./Content.ts"
import { FilledHoles } from "./FilledHoles.ts"
import * as Fillers from "./Fillers.ts"
import type * as LargeRecords from "./LargeRecords.ts"
import * as Produced from "./Produced.ts"
import * as Proof from "./Proof.ts"
import type { WindowDigests } from "../segment/records/WindowDigests.ts"

/** One thing to do at the end of the target's log, in order. */
export type Step =
  /** Appends records that were compressed already: those of the backup, or fillers. */
  | {
      readonly _tag: "Append"
      readonly batch: Produced.Produced
      /** Of the memory that the batch takes, to be closed when it is answered. Fillers share theirs. */
      readonly lease?: Lease
      /** Records of the backup in it. */
      readonly records: number
    }
  /** Makes the log begin at `start`: everything before it was filled up. */
  | { readonly _tag: "Trim"; readonly start: number }
  /** Takes offsets that no record has, with control markers. `until` is exclusive. */
  | { readonly _tag: "Markers"; readonly from: number; readonly until: number }

/** Batches that are compressed at the same time for one partition. */
const compressing = 2

const fillers = (from: number, until: number): Stream.Stream<Step> =>
  Stream.unfold(from, (at) => {
    if (at >= until) return Effect.succeed(undefined)
    const count = Math.min(Fillers.recordsPerBatch, until - at)
    const { batch, section } = Fillers.batch(at, count)
    const step: Step = { _tag: "Append", batch: Produced.ofFillers(batch, section), records: 0 }
    return Effect.succeed([step, at + count] as const)
  })

/**
 * What is to be done, in order, so that the target's log, which ends at `from`, holds all that the plan says.
 * `digests` sees every record that is to be appended.
 */
export const from = (
  store: ObjectStoreShape,
  place: Content.Place,
  from: number,
  options: LargeRecords.Making & {
    readonly digests: WindowDigests
    readonly lease: () => Lease
  }
) => {
  const { appendedFrom, end, start } = place.partition
  const dataFrom = Math.max(start, from)
  const filledHoles = place.partition.fillsHoles ? new FilledHoles(dataFrom) : undefined
  const content = Content.pieces(
    store,
    place,
    dataFrom,
    undefined,
    Proof.taking(options.asStored, options.digests)
  ).pipe(Stream.tap((piece) => Effect.sync(() => Proof.add(options.digests, piece, filledHoles !== undefined))))
  const pieces =
    filledHoles === undefined
      ? content
      : content.pipe(
          Stream.flatMap((piece): Stream.Stream<Content.Piece> => {
            if (Content.isRun(piece)) return Stream.fromIterable(filledHoles.push(piece), { chunkSize: 1 })
            filledHoles.pass(piece.lastOffset + 1)
            return Stream.make(piece)
          })
        )
  const appends = Batches.of(pieces, options.batchBytes).pipe(
    Stream.map((batch) => ({
      batch,
      records:
        "batch" in batch
          ? batch.batch.recordCount
          : batch.recordCount - (filledHoles?.fillersUntil(batch.lastOffset + 1) ?? 0)
    })),
    Stream.mapEffect(
      ({ batch, records }) =>
        Effect.suspend((): Effect.Effect<Step> => {
          const lease = options.lease()
          if ("batch" in batch) {
            const stored = Produced.ofStored(batch)
            return Effect.as(lease.take(stored.bytes), { _tag: "Append", batch: stored, records, lease })
          }
          return Effect.andThen(lease.take(batch.bytes.length), compressBatch(options.codec, batch)).pipe(
            Effect.map((compressed): Step => {
              lease.keep(compressed.section.bytes.length)
              const { batch: unsealed, section } = compressed
              return { _tag: "Append", batch: Produced.ofRecords(unsealed, section), records, lease }
            })
          )
        }),
      { concurrency: compressing }
    )
  )
  const withMarkers = appends.pipe(
    Stream.mapAccum(
      () => dataFrom,
      (next, step) => {
        if (step._tag !== "Append") return [next, [step]] as const
        const { firstOffset, lastOffset } = step.batch
        const hole: ReadonlyArray<Step> =
          firstOffset > next ? [{ _tag: "Markers", from: next, until: firstOffset }] : []
        return [lastOffset + 1, [...hole, step]] as const
      },
      { onHalt: (next) => (next < end ? [{ _tag: "Markers", from: next, until: end } as const] : []) }
    )
  )
  const trim: Stream.Stream<Step> = start > 0 ? Stream.make({ _tag: "Trim", start }) : Stream.empty
  // Below that there are records of others.
  if (appendedFrom !== undefined) return withMarkers
  const withoutHoles =
    filledHoles === undefined
      ? withMarkers
      : withMarkers.pipe(
          Stream.flatMap((step) => (step._tag === "Markers" ? fillers(step.from, step.until) : Stream.make(step)))
        )
  return fillers(from, start).pipe(Stream.concat(trim), Stream.concat(withoutHoles))
}
