import { Effect, Stream } from "effect"
import { freeMemory } from "../compression/freeMemory.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import type { RecordBatch } from "../kafka/batch/RecordBatch.ts"
import { hasNoHoles } from "../kafka/batch/ResealedBatch.ts"
import type { OffsetRanges } from "../segment/records/OffsetRanges.ts"
import * as RecordStreaming from "../segment/records/RecordStreaming.ts"
import { WindowDigests } from "../segment/records/WindowDigests.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Content from "./Content.ts"
import * as Fillers from "./Fillers.ts"
import * as AsStored from "./AsStored.ts"
import { Differs, RestoreError, TargetDisturbed } from "./RestoreError.ts"

/** Offsets in one window: a difference is reported with at most so many offsets around it. */
export const windowOffsets = 65_536

/** What was found in a range of offsets of the target, or should be there. */
export interface Found {
  readonly windows: ReadonlyMap<number, string>
  readonly records: number
  /** Empty records that fill holes of the log; neither in the windows nor among the records. */
  readonly fillers: number
  /** The offsets whose batches were compared as they are compressed, in place of their records. */
  readonly batched: OffsetRanges
}

/** A range of offsets of the target whose records are those of the backup. */
export interface ComparedRange {
  readonly from: number
  /** Exclusive. */
  readonly until: number
  readonly records: number
}

export const found = (digests: WindowDigests, fillers = 0): Found => ({
  windows: digests.end(),
  records: digests.recordCount,
  fillers,
  batched: digests.batched
})

/** Ranges of batches that are remembered for one partition, 16 bytes each. Beyond them all goes as records. */
const mostRanges = 32_768

/** Which stored batches are taken as they are while `digests` is made of them. */
export const taking =
  (rules: AsStored.Rules | undefined, digests: WindowDigests) =>
  (batch: RecordBatch): boolean =>
    rules !== undefined && digests.batched.count < mostRanges && AsStored.fits(rules, batch)

/** Takes a piece of the backup into the digests. `hasFillers`: those that it has itself are not told from others. */
export const add = (digests: WindowDigests, piece: Content.Piece, hasFillers: boolean): void => {
  if (Content.isRun(piece)) digests.add(hasFillers ? Fillers.without(piece) : piece)
  else digests.addBatch(piece.batch, piece.firstOffset)
}

/**
 * Reads the target's records in `[from, until)` back. Fails if some of them are gone. `onRead` is told up to which
 * offset, exclusive, it has come. Of the offsets in `batched`, batches are compared as they are compressed.
 */
export const readBack = Effect.fnUntraced(function* (
  source: KafkaSourceShape,
  { partition: { fillsHoles, partition }, topic: { target } }: Content.Place,
  topicId: string | undefined,
  from: number,
  until: number,
  onRead: (position: number) => void,
  batched?: OffsetRanges
) {
  const streamer = RecordStreaming.make(target, partition)
  const digests = new WindowDigests(windowOffsets, from)
  let fillers = 0
  const add = (run: Buffer) => {
    if (fillsHoles) fillers += Fillers.countIn(run)
    digests.add(fillsHoles ? Fillers.without(run) : run)
  }
  yield* source.read({ topic: target, topicId, partition, from, until }).pipe(
    Stream.runForEach((fetched) =>
      Effect.gen(function* () {
        if (fetched.gap !== undefined) {
          const detail = `the broker removed offsets ${fetched.gap.from} to ${fetched.gap.until - 1} again: its retention is shorter than the records' age`
          const reason = new TargetDisturbed({ topic: target, partition, offset: fetched.gap.from, detail })
          return yield* new RestoreError({ reason })
        }
        for (const some of grouped(fetched.batches, batched)) {
          if (some._tag === "Records") yield* streamer.forEachRun(some.batches, from, until, add)
          else for (const batch of some.batches) digests.addBatch(batch, batch.baseOffset)
        }
        onRead(fetched.position)
      }).pipe(Effect.ensuring(Effect.sync(fetched.release)))
    )
  )
  return found(digests, fillers)
})

/** Batches that follow one another, and how they are compared. */
interface Group {
  readonly _tag: "Batches" | "Records"
  readonly batches: Array<RecordBatch>
}

