import { assert, describe, it } from "@effect/vitest"
import { HeaderAppender, TooManyHeaders } from "../../../src/segment/records/HeaderAppender.ts"
import { type Edit, RecordEditor } from "../../../src/segment/records/RecordEditor.ts"
import { between } from "../../../src/segment/records/RecordFilter.ts"
import { random, scene, Seed } from "../arbitraryRecords.ts"
import { type PlainRecord, stream } from "../plainRecords.ts"

const addedHeaders = ["x-original-offset", "x-original-timestamp"]

const withAdded = (record: PlainRecord): PlainRecord => ({
  ...record,
  headers: [...record.headers, ...addedHeaders.map((key) => [Buffer.from(key), Buffer.alloc(8, 7)] as const)]
})

const partition = Buffer.from([3, 0, 0, 0])

const appender = new HeaderAppender([
  { key: "x-original-offset", value: "offset" },
  { key: "x-original-timestamp", value: "timestamp" },
  { key: "x-source-partition", value: partition }
])

const withAppended = (record: PlainRecord): PlainRecord => {
  const long = (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes
  }
  const asked: PlainRecord["headers"] = [
    [Buffer.from("x-original-offset"), long(record.offset)],
    [Buffer.from("x-original-timestamp"), long(record.timestamp)],
    [Buffer.from("x-source-partition"), partition]
  ]
  const missing = asked.filter(([key]) => !record.headers.some(([own]) => own.equals(key)))
  return { ...record, headers: [...record.headers, ...missing] }
}

/** The records as runs of random lengths, edited and put together again. */
const edited = (records: ReadonlyArray<PlainRecord>, edit: Edit, next: () => number): Buffer => {
  const editor = new RecordEditor(edit)
  const parts: Array<Buffer> = []
  for (let from = 0; from < records.length;) {
    const until = from + 1 + Math.floor(next() * 5)
    parts.push(editor.push(stream(records.slice(from, until))))
    from = until
  }
  return Buffer.concat(parts)
}

describe("record editor", () => {
  it.prop("keeps what is asked for and changes nothing else", [Seed], ([seed]) => {
    const next = random(seed)
    const maybe = <A>(value: A): A | undefined => (next() < 0.5 ? value : undefined)
    const { records } = scene(seed)
    const some = () => records[Math.floor(next() * records.length)]!
    const hasAdded = next() < 0.5
    const from = maybe(Number(some().offset)) ?? 0
    const until = maybe(Number(some().offset)) ?? Number.MAX_SAFE_INTEGER
    const isSafe = (time: bigint | undefined): time is bigint =>
      time !== undefined && Number.isSafeInteger(Number(time))
    const times = [maybe(some().timestamp), maybe(some().timestamp)].map((time) => (isSafe(time) ? time : undefined))
    const [first, last] = times
    const renumberFrom = maybe([0, 5, 4_294_967_294, 9_007_199_200_000_000][Math.floor(next() * 4)]!)
    const isAppended = next() < 0.5
    const edit: Edit = {
      from,
      until,
      addedHeaders: hasAdded ? addedHeaders : [],
      ...(first === undefined && last === undefined
        ? {}
        : { keeps: between(Number(first ?? -Infinity), Number(last ?? Infinity)) }),
      ...(isAppended ? { appends: appender } : {}),
      ...(renumberFrom === undefined ? {} : { renumberFrom })
    }
    // Some records look as if they were written without the added headers.
    const stored = records.map((record) => (hasAdded && next() < 0.8 ? withAdded(record) : record))
    const expected = stored
      .filter(({ offset }) => offset >= BigInt(from) && offset < BigInt(until))
      .filter(
        ({ timestamp }) => (first === undefined || timestamp >= first) && (last === undefined || timestamp <= last)
      )
      .map((record, i) => {
        const original = hasAdded ? records.find(({ offset }) => offset === record.offset)! : record
        const offset = renumberFrom === undefined ? record.offset : BigInt(renumberFrom + i)
        return { ...(isAppended ? withAppended(original) : original), offset }
      })
    assert.isTrue(edited(stored, edit, next).equals(stream(expected)))
  })

  it("refuses to append to a record that has all headers that it can have", () => {
    const [record] = scene(1).records
    const headers = Array.from({ length: 65_533 }, () => [Buffer.from("k"), null] as const)
    const edit = { from: 0, until: Number.MAX_SAFE_INTEGER, addedHeaders: [], appends: appender }
    assert.throws(() => new RecordEditor(edit).push(stream([{ ...record!, headers }])), TooManyHeaders)
  })

  it("gives a run that needs no change as it is, without a copy", () => {
    const run = stream(scene(1).records)
    const edit = { from: 0, until: Number.MAX_SAFE_INTEGER, addedHeaders: [] }
    assert.strictEqual(new RecordEditor(edit).push(run), run)
  })
})
