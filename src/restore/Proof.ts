import { Effect, Stream } from "effect"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import * as RecordStreaming from "../segment/records/RecordStreaming.ts"
import { WindowDigests } from "../segment/records/WindowDigests.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Content from "./Content.ts"
import * as Fillers from "./Fillers.ts"
import { Differs, RestoreError, TargetDisturbed } from "./RestoreError.ts"

/** Offsets in one window: a difference is reported with at most so many offsets around it. */
export const windowOffsets = 65_536

/** What was found in a range of offsets of the target, or should be there. */
export interface Found {
  readonly windows: ReadonlyMap<number, string>
  readonly records: number
  /** Empty records that fill holes of the log; neither in the windows nor among the records. */
  readonly fillers: number
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
  fillers
})

/**
 * Reads the target's records in `[from, until)` back. Fails if some of them are gone. `onRead` is told up to which
 * offset, exclusive, it has come.
 */
export const readBack = Effect.fnUntraced(function* (
  source: KafkaSourceShape,
  { partition: { fillsHoles, partition }, topic: { target } }: Content.Place,
  topicId: string | undefined,
  from: number,
  until: number,
  onRead: (position: number) => void
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
        yield* streamer.forEachRun(fetched.batches, from, until, add)
        onRead(fetched.position)
      }).pipe(Effect.ensuring(Effect.sync(fetched.release)))
    )
  )
  return found(digests, fillers)
})

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

/** What the plan says of `[from, until)`: read from the backup. */
export const planned = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  place: Content.Place,
  from: number,
  until: number
) {
  const digests = new WindowDigests(windowOffsets, from)
  yield* Content.records(store, place, from, until).pipe(
    Stream.runForEach((run) => Effect.sync(() => digests.add(place.partition.fillsHoles ? Fillers.without(run) : run)))
  )
  return found(digests)
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