const grouped = (batches: ReadonlyArray<RecordBatch>, batched: OffsetRanges | undefined): ReadonlyArray<Group> => {
  if (batched === undefined || batched.count === 0) return [{ _tag: "Records", batches: [...batches] }]
  const groups: Array<Group> = []
  for (const batch of batches) {
    const isBatched = !batch.logAppendTime && hasNoHoles(batch) && batched.holds(batch.baseOffset, batch.lastOffset + 1)
    const _tag = isBatched ? "Batches" : "Records"
    const last = groups.at(-1)
    if (last?._tag === _tag) last.batches.push(batch)
    else groups.push({ _tag, batches: [batch] })
  }
  return groups
}

/** How many of the records in `[from, until)` are fillers, as a restore puts them before the start of a log. */
export const countFillers = Effect.fnUntraced(function* (
  source: KafkaSourceShape,
  { partition: { partition }, topic: { target } }: Content.Place,
  topicId: string | undefined,
  from: number,
  until: number
) {
  const streamer = RecordStreaming.make(target, partition)
  let fillers = 0
  yield* source.read({ topic: target, topicId, partition, from, until }).pipe(
    Stream.runForEach((fetched) =>
      Effect.gen(function* () {
        yield* streamer.forEachRun(fetched.batches, from, until, (run) => void (fillers += Fillers.countIn(run)))
      }).pipe(Effect.ensuring(Effect.sync(fetched.release)))
    )
  )
  return fillers
})

/** What the plan says of `[from, until)`: read from the backup. With rules, batches are taken as they are stored. */
export const planned = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  place: Content.Place,
  from: number,
  until: number,
  asStored?: AsStored.Rules
) {
  const digests = new WindowDigests(windowOffsets, from)
  const fillsHoles = place.partition.fillsHoles ?? false
  yield* Content.pieces(store, place, from, until, taking(asStored, digests)).pipe(
    Stream.runForEach((piece) =>
      Effect.sync(() => {
        add(digests, piece, fillsHoles)
        if (!Content.isRun(piece)) freeMemory(piece.batch.bytes)
      })
    )
  )
  return found(digests)
})

/**
 * Fails unless the target holds in `[from, until)` what `should` says, or, where brokers have compressed a batch anew,
 * at least the same records: then all of them are read once more, from both sides. Gives how many there are.
 */
export const compare = Effect.fnUntraced(function* (
  { source, store }: { readonly source: KafkaSourceShape; readonly store: ObjectStoreShape },
  place: Content.Place,
  topicId: string | undefined,
  should: Found,
  from: number,
  until: number,
  onRead: (position: number) => void
) {
  const is = yield* readBack(source, place, topicId, from, until, onRead, should.batched)
  const equal = assertEqual(place, should, is, from, until)
  if (should.batched.count === 0) yield* equal
  else {
    yield* Effect.catchReason(
      equal,
      "RestoreError",
      "Differs",
      Effect.fnUntraced(function* () {
        const records = yield* planned(store, place, from, until)
        yield* assertEqual(place, records, yield* readBack(source, place, topicId, from, until, onRead), from, until)
      })
    )
  }
  return is.records
})

/** Fails unless both are the same, and names the first window that differs. */
export const assertEqual = (
  { partition: { fillsHoles, partition }, topic: { target } }: Content.Place,
  should: Found,
  is: Found,
  from: number,
  until: number
): Effect.Effect<void, RestoreError> => {
  const numbers = [...new Set([...should.windows.keys(), ...is.windows.keys()])].toSorted((a, b) => a - b)
  const first = numbers.find((number) => should.windows.get(number) !== is.windows.get(number))
  const isWhole = !fillsHoles || is.records + is.fillers === until - from
  if (first === undefined && should.records === is.records && isWhole) return Effect.void
  const at = (first ?? 0) * windowOffsets
  const filled = isWhole ? "" : `, and ${is.fillers} empty records fill its ${until - from - should.records} holes`
  const reason = new Differs({
    topic: target,
    partition,
    from: Math.max(from, at),
    until: Math.min(until, at + windowOffsets),
    detail: `${is.records} records were read back, and the backup has ${should.records}${filled}`
  })
  return Effect.fail(new RestoreError({ reason }))
}
