import { Effect, type Scope, Stream } from "effect"
import * as KbakFormat from "./kbak/KbakFormat.ts"
import * as KbakJoin from "./kbak/KbakJoin.ts"
import * as KbakReader from "./kbak/KbakReader.ts"
import type { SegmentFormat, SegmentMemory, SegmentSettings } from "./Segment.ts"
import { SegmentError, UnknownFormat } from "./SegmentError.ts"
import type { SegmentJoin } from "./SegmentJoin.ts"
import type { SegmentReader } from "./SegmentReader.ts"

/** One kind of segment file: how it is written, how its files are recognized, how they are read. */
interface Format {
  readonly make: (settings: SegmentSettings, memory?: SegmentMemory) => Effect.Effect<SegmentFormat, never, Scope.Scope>
  /** Endings of the file names of all its versions and settings; those of two formats differ. */
  readonly endings: ReadonlyArray<string>
  readonly reader: SegmentReader
  /** Makes one file of several. */
  readonly join: SegmentJoin
}

/** Every format, and the only place that names one. */
const formats = {
  /** KBAK version 1, the open format of records that other tools read too. */
  kbak: { make: KbakFormat.make, endings: KbakFormat.suffixes, reader: KbakReader.reader, join: KbakJoin.join }
} as const satisfies Record<string, Format>

export type FormatName = keyof typeof formats

/** Gets ready to write. The scope is the run: closing it waits for compressions in flight. */
export const writer = (
  name: FormatName,
  settings: SegmentSettings,
  memory?: SegmentMemory
): Effect.Effect<SegmentFormat, never, Scope.Scope> => formats[name].make(settings, memory)

/** The format of the file of that key, which is as the set's manifest names it. */
const formatOf = (key: string): Effect.Effect<Format, SegmentError> => {
  const all: ReadonlyArray<Format> = Object.values(formats)
  const found = all.find(({ endings }) => endings.some((ending) => key.endsWith(ending)))
  if (found !== undefined) return Effect.succeed(found)
  const known = all.flatMap(({ endings }) => endings).join(", ")
  const name = key.slice(key.lastIndexOf("/") + 1)
  const ending = name.includes(".") ? `ends in ${name.slice(name.indexOf("."))}` : "has no ending"
  const format = `its name ${ending}; known endings are ${known}`
  return Effect.fail(new SegmentError({ reason: new UnknownFormat({ key, format }) }))
}

const readerOf = (key: string): Effect.Effect<SegmentReader, SegmentError> =>
  Effect.map(formatOf(key), ({ reader }) => reader)

const endings: ReadonlyArray<string> = Object.values(formats).flatMap((format) => format.endings)

/** The ending of the file's name that says its format and codec: only files with the same one can be joined. */
export const endingOf = (key: string): string | undefined => endings.find((ending) => key.endsWith(ending))

/** The codec of the file, as its name says it. */
export const compressionOf = (key: string): SegmentSettings["compression"] | undefined =>
  KbakFormat.compressionOf(endingOf(key))

/** Joins segments of any one format: see `SegmentJoin`. */
export const join: SegmentJoin = (parts) =>
  Effect.flatMap(formatOf(parts[0]?.key ?? ""), (format) => format.join(parts))

/** Reads segments of every format: each by the reader that its key asks for. */
export const reader: SegmentReader = {
  inspect: (key, file) => Effect.flatMap(readerOf(key), ({ inspect }) => inspect(key, file)),
  runs: (key, file, sha256) => Stream.unwrap(Effect.map(readerOf(key), ({ runs }) => runs(key, file, sha256))),
  records: (key, file) => Stream.unwrap(Effect.map(readerOf(key), ({ records }) => records(key, file))),
  provenRecords: (key, file) =>
    Stream.unwrap(Effect.map(readerOf(key), ({ provenRecords }) => provenRecords(key, file)))
}
