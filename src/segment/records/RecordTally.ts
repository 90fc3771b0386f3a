import { offsetOf } from "./recordFields.ts"
import { TimestampRange } from "./TimestampRange.ts"

/** What was counted of some records of one segment. */
export interface Tally {
  readonly records: number
  /** Both inclusive; -1 when there is no record. */
  readonly firstOffset: number
  readonly lastOffset: number
  /** Milliseconds since 1970, clamped to safe integers; both are 0 when there is no record. */
  readonly minTimestamp: number
  readonly maxTimestamp: number
}

/** Counts records with ascending offsets, without keeping them. */
export class RecordTally {
  #records = 0
  #firstOffset = -1
  #lastOffset = -1
  readonly #timestamps = new TimestampRange()

  /** Counts the record that begins at `at`. */
  add(run: Buffer, at: number): void {
    const offset = offsetOf(run, at)
    if (this.#records === 0) this.#firstOffset = offset
    this.#lastOffset = offset
    this.#records++
    this.#timestamps.add(run.readInt32LE(at + 8), run.readInt32LE(at + 4))
  }

  get tally(): Tally {
    return {
      records: this.#records,
      firstOffset: this.#firstOffset,
      lastOffset: this.#lastOffset,
      minTimestamp: this.#timestamps.min,
      maxTimestamp: this.#timestamps.max
    }
  }
}
