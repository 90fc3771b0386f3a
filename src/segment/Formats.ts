import { Effect, type Scope, Stream } from "effect"
import type { RecordBatch } from "../kafka/batch/RecordBatch.ts"
import * as KbakFormat from "./kbak/KbakFormat.ts"
import * as KbakJoin from "./kbak/KbakJoin.ts"
import * as KbakReader from "./kbak/KbakReader.ts"
import * as LogBatches from "./log/LogBatches.ts"
import * as LogFormat from "./log/LogFormat.ts"
import * as LogJoin from "./log/LogJoin.ts"
import * as LogReader from "./log/LogReader.ts"
import type { SegmentFormat, SegmentMemory, SegmentSettings } from "./Segment.ts"
import { SegmentError, UnknownFormat } from "./SegmentError.ts"
import type { SegmentJoin } from "./SegmentJoin.ts"
import type { NamedSegment, Piece, SegmentContent, SegmentReader } from "./SegmentReader.ts"
import type { StoredRecord } from "./StoredRecord.ts"

/** One kind of segment file: how it is written, how its files are recognized, how they are read. */
interface Format {
  readonly make: (settings: SegmentSettings, memory?: SegmentMemory) => Effect.Effect<SegmentFormat, never, Scope.Scope>
  /** Endings of the file names of all its versions and settings; those of two formats differ. */
  readonly endings: ReadonlyArray<string>
  /** The codec that one of its endings stands for. */
  readonly compressionOf: (ending: string) => SegmentSettings["compression"] | undefined
  readonly reader: SegmentReader
  /** Makes one file of several. */
  readonly join: SegmentJoin
  /** Whether the smallest timestamp of a segment is that of its records, and no record of it is earlier. */
  readonly hasSmallestTimestamp: boolean
  /** Present: its files hold record batches as brokers have them. */
  readonly batches?: typeof LogBatches.batches
}

/** Every format, by the name that users give it, and the only place that names one. */
const formats = {
  /** KBAK version 1, the open format of records that other tools read too. */
  records: {
    make: KbakFormat.make,
    endings: KbakFormat.suffixes,
    compressionOf: KbakFormat.compressionOf,
    reader: KbakReader.reader,
    join: KbakJoin.join,
    hasSmallestTimestamp: true
  },
  /** Kafka's own log segments: record batches as the broker has them. */
  batches: {
    make: LogFormat.make,
    endings: LogFormat.suffixes,
    compressionOf: LogFormat.compressionOf,
    reader: LogReader.reader,
    join: LogJoin.join,
    hasSmallestTimestamp: false,
    batches: LogBatches.batches
  }
} as const satisfies Record<string, Format>

export type FormatName = keyof typeof formats

/** Gets ready to write. The scope is the run: closing it waits for compressions in flight. */
export const writer = (
  name: FormatName,
  settings: SegmentSettings,
  memory?: SegmentMemory
): Effect.Effect<SegmentFormat, never, Scope.Scope> => formats[name].make(settings, memory)

const all: ReadonlyArray<Format> = Object.values(formats)
const endings: ReadonlyArray<string> = all.flatMap((format) => format.endings)

/** The ending of the file's name that says its format and codec: only files with the same one can be joined. */
export const endingOf = (key: string): string | undefined => endings.find((ending) => key.endsWith(ending))

const known = (key: string): Format | undefined =>
  all.find((format) => format.endings.some((ending) => key.endsWith(ending)))

/** The format of the file of that key, which is as the set's manifest names it. */
const formatOf = (key: string): Effect.Effect<Format, SegmentError> => {
  const found = known(key)
  if (found !== undefined) return Effect.succeed(found)
  const name = key.slice(key.lastIndexOf("/") + 1)
  const ending = name.includes(".") ? `ends in ${name.slice(name.indexOf("."))}` : "has no ending"
  const format = `its name ${ending}; known endings are ${endings.join(", ")}`
  return Effect.fail(new SegmentError({ reason: new UnknownFormat({ key, format }) }))
}

/** The codec of the file, as its name says it. */
export const compressionOf = (key: string): SegmentSettings["compression"] | undefined =>
  known(key)?.compressionOf(endingOf(key) ?? "")

/** Whether no record of the segment is earlier than the smallest timestamp that its manifest says. */
export const hasSmallestTimestamp = (key: string): boolean => known(key)?.hasSmallestTimestamp ?? true

/** Joins segments of any one format: see `SegmentJoin`. */
export const join: SegmentJoin = (parts) =>
  Effect.flatMap(formatOf(parts[0]?.key ?? ""), (format) => format.join(parts))

/** A segment as a manifest names it. */
export interface StoredSegment {
  readonly key: string
  readonly start_offset: number
  readonly end_offset: number
  readonly sha256?: string | undefined
}

const named = ({ end_offset, sha256, start_offset }: StoredSegment): NamedSegment => ({
  firstOffset: start_offset,
  lastOffset: end_offset,
  sha256
})

/** Reads segments of every format, each by the reader that its key asks for: see `SegmentReader`. */
export const reader = {
  inspect: <E, R>(
    segment: StoredSegment,
    file: Stream.Stream<Uint8Array, E, R>
  ): Effect.Effect<SegmentContent, E | SegmentError, R> =>
    Effect.flatMap(formatOf(segment.key), (format) => format.reader.inspect(segment.key, file, named(segment))),
  runs: <E, R>(
    segment: StoredSegment,
    file: Stream.Stream<Uint8Array, E, R>
  ): Stream.Stream<Buffer, E | SegmentError, R> =>
    Stream.unwrap(Effect.map(formatOf(segment.key), (format) => format.reader.runs(segment.key, file, named(segment)))),
  pieces: <E, R>(
    segment: StoredSegment,
    file: Stream.Stream<Uint8Array, E, R>,
    takes: (batch: RecordBatch) => boolean
  ): Stream.Stream<Piece, E | SegmentError, R> =>
    Stream.unwrap(
      Effect.map(formatOf(segment.key), (format) => format.reader.pieces(segment.key, file, takes, named(segment)))
    ),
  records: <E, R>(
    segment: StoredSegment,
    file: Stream.Stream<Uint8Array, E, R>
  ): Stream.Stream<ReadonlyArray<StoredRecord>, E | SegmentError, R> =>
    Stream.unwrap(
      Effect.map(formatOf(segment.key), (format) => format.reader.records(segment.key, file, named(segment)))
    ),
  provenRecords: <E, R>(
    segment: StoredSegment,
    file: Stream.Stream<Uint8Array, E, R>
  ): Stream.Stream<ReadonlyArray<StoredRecord>, E | SegmentError, R> =>
    Stream.unwrap(
      Effect.map(formatOf(segment.key), (format) => format.reader.provenRecords(segment.key, file, named(segment)))
    )
}

/**
 * The record batches of a segment as the broker had them, in order: see `LogBatches`. Undefined where its format holds
 * records and no batches.
 */
export const batches = <E, R>(
  segment: StoredSegment,
  file: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<ReadonlyArray<RecordBatch>, E | SegmentError, R> | undefined =>
  known(segment.key)?.batches?.(segment.key, file, named(segment))
