import { offsetOf, lengthOf } from "../segment/records/recordFields.ts"

/*
 * Holes of a log that compaction has left are filled with empty records where they are too many for markers: brokers
 * remove records without a key when they compact the log. Small holes are filled within the batches of the records
 * around them, since a batch of its own for each would cost more than the records.
 */

/** Most offsets of a hole that are filled within a batch of records. */
const mostWithin = 100

/** Records that are looked at together: what they grow by stays below 8 MiB, whatever the holes between them. */
const sliceBytes = 64 * 1024

/** A filler in the record stream: its length without this field, then timestamp, offset, key, value and headers. */
const template = Buffer.concat([
  Buffer.of(26, 0, 0, 0),
  Buffer.alloc(8, 0xff),
  Buffer.alloc(8),
  Buffer.alloc(8, 0xff),
  Buffer.alloc(2)
])

interface Hole {
  from: number
  readonly until: number
}

/** Puts fillers into the small holes of a stream of whole records with ascending offsets. */
export class FilledHoles {
  #next: number
  /** Filled, and not yet counted by `fillersUntil`. */
  #holes: Array<Hole> = []

  /** `from`: the first offset that is to be there. */
  constructor(from: number) {
    this.#next = from
  }

  /** The run in slices, with fillers in its small holes. A slice without any is a view of the run. */
  *push(run: Buffer): Generator<Buffer> {
    for (let from = 0; from < run.length;) {
      let at = from
      let fillers = 0
      const holes: Array<{ readonly at: number; readonly hole: Hole }> = []
      while (at < run.length && at - from < sliceBytes) {
        const offset = offsetOf(run, at)
        const missing = offset - this.#next
        if (missing > 0 && missing <= mostWithin) {
          holes.push({ at, hole: { from: this.#next, until: offset } })
          fillers += missing
        }
        this.#next = offset + 1
        at += lengthOf(run, at)
      }
      yield fillers === 0 ? run.subarray(from, at) : this.#filled(run, from, at, holes, fillers)
      from = at
    }
  }

  /** Records up to `until`, exclusive, go past it as a batch. A hole before them is filled by others. */
  pass(until: number): void {
    this.#next = until
  }

  /** How many fillers were put below this offset since it was asked last. */
  fillersUntil(until: number): number {
    let count = 0
    let done = 0
    for (const hole of this.#holes) {
      if (hole.from >= until) break
      const end = Math.min(hole.until, until)
      count += end - hole.from
      hole.from = end
      if (end < hole.until) break
      done++
    }
    if (done > 0) this.#holes = this.#holes.slice(done)
    return count
  }

  #filled(
    run: Buffer,
    from: number,
    until: number,
    holes: ReadonlyArray<{ readonly at: number; readonly hole: Hole }>,
    fillers: number
  ): Buffer {
    const target = Buffer.allocUnsafe(until - from + fillers * template.length)
    let copied = from
    let out = 0
    for (const { at, hole } of holes) {
      out += run.copy(target, out, copied, at)
      copied = at
      for (let offset = hole.from; offset < hole.until; offset++) {
        template.copy(target, out)
        target.writeUInt32LE(offset >>> 0, out + 12)
        target.writeInt32LE(Math.floor(offset / 0x1_0000_0000), out + 16)
        out += template.length
      }
      this.#holes.push(hole)
    }
    run.copy(target, out, copied, until)
    return target
  }
}
