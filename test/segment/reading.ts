import { Effect, Stream } from "effect"
import type * as Formats from "../../src/segment/Formats.ts"
import type { NamedSegment, SegmentReader } from "../../src/segment/SegmentReader.ts"
import type { PlainRecord } from "./plainRecords.ts"

/** The file in pieces of `pieceBytes`. */
export const pieces = (file: Buffer, pieceBytes = 1000): Stream.Stream<Uint8Array> => {
  const list: Array<Uint8Array> = []
  for (let at = 0; at < file.length; at += pieceBytes) list.push(file.subarray(at, at + pieceBytes))
  return Stream.fromIterable(list)
}

/** Whatever the file of that key holds. */
export const everythingOf = (key: string): Formats.StoredSegment => ({
  key,
  start_offset: 0,
  end_offset: Number.MAX_SAFE_INTEGER - 1
})

/** All records of a file. */
export const readAll = (reader: SegmentReader, file: Stream.Stream<Uint8Array>, named?: NamedSegment) =>
  Effect.map(Stream.runCollect(reader.records("a key", file, named)), (batches) =>
    batches.flat().map((r): PlainRecord => ({
      offset: BigInt(r.offset),
      timestamp: r.timestamp,
      key: r.key && Buffer.from(r.key),
      value: r.value && Buffer.from(r.value),
      headers: r.headers.map(({ key, value }) => [Buffer.from(key), value && Buffer.from(value)])
    }))
  )

/** Records from offset 100 on, with every second offset, some nulls and some headers. */
export const some = (count: number, size = 20): ReadonlyArray<PlainRecord> =>
  Array.from({ length: count }, (_, i) => ({
    offset: BigInt(100 + 2 * i),
    timestamp: 1_795_327_000_000n + BigInt(i),
    key: i % 3 === 0 ? null : Buffer.from(`key-${i}`),
    value: i % 5 === 0 ? null : Buffer.alloc(size, `value ${i} `),
    headers: i % 4 === 0 ? [[Buffer.from("h"), null] as const, [Buffer.from("h"), Buffer.from("2")] as const] : []
  }))
