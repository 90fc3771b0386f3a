import { createHash } from "node:crypto"
import { Result, Schema } from "effect"
import { LedgerEntries } from "./LedgerEntries.ts"

/*
 * The bytes of a ledger: a magic text, the length of a JSON header, the header, six columns of 32-bit numbers, and the
 * SHA-256 of all that. All numbers are little-endian, as are the processors that this program is built for.
 */

const magic = Buffer.from("KBLEDGR1")
const digestBytes = 32

/** A set whose objects are in the ledger, or in whose folder some of them lie. */
export const LedgerSet = Schema.Struct({
  id: Schema.String,
  /** Number of the set that it was built on, where the ledger knows that. */
  base: Schema.optionalKey(Schema.Int),
  /** When it was completed, milliseconds since 1970; absent unless all objects that it names are in the ledger. */
  heldMillis: Schema.optionalKey(Schema.Int)
})
export type LedgerSet = typeof LedgerSet.Type

/** The run that has read its share last, and what it read. */
export const LedgerRun = Schema.Struct({ backupId: Schema.String, objects: Schema.Int, bytes: Schema.Int })
export type LedgerRun = typeof LedgerRun.Type

const Header = Schema.Struct({
  version: Schema.Literal(1),
  rows: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  beganMillis: Schema.optionalKey(Schema.Int),
  run: Schema.optionalKey(LedgerRun),
  totals: Schema.optionalKey(Schema.Array(Schema.Int)),
  sets: Schema.Array(LedgerSet)
})

/** What a ledger document holds. */
export interface LedgerContent {
  /** When it began to know nothing, milliseconds since 1970; undefined in those of earlier versions. */
  readonly beganMillis: number | undefined
  readonly run: LedgerRun | undefined
  /** Stored bytes in the queue at each of the last runs that read their share, the newest last. */
  readonly totals: ReadonlyArray<number>
  readonly sets: ReadonlyArray<LedgerSet>
  readonly entries: LedgerEntries
}

const columns = ({ folder, high, low, seconds, set, size }: LedgerEntries): ReadonlyArray<Uint32Array> => [
  low,
  high,
  size,
  seconds,
  set,
  folder
]

/** The document in pieces, one after the other. */
export const encode = ({ beganMillis, entries, run, sets, totals }: LedgerContent): ReadonlyArray<Uint8Array> => {
  const header = {
    version: 1,
    rows: entries.count,
    ...(beganMillis === undefined ? {} : { beganMillis }),
    ...(run === undefined ? {} : { run }),
    totals,
    sets
  } as const
  const text = Buffer.from(JSON.stringify(Schema.encodeSync(Header)(header)))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.byteLength)
  const pieces = [
    magic,
    length,
    text,
    ...columns(entries).map((column) => new Uint8Array(column.buffer, column.byteOffset, entries.count * 4))
  ]
  const digest = createHash("sha256")
  for (const piece of pieces) digest.update(piece)
  return [...pieces, digest.digest()]
}

const decodeHeader = Schema.decodeUnknownResult(Schema.fromJsonString(Header))

/** Opens what `encode` wrote; says what is wrong where a single bit differs. */
export const decode = (bytes: Uint8Array): Result.Result<LedgerContent, string> => {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = magic.byteLength + 4
  const end = whole.byteLength - digestBytes
  if (end < start || !whole.subarray(0, magic.byteLength).equals(magic)) return Result.fail("it is no such record")
  if (!createHash("sha256").update(whole.subarray(0, end)).digest().equals(whole.subarray(end))) {
    return Result.fail("its checksum is wrong")
  }
  const from = start + whole.readUInt32LE(magic.byteLength)
  const header = decodeHeader(whole.subarray(start, from).toString("utf8"))
  if (Result.isFailure(header)) return Result.fail("its header cannot be read")
  const { beganMillis, rows, run, sets, totals = [] } = header.success
  if (end - from !== rows * 24) return Result.fail("its length is wrong")
  const made = new LedgerEntries(rows)
  const column = (n: number): Uint32Array => {
    const numbers = new Uint32Array(rows)
    new Uint8Array(numbers.buffer).set(whole.subarray(from + n * rows * 4, from + (n + 1) * rows * 4))
    return numbers
  }
  const [low, high, size, seconds, set, folder] = [0, 1, 2, 3, 4, 5].map(column) as ReadonlyArray<Uint32Array>
  for (let row = 0; row < rows; row++) {
    if (set![row]! >= sets.length || folder![row]! >= sets.length) return Result.fail("it names a set that it lacks")
    made.add(low![row]!, high![row]!, size![row]!, seconds![row]!, set![row]!, folder![row]!)
  }
  return Result.succeed({ beganMillis, run, totals, sets, entries: made })
}
