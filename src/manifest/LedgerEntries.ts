import { hash } from "node:crypto"

/** A little-endian number of four characters below 256. */
const numberAt = (text: string, at: number): number =>
  (text.charCodeAt(at) |
    (text.charCodeAt(at + 1) << 8) |
    (text.charCodeAt(at + 2) << 16) |
    (text.charCodeAt(at + 3) << 24)) >>>
  0

/** The first 8 bytes of the SHA-256 of each key, as pairs of 32-bit numbers: two for each key. */
export const hashes = (keys: ReadonlyArray<string>): Uint32Array => {
  const found = new Uint32Array(keys.length * 2)
  for (const [n, key] of keys.entries()) {
    // A buffer for each would be memory outside of the heap, which is freed late.
    const digest = hash("sha256", key, "binary")
    found[2 * n] = numberAt(digest, 0)
    found[2 * n + 1] = numberAt(digest, 4)
  }
  return found
}

/** Marks a free place in the table. */
const free = -1

const grown = (column: Uint32Array, rows: number): Uint32Array => {
  const larger = new Uint32Array(rows)
  larger.set(column)
  return larger
}

/**
 * Stored objects in a queue: row 0 was not read for longest. Columns of numbers instead of objects, 24 bytes for each
 * row, since there may be hundreds of thousands. An object is known by a hash of its key.
 */
export class LedgerEntries {
  count = 0
  /** The low and the high half of the hash of the key. */
  low: Uint32Array
  high: Uint32Array
  /** Stored bytes. */
  size: Uint32Array
  /** When it was last read, or written: seconds since 1970. */
  seconds: Uint32Array
  /** Number of the newest set that names it. */
  set: Uint32Array
  /** Number of the set in whose folder it lies. */
  folder: Uint32Array
  /** Row of each hash, found by its low half; a place that is taken leads on to the next one. */
  #table: Int32Array

  constructor(rows: number) {
    const column = () => new Uint32Array(rows)
    this.low = column()
    this.high = column()
    this.size = column()
    this.seconds = column()
    this.set = column()
    this.folder = column()
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(16, rows * 2)))).fill(free)
  }

  /** The row of an object; -1 without one. */
  find(low: number, high: number): number {
    const mask = this.#table.length - 1
    for (let at = low & mask; ; at = (at + 1) & mask) {
      const row = this.#table[at]!
      if (row === free || (this.low[row] === low && this.high[row] === high)) return row
    }
  }

  /** Adds an object that is not in the queue at its back. */
  add(low: number, high: number, size: number, seconds: number, set: number, folder: number): void {
    if (this.count === this.low.length) this.#grow()
    const row = this.count++
    this.low[row] = low
    this.high[row] = high
    this.size[row] = size
    this.seconds[row] = seconds
    this.set[row] = set
    this.folder[row] = folder
    this.#enter(row)
  }

  /** These rows, in this order. */
  arranged(rows: ArrayLike<number>): LedgerEntries {
    const made = new LedgerEntries(rows.length)
    for (let n = 0; n < rows.length; n++) {
      const row = rows[n]!
      made.add(this.low[row]!, this.high[row]!, this.size[row]!, this.seconds[row]!, this.set[row]!, this.folder[row]!)
    }
    return made
  }

  /** The rows that pass, in their order. */
  filtered(stays: (row: number) => boolean): LedgerEntries {
    const rows: Array<number> = []
    for (let row = 0; row < this.count; row++) if (stays(row)) rows.push(row)
    return rows.length === this.count ? this : this.arranged(rows)
  }

  #enter(row: number): void {
    const mask = this.#table.length - 1
    let at = this.low[row]! & mask
    while (this.#table[at] !== free) at = (at + 1) & mask
    this.#table[at] = row
  }

  #grow(): void {
    const rows = Math.max(16, this.low.length * 2)
    this.low = grown(this.low, rows)
    this.high = grown(this.high, rows)
    this.size = grown(this.size, rows)
    this.seconds = grown(this.seconds, rows)
    this.set = grown(this.set, rows)
    this.folder = grown(this.folder, rows)
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(rows * 2))).fill(free)
    for (let row = 0; row < this.count; row++) this.#enter(row)
  }
}
